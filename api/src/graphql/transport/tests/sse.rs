use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::toy::{Toy, post, toy, with};
use crate::graphql::transport::TransportSettings;

fn quick() -> TransportSettings {
    TransportSettings { heartbeat: Duration::from_millis(10), recheck: Duration::from_millis(10), ..TransportSettings::default() }
}

fn subscribe(key: &str, query: &str) -> Request<Body> {
    let body = json!({ "query": query }).to_string();
    with(post(key, body), header::ACCEPT, "text/event-stream")
}

/// Events without the heartbeats.
fn events(text: &str) -> Vec<&str> {
    text.split("\n\n").filter(|part| !part.is_empty() && *part != ":").collect()
}

/// Reads frames until one contains `needle`.
async fn until(body: &mut Body, needle: &str) {
    loop {
        let frame = body.frame().await.expect("stream ended").unwrap();
        let data = frame.into_data().unwrap();
        if String::from_utf8_lossy(&data).contains(needle) {
            return;
        }
    }
}

async fn open(toy: &Toy, request: Request<Body>) -> Body {
    let response = toy.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

#[tokio::test]
async fn tells_every_answer_and_the_end() {
    let toy = toy(quick());
    let answer = toy.send(subscribe("alice", "subscription { count(to: 2) }")).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/event-stream; charset=utf-8");
    assert_eq!(events(&answer.text), ["event: next\ndata: {\"data\":{\"count\":1}}", "event: next\ndata: {\"data\":{\"count\":2}}", "event: complete\ndata:",]);
    let answer = toy.send(subscribe("alice", "mutation { bump(by: 3) }")).await;
    assert_eq!(events(&answer.text), ["event: next\ndata: {\"data\":{\"bump\":3}}", "event: complete\ndata:"]);
}

#[tokio::test]
async fn refusals_before_the_stream_are_plain_answers() {
    let toy = toy(quick());
    let answer = toy.send(subscribe("mallory", "subscription { wait }")).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    let answer = toy.send(subscribe("alice", "{")).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::BAD_REQUEST, "GRAPHQL_PARSE_FAILED"));
    let answer = toy.send(subscribe("alice", "subscription { closed }")).await;
    assert!(answer.text.contains("\"code\":\"FORBIDDEN\""), "{}", answer.text);
    assert!(answer.text.ends_with("event: complete\ndata:\n\n"));
    let answer = toy.send(subscribe("alice", "subscription { nothing }")).await;
    assert!(answer.text.contains("GRAPHQL_VALIDATION_FAILED"), "{}", answer.text);
}

#[tokio::test]
async fn beats_while_nothing_happens() {
    let toy = toy(quick());
    let mut body = open(&toy, subscribe("alice", "subscription { wait }")).await;
    until(&mut body, "event: next").await;
    until(&mut body, ":\n\n").await;
}

#[tokio::test]
async fn ends_when_the_credential_does() {
    let toy = toy(quick());
    let mut body = open(&toy, subscribe("short", "subscription { wait }")).await;
    until(&mut body, "event: next").await;
    toy.doorman.now.store(1_000, Ordering::SeqCst);
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&rest).contains("complete"));
}

#[tokio::test]
async fn ends_at_shutdown_and_leaves_no_task() {
    let settings = quick();
    let toy = toy(settings.clone());
    let mut body = open(&toy, subscribe("alice", "subscription { wait }")).await;
    until(&mut body, "event: next").await;
    settings.shutdown.cancel();
    settings.connections.close();
    settings.connections.wait().await;
    body.collect().await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let settings = TransportSettings { write_timeout: Duration::from_millis(50), ..quick() };
    let toy = toy(settings.clone());
    let body = open(&toy, subscribe("alice", "subscription { flood }")).await;
    settings.connections.close();
    settings.connections.wait().await;
    drop(body);
}

#[tokio::test]
async fn connections_are_bounded() {
    let toy = toy(TransportSettings { max_connections: 1, ..quick() });
    let _first = open(&toy, subscribe("alice", "subscription { wait }")).await;
    let second = toy.send(subscribe("alice", "subscription { wait }")).await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(second.code(), "TOO_MANY_CONNECTIONS");
}
