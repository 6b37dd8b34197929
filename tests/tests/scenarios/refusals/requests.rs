//! What is no request, or none that may be run.

use super::{JSON, Refusals, raw, registering};
use anyhow::{Context, Result};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{App, Client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The answer, status and body, to a request that announces so many bytes and sends so many of
/// them before it reads: what is too long is refused before it has come, and a client that goes on
/// sending does not lose the answer with the connection.
async fn announced(client: &Client, bytes: u64, sent: usize) -> Result<(String, Value)> {
    let host = client.base().trim_start_matches("http://");
    let key = client.credential();
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: {JSON}\r\nConnection: close\r\nContent-Length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b' '; sent]).await.with_context(|| format!("{sent} of {bytes} bytes cannot be sent"))?;
    let mut answer = Vec::new();
    tokio::time::timeout(tests::wait::PATIENCE, stream.read_to_end(&mut answer)).await.context("no answer")??;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("no HTTP: {answer:?}"))?;
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((status, serde_json::from_str(body).with_context(|| format!("not JSON: {answer:?}"))?))
}

/// A field within a field within a field.
fn nested(levels: usize) -> String {
    format!(r#"{{ __type(name: "Query") {{ {}name{} }} }}"#, "ofType { ".repeat(levels), " }".repeat(levels))
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_before_anything_is_read() -> Result<()> {
    let app = App::start().await?;
    let mut refusals = Refusals::begin(&app).await?;
    let post = |content_type: &'static str, body: Vec<u8>| -> Result<RequestBuilder> {
        Ok(raw(&app.admin, Method::POST, "")?.bearer_auth(app.admin.credential()).header(CONTENT_TYPE, content_type).body(body))
    };
    let bare = || -> Result<RequestBuilder> { Ok(raw(&app.admin, Method::POST, "")?.bearer_auth(app.admin.credential())) };
    let multipart = "multipart/form-data; boundary=x";
    let form = format!("--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n--x--\r\n", String::from_utf8(registering())?);
    let lone = br#"{"query":"{ __typename }","variables":{"a":"\ud800"}}"#.to_vec();
    let cases = [
        ("no content type", bare()?.body(registering()), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("text/plain", post("text/plain", registering())?, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a form", post("application/x-www-form-urlencoded", b"query={__typename}".to_vec())?, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("multipart", post(multipart, form.into_bytes())?, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("another encoding", post("application/json; charset=utf-16", registering())?, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("compressed", post(JSON, registering())?.header(CONTENT_ENCODING, "gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("no JSON", post(JSON, b"{ __typename }".to_vec())?, 400, "BAD_REQUEST"),
        ("half of a JSON", post(JSON, br#"{"query":"#.to_vec())?, 400, "BAD_REQUEST"),
        ("nothing", post(JSON, Vec::new())?, 400, "BAD_REQUEST"),
        ("no UTF-8", post(JSON, b"{\"query\":\"\xff\xfe\"}".to_vec())?, 400, "BAD_REQUEST"),
        ("braces without end", post(JSON, b"{\"query\":".repeat(100_000))?, 400, "BAD_REQUEST"),
        ("half a character", post(JSON, lone)?, 400, "BAD_REQUEST"),
        ("no query", post(JSON, b"{}".to_vec())?, 400, "BAD_REQUEST"),
        ("a query of a wrong type", post(JSON, br#"{"query":5}"#.to_vec())?, 400, "BAD_REQUEST"),
        ("brackets without end", post(JSON, vec![b'['; 1_000_000])?, 400, "BATCH_DISABLED"),
        ("a batch", post(JSON, [b"[".as_slice(), &registering(), b"]"].concat())?, 400, "BATCH_DISABLED"),
        ("another method", raw(&app.admin, Method::PUT, "")?.bearer_auth(app.admin.credential()).body(registering()), 405, "METHOD_NOT_ALLOWED"),
    ];
    for (what, request, status, expected) in cases {
        refusals.request(what, request, status, expected).await?;
    }
    for (bytes, sent) in [(3_000_000, 0), (3_000_000, 3_000_000), (50_000_000, 0), (50_000_000, 3_000_000), (1_000_000_000_000_000, 0)] {
        let (status, body) = announced(&app.admin, bytes, sent).await?;
        refusals.note(&format!("{bytes} bytes"), &body, "BODY_TOO_LARGE");
        assert_eq!(status, "413", "{bytes} bytes");
    }
    let long = post(JSON, vec![b' '; 3_000_000])?;
    refusals.request("a real 3 MB body", long, 413, "BODY_TOO_LARGE").await?;
    let mutation = "?query=mutation%7BregisterSender(input:%7Bkey:%22intruder%22,name:%22x%22%7D)%7B__typename%7D%7D";
    let by_get = raw(&app.admin, Method::GET, mutation)?.bearer_auth(app.admin.credential());
    refusals.request("a mutation by GET", by_get, 405, "METHOD_NOT_ALLOWED").await?;
    refusals.end().await
}

#[tokio::test]
async fn documents_that_cost_too_much_or_fit_nowhere_are_not_run() -> Result<()> {
    let app = App::start().await?;
    let mut refusals = Refusals::begin(&app).await?;
    let many = |count: usize, field: &dyn Fn(usize) -> String| format!("{{ {} }}", (0..count).map(field).collect::<Vec<_>>().join(" "));
    let circular = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    let cases = [
        (nested(30), "QUERY_TOO_DEEP"),
        ("{ a ".repeat(5_000) + &"}".repeat(5_000), "QUERY_TOO_DEEP"),
        (format!("{{ status {} }}", many(1_000, &|number| format!("a{number}: head"))), "TOO_MANY_ALIASES"),
        (format!("{{ status {} }}", many(51, &|number| format!("a{number}: head"))), "TOO_MANY_ALIASES"),
        (format!("{{ status {} }}", many(6_000, &|_| "head".to_owned())), "QUERY_TOO_COMPLEX"),
        (many(31, &|number| format!("a{number}: __typename")), "TOO_MANY_ROOT_FIELDS"),
        (many(1, &|_| format!("__typename {}", "@include(if: true) ".repeat(21))), "TOO_MANY_DIRECTIVES"),
        (many(1, &|_| format!("__typename # {}", "x".repeat(70_000))), "QUERY_TOO_LONG"),
        (circular.to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("{ notificatoin(id: \"x\") { id } }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("{ status }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("{ status { head ".to_owned(), "GRAPHQL_PARSE_FAILED"),
        ("query a { __typename } query b { __typename }".to_owned(), "OPERATION_NOT_FOUND"),
        ("subscription { notificationFeed { __typename } }".to_owned(), "SUBSCRIPTION_NOT_SUPPORTED"),
        ("{ notifications(recipient: \"alice\", first: 0) { edges { cursor } } }".to_owned(), "BAD_USER_INPUT"),
        ("{ notifications(recipient: \"alice\", first: -1) { edges { cursor } } }".to_owned(), "BAD_USER_INPUT"),
        ("{ notifications(recipient: \"alice\", first: 101) { edges { cursor } } }".to_owned(), "BAD_USER_INPUT"),
        ("{ notifications { edges { cursor } } }".to_owned(), "BAD_USER_INPUT"),
        ("{ deadLetters(first: 1001) { id } }".to_owned(), "BAD_USER_INPUT"),
    ];
    for (query, expected) in cases {
        refusals.document(&app.admin, &query, expected).await?;
    }
    for position in ["", "0", "nonsense", "cA", "cC0x", "cDE4NDQ2NzQ0MDczNzA5NTUxNjE2", "' OR 1=1"] {
        let asked = app.admin.ask("query($p: Position) { categories(atLeastPosition: $p) { key } }", json!({ "p": position })).await?;
        refusals.note(&format!("position {position:?}"), &asked.body, "BAD_USER_INPUT");
    }
    refusals.end().await
}
