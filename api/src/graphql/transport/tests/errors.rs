use axum::http::{StatusCode, header};
use serde_json::json;

use super::toy::toy;
use crate::graphql::transport::TransportSettings;

/// Pins async-graphql's wording, by which its errors are told apart.
#[tokio::test]
async fn every_refusal_of_async_graphql_has_its_code() {
    let toy = toy(TransportSettings::default());
    for (query, variables, code) in [
        ("{ add(a: \"x\", b: 1) }", json!({}), "BAD_USER_INPUT"),
        ("{ colour(colour: BLUE) }", json!({}), "BAD_USER_INPUT"),
        ("query Q($c: Colour!) { colour(colour: $c) }", json!({ "c": "BLUE" }), "BAD_USER_INPUT"),
        ("query Q($a: Int!) { add(a: $a, b: 1) }", json!({ "a": "x" }), "BAD_USER_INPUT"),
        ("query Q($a: Int!) { add(a: $a, b: 1) }", json!({ "a": null }), "BAD_USER_INPUT"),
        ("{ add(a: 1, b: 1, c: 1) }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ add(a: 1) }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ add(a: $a, b: 1) }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...Nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ whoami { x } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ tree }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ whoami @nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let answer = toy.query_with(query, variables).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.text);
        assert_eq!(answer.code(), code, "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn unforeseen_errors_are_hidden() {
    let toy = toy(TransportSettings::default());
    for query in ["{ fails }", "{ panics }"] {
        let answer = toy.query(query).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
        assert_eq!(answer.code(), "INTERNAL");
        assert!(!answer.text.contains("secret") && !answer.text.contains("purpose"));
        assert!(answer.json()["errors"][0]["extensions"]["incident"].is_string());
        assert_eq!(answer.json().get("data"), Some(&json!(null)));
    }
}

#[tokio::test]
async fn codes_of_resolvers_are_kept_and_set_the_status() {
    let toy = toy(TransportSettings::default());
    let answer = toy.query("{ forbidden }").await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let answer = toy.query("{ busy }").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "7");
}

#[tokio::test]
async fn a_value_refused_while_executing_is_the_callers_fault() {
    let toy = toy(TransportSettings::default());
    for query in ["{ add(a: 1, b: 11) }", "query Q($a: Int) { add(a: $a, b: 1) }"] {
        let answer = toy.query(query).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text);
    }
}

#[tokio::test]
async fn syntax_errors_tell_the_place_and_not_the_text() {
    let toy = toy(TransportSettings::default());
    let answer = toy.query("{\n  whoami(secret: \"4711\"\n").await;
    assert_eq!(answer.code(), "GRAPHQL_PARSE_FAILED");
    assert!(!answer.text.contains("4711"), "{}", answer.text);
    let error = &answer.json()["errors"][0];
    assert_eq!(error["locations"][0]["line"], 3);
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("Syntax error: expected "), "{message}");

    let answer = toy.query("query A { whoami } query A { whoami }").await;
    assert_eq!(answer.json()["errors"][0]["message"], "Syntax error: operation A is defined twice.");
}
