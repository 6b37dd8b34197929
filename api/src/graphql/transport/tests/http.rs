use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use super::toy::{get, post, toy, with, without};
use crate::graphql::transport::TransportSettings;

const HELLO: &str = r#"{"query":"{ whoami }"}"#;

fn small() -> TransportSettings {
    TransportSettings { body_bytes: 1024, ..TransportSettings::default() }
}

#[tokio::test]
async fn answers_in_the_media_type_asked_for() {
    let toy = toy(small());
    for (accept, content_type) in [
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("text/html, */*;q=0.1", "application/json; charset=utf-8"),
        ("application/json;q=0.5, application/graphql-response+json; charset=utf-8", "application/graphql-response+json; charset=utf-8"),
    ] {
        let answer = toy.send(with(post("alice", HELLO), header::ACCEPT, accept)).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], content_type, "{accept}");
        assert_eq!(answer.json(), json!({ "data": { "whoami": "alice" } }));
    }
    for accept in ["text/html", "application/json;q=0", "application/json;charset=utf-16"] {
        let answer = toy.send(with(post("alice", HELLO), header::ACCEPT, accept)).await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        assert_eq!(answer.code(), "NOT_ACCEPTABLE");
    }
}

#[tokio::test]
async fn refuses_bodies_that_pages_may_send_across_origins() {
    let toy = toy(small());
    let mutation = r#"{"query":"mutation { bump(by: 1) }"}"#;
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/jsonp"]
    {
        let answer = toy.send(with(post("alice", mutation), header::CONTENT_TYPE, kind)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE");
    }
    let answer = toy.send(without(post("alice", mutation), header::CONTENT_TYPE)).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(toy.bumps.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn refuses_compressed_bodies() {
    let toy = toy(small());
    let answer = toy.send(with(post("alice", HELLO), header::CONTENT_ENCODING, "gzip")).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = toy.send(with(post("alice", HELLO), header::CONTENT_ENCODING, "identity")).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn get_runs_queries_only() {
    let toy = toy(small());
    let answer = toy.send(get("{ whoami }")).await;
    assert_eq!(answer.json()["data"]["whoami"], "alice");

    let answer = toy.send(get("mutation { bump(by: 1) }")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers[header::ALLOW], "POST");
    assert_eq!(answer.code(), "METHOD_NOT_ALLOWED");
    assert_eq!(toy.bumps.0.load(Ordering::SeqCst), 0);

    for method in [Method::PUT, Method::DELETE, Method::HEAD] {
        let mut request = post("alice", HELLO);
        *request.method_mut() = method;
        let answer = toy.send(request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers[header::ALLOW], "GET, POST");
    }
}

#[tokio::test]
async fn refuses_malformed_requests() {
    let toy = toy(small());
    for (body, code) in [
        ("", "BAD_REQUEST"),
        ("{", "BAD_REQUEST"),
        ("{}", "BAD_REQUEST"),
        (r#"{"query":1}"#, "BAD_REQUEST"),
        (r#"{"query":"{ whoami }","variables":[]}"#, "BAD_REQUEST"),
        (r#"{"query":"{ whoami }","extensions":"x"}"#, "BAD_REQUEST"),
        (r#"{"query":"{ whoami }","query":"{ whoami }"}"#, "BAD_REQUEST"),
        (r#" [{"query":"{ whoami }"}]"#, "BATCH_DISABLED"),
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let answer = toy.send(with(post("alice", body), header::ACCEPT, accept)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(answer.code(), code, "{body}");
            assert!(answer.json().get("data").is_none());
        }
    }
}

#[tokio::test]
async fn bounds_bodies_before_reading_them() {
    let toy = toy(small());
    let long = format!(r#"{{"query":"{{ whoami }} #{}"}}"#, "x".repeat(2000));

    let answer = toy.send(post("alice", long.clone())).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.code(), "BODY_TOO_LARGE");

    let chunks: Vec<_> = long.as_bytes().chunks(100).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    let endless = stream::iter(chunks.into_iter().cycle());
    let answer = toy.send(post("alice", Body::from_stream(endless))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_a_refused_client_still_writes_is_taken_for_a_while() {
    const PIECE: usize = 64 << 10;
    let toy = toy(small());
    let (writer, written) = tokio::sync::mpsc::channel(1);
    let body = stream::unfold(written, async |mut written| written.recv().await.map(|piece| (Ok::<_, Infallible>(piece), written)));
    let writing = tokio::spawn(async move {
        let mut bytes = 0;
        while writer.send(Bytes::from_static(&[b' '; PIECE])).await.is_ok() {
            bytes += PIECE;
        }
        bytes
    });
    let answer = toy.send(post("alice", Body::from_stream(body))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let bytes = writing.await.unwrap();
    assert!((3_000_000..=5_000_000).contains(&bytes), "{bytes} bytes were taken");
}

#[tokio::test]
async fn large_bodies_take_turns_and_small_ones_do_not_wait_for_them() {
    let toy = Arc::new(toy(TransportSettings { executing_bytes: 30_000, body_timeout: Duration::from_millis(200), ..TransportSettings::default() }));
    let large = |query: &str| post("alice", format!("{{\"query\":\"{query}\"}}{}", " ".repeat(20_000)));
    let (first, gate) = (large("{ held }"), toy.gate.clone());
    let holding = tokio::spawn({
        let toy = Arc::clone(&toy);
        async move { toy.send(first).await }
    });
    gate.reached.notified().await;
    let refused = toy.send(large("{ whoami }")).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
    assert_eq!(toy.send(post("alice", HELLO)).await.status, StatusCode::OK);

    let waiting = tokio::spawn({
        let (toy, second) = (Arc::clone(&toy), large("{ whoami }"));
        async move { toy.send(second).await }
    });
    gate.open.notify_one();
    assert_eq!(holding.await.unwrap().json()["data"]["held"], true);
    assert_eq!(waiting.await.unwrap().json()["data"]["whoami"], "alice");
}

#[tokio::test]
async fn bodies_in_pieces_are_joined() {
    let toy = toy(small());
    let pieces: Vec<_> = HELLO.as_bytes().chunks(3).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    let answer = toy.send(post("alice", Body::from_stream(stream::iter(pieces)))).await;
    assert_eq!(answer.json()["data"]["whoami"], "alice");
}

#[tokio::test]
async fn gives_up_on_slow_bodies() {
    let toy = toy(TransportSettings { body_timeout: Duration::from_millis(20), ..small() });
    let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = toy.send(post("alice", never)).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.code(), "REQUEST_TIMEOUT");
}

#[tokio::test]
async fn strangers_are_turned_away_before_their_body_is_read() {
    let toy = toy(TransportSettings::default());
    let never = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    for (key, status, code) in [
        ("mallory", StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        ("revoked", StatusCode::UNAUTHORIZED, "KEY_REVOKED"),
        ("limited", StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"),
    ] {
        let answer = toy.send(post(key, never())).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.code(), code);
        assert_eq!(answer.headers.get(header::WWW_AUTHENTICATE).is_some(), status == StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn status_follows_the_media_type_when_a_document_is_refused() {
    let toy = toy(small());
    for (body, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "query Q($x: Int!) { add(a: $x, b: 1) }" }), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { wait }" }), "SUBSCRIPTION_NOT_SUPPORTED"),
        (json!({ "query": "query A { whoami } query B { whoami }" }), "OPERATION_NOT_FOUND"),
        (json!({ "query": "{ whoami }", "operationName": "No" }), "OPERATION_NOT_FOUND"),
    ] {
        let strict = toy.send(post("alice", body.to_string())).await;
        assert_eq!(strict.status, StatusCode::BAD_REQUEST, "{body}");
        let request = with(post("alice", body.to_string()), header::ACCEPT, "application/json");
        let lenient = toy.send(request).await;
        assert_eq!(lenient.status, StatusCode::OK, "{body}");
        for answer in [strict, lenient] {
            assert_eq!(answer.code(), code, "{body}");
            assert!(answer.json().get("data").is_none(), "{body}");
        }
    }
}
