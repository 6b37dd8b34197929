#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::operations;
use super::response::data;
use crate::cli::exit::Exit;
use crate::graphql::schema::{Mutation, Query};
use async_graphql::{EmptySubscription, Request, Schema, Variables};
use serde_json::{Value, json};

/// What is wrong with a document: errors without a path are the validator's, since no resolver
/// was reached. Resolvers fail here, for there is no server behind them.
async fn refused(document: &str, variables: Value) -> Vec<String> {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription).finish();
    let request = Request::new(document).variables(Variables::from_json(variables));
    let errors = schema.execute(request).await.errors;
    assert!(!errors.is_empty(), "a resolver answered without a server");
    errors.into_iter().filter(|error| error.path.is_empty()).map(|error| error.message).collect()
}

#[tokio::test]
async fn every_document_fits_the_schema() {
    let input = |input: Value| json!({ "input": input });
    let content = json!({ "title": "t", "body": "b" });
    let all = [
        (
            operations::SEND,
            input(json!({ "recipient": "a", "category": "general", "channels": ["EMAIL"], "priority": "HIGH", "idempotencyKey": "k", "content": content })),
        ),
        (operations::EXPLAIN, json!({ "id": "x" })),
        (operations::EXPLAIN_ABSENCE, json!({ "recipient": "alice", "category": null, "from": "2026-11-20T00:00:00Z", "to": null })),
        (operations::DEAD_LETTERS, json!({ "first": 1, "after": null, "code": null })),
        (operations::REDRIVE, input(json!({ "ids": ["x.0"], "limit": 1 }))),
        (operations::DISCARD, input(json!({ "ids": ["x.0"], "limit": 1, "reason": "r" }))),
        (operations::STATUS, Value::Null),
        (operations::TEMPLATES, json!({ "first": 1, "after": null })),
        (operations::TEMPLATE, json!({ "key": "a" })),
        (
            operations::SAVE_TEMPLATE,
            input(json!({ "key": "a", "expectedRevision": 0, "source": { "name": "A", "locales": [{ "locale": "en", "bodies": [{ "text": "a" }] }] } })),
        ),
        (operations::PUBLISH_TEMPLATE, json!({ "key": "a", "revision": 1 })),
        (operations::PREVIEW_TEMPLATE, input(json!({ "key": "a", "channel": "EMAIL", "locale": "ko", "parameters": { "a": 1 } }))),
        (
            operations::SEND_TEMPLATE_TEST,
            input(json!({ "key": "a", "recipient": "alice", "channel": "EMAIL", "locale": "ko", "parameters": { "a": 1 }, "sender": "shop" })),
        ),
        (operations::REBUILD_PROJECTION, input(json!({ "name": "notifications" }))),
        (operations::SENDERS, Value::Null),
        (operations::REGISTER_SENDER, input(json!({ "key": "cli", "name": "cli" }))),
        (operations::MINT_TOKEN, input(json!({ "recipient": "a", "ttlSeconds": 60 }))),
        (operations::CREATE_KEY, input(json!({ "name": "n", "role": "SENDER", "sender": "s", "sandbox": true, "categories": ["c"] }))),
    ];
    for (document, variables) in all {
        let refused = refused(document, variables).await;
        assert!(refused.is_empty(), "{refused:?} in {document}");
    }
}

#[tokio::test]
async fn the_check_of_documents_notices_a_mistake() {
    assert!(!refused("{ nothing }", Value::Null).await.is_empty());
}

fn failed(status: u16, code: &str) -> Exit {
    let body = json!({ "errors": [{ "message": "m", "extensions": { "code": code } }] });
    data(status, body.to_string().as_bytes()).unwrap_err().exit
}

#[test]
fn answers_become_the_documented_statuses() {
    assert_eq!(failed(200, "NOT_FOUND"), Exit::NotFound);
    assert_eq!(failed(200, "RECIPIENT_NOT_FOUND"), Exit::NotFound);
    assert_eq!(failed(200, "IDEMPOTENCY_CONFLICT"), Exit::Conflict);
    assert_eq!(failed(503, "UNAVAILABLE"), Exit::Unavailable);
    assert_eq!(failed(401, "UNAUTHENTICATED"), Exit::Failure);
    assert_eq!(data(502, b"<html>").unwrap_err().exit, Exit::Unavailable);
    assert_eq!(data(200, br#"{"data":{"a":1}}"#).unwrap()["a"], 1);
    let refused = json!({ "__typename": "Refused", "code": "IDEMPOTENCY_CONFLICT", "message": "m" });
    assert_eq!(super::accepted(&refused).unwrap_err().exit, Exit::Conflict);
}

#[test]
fn no_proxy_stands_before_a_server_on_this_machine() {
    let own =
        ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost:1", "https://LOCALHOST", "http://a.localhost", "http://0.0.0.0:1"];
    let others = ["http://10.0.0.1", "https://bongsu.example.com", "http://localhost.example.com", "http://[2001:db8::1]", "http://notlocalhost"];
    for (addresses, expected) in [(own.as_slice(), true), (others.as_slice(), false)] {
        for address in addresses {
            assert_eq!(super::client::loopback(&address.parse().unwrap()), expected, "{address}");
        }
    }
}
