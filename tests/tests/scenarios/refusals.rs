//! Bad input and callers who may not: each is told why by a stable code, learns nothing about the
//! inside, and changes nothing.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{App, Client, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const JSON: &str = "application/json";
/// Words of the inside: of its database, its language, its folders.
const INSIDE: [&str; 10] = ["sqlite", "select ", "insert into", "constraint", "panicked", "unwrap", ".rs:", "/src/", ".db", "stack backtrace"];

/// The code of a refusal, wherever it stands: an error's, or that of data of type `Problem`.
fn code(body: &Value) -> Option<&str> {
    let data = body["data"].as_object().into_iter().flat_map(serde_json::Map::values);
    let problem = || data.flat_map(|field| [&field["code"], &field["results"][0]["code"]]).find_map(Value::as_str);
    body["errors"][0]["extensions"]["code"].as_str().or_else(problem)
}

/// Collects what was not refused as it should be, so that one run shows all of it.
struct Refusals<'a> {
    app: &'a App,
    head: String,
    wrong: Vec<String>,
}

impl<'a> Refusals<'a> {
    async fn begin(app: &'a App) -> Result<Self> {
        Ok(Self { app, head: app.admin.head().await?, wrong: Vec::new() })
    }

    fn note(&mut self, what: &str, body: &Value, expected: &str) {
        let whole = body.to_string();
        let text: String = whole.chars().take(600).collect();
        if code(body) != Some(expected) {
            self.wrong.push(format!("{what}: not {expected}: {text}"));
        }
        let folder = self.app.root().display().to_string();
        let lower = whole.to_lowercase();
        if let Some(word) = INSIDE.into_iter().chain([folder.as_str()]).find(|word| lower.contains(word)) {
            self.wrong.push(format!("{what}: tells {word:?}: {text}"));
        }
    }

    /// A mutation of one input.
    async fn mutation(&mut self, by: &Client, field: &str, input: Value, expected: &str) -> Result<()> {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let kind = if field.starts_with("mark") || field == "archive" { "MarkInput".to_owned() } else { kind };
        let ask = if field == "sendNotifications" { "results { ... on Problem { code message } }" } else { "... on Problem { code message }" };
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ __typename {ask} }} }}");
        let answer = by.ask(&query, json!({ "input": input })).await?;
        let shown: String = input.to_string().chars().take(120).collect();
        self.note(&format!("{field} {shown}"), &answer.body, expected);
        Ok(())
    }

    /// A document without variables.
    async fn document(&mut self, by: &Client, query: &str, expected: &str) -> Result<()> {
        let answer = by.ask(query, Value::Null).await?;
        self.note(&query.chars().take(120).collect::<String>(), &answer.body, expected);
        Ok(())
    }

    /// A request as it is, with the status that it must get.
    async fn request(&mut self, what: &str, request: RequestBuilder, status: u16, expected: &str) -> Result<()> {
        let answer = request.send().await.with_context(|| what.to_owned())?;
        let found = answer.status().as_u16();
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).with_context(|| format!("{what}: {found}, not JSON: {text}"))?;
        self.note(what, &body, expected);
        if found != status {
            self.wrong.push(format!("{what}: {found}, not {status}: {body}"));
        }
        Ok(())
    }

    /// Nothing was wrong, and nothing was recorded.
    async fn end(self) -> Result<()> {
        if !self.wrong.is_empty() {
            bail!("{} of the answers are wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        }
        assert_eq!(self.app.admin.head().await?, self.head, "a refusal changes nothing");
        Ok(())
    }
}

/// A request of one's own making to the GraphQL endpoint.
fn raw(client: &Client, method: Method, query: &str) -> Result<RequestBuilder> {
    Ok(reqwest::Client::builder().no_proxy().build()?.request(method, format!("{}/graphql{query}", client.base())))
}

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

/// A mutation that would record something, were it carried out.
fn registering() -> Vec<u8> {
    json!({ "query": r#"mutation { registerSender(input: { key: "intruder", name: "Intruder" }) { __typename } }"# }).to_string().into_bytes()
}

/// A field within a field within a field.
fn nested(levels: usize) -> String {
    format!(r#"{{ __type(name: "Query") {{ {}name{} }} }}"#, "ofType { ".repeat(levels), " }".repeat(levels))
}

#[tokio::test]
async fn bad_notifications_are_refused_with_their_reason() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let content = |extra: Value| {
        let mut content = json!({ "title": "Hello", "body": "How are you?" });
        if let (Some(content), Some(extra)) = (content.as_object_mut(), extra.as_object()) {
            content.extend(extra.clone());
        }
        json!({ "content": content })
    };
    let cases = [
        (content(json!({ "body": "x".repeat(1_000_001) })), "TOO_LARGE"),
        (content(json!({ "body": "x".repeat(600_000), "html": "y".repeat(600_000) })), "TOO_LARGE"),
        (content(json!({ "body": "" })), "CONTENT_INVALID"),
        (content(json!({ "body": " \n\t" })), "CONTENT_INVALID"),
        (content(json!({ "body": "a\u{0}b" })), "CONTENT_INVALID"),
        (content(json!({ "html": "a\u{0}b" })), "CONTENT_INVALID"),
        (content(json!({ "title": "Hello\r\nBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\nBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\rBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\u{85}there" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\u{0}" })), "INVALID_HEADER"),
        (content(json!({ "collapseKey": "a\r\napns-topic: other" })), "CONTENT_INVALID"),
        (content(json!({ "collapseKey": "k".repeat(65) })), "CONTENT_INVALID"),
        (content(json!({ "collapseKey": "" })), "CONTENT_INVALID"),
        (content(json!({ "data": "[1, 2]" })), "CONTENT_INVALID"),
        (content(json!({ "data": "{\"a\":" })), "CONTENT_INVALID"),
        (content(json!({ "data": "{} {}" })), "CONTENT_INVALID"),
        (content(json!({ "data": format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32)) })), "TOO_DEEP"),
        (json!({ "metadata": format!("{}1{}", "{\"a\":".repeat(9_000), "}".repeat(9_000)) }), "TOO_DEEP"),
        (json!({ "metadata": "no JSON" }), "CONTENT_INVALID"),
        (json!({ "metadata": "\"text\"" }), "CONTENT_INVALID"),
        (json!({ "idempotencyKey": "" }), "IDEMPOTENCY_KEY_INVALID"),
        (json!({ "idempotencyKey": "k".repeat(256) }), "IDEMPOTENCY_KEY_INVALID"),
        (json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "'; DROP TABLE events; --" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "a".repeat(100_000) }), "RECIPIENT_NOT_FOUND"),
        (json!({ "category": "no-such" }), "CATEGORY_NOT_FOUND"),
        (json!({ "category": "../../etc/passwd" }), "CATEGORY_NOT_FOUND"),
        (json!({ "category": "" }), "CATEGORY_NOT_FOUND"),
        (json!({ "channels": [] }), "NO_CHANNELS"),
        (json!({ "channels": ["PIGEON"] }), "BAD_USER_INPUT"),
        (json!({ "channels": [null] }), "BAD_USER_INPUT"),
        (json!({ "priority": "URGENT" }), "BAD_USER_INPUT"),
        (json!({ "priority": 1 }), "BAD_USER_INPUT"),
        (json!({ "content": null }), "BAD_USER_INPUT"),
        (json!({ "content": "text" }), "BAD_USER_INPUT"),
        (json!({ "noSuchField": 1 }), "BAD_USER_INPUT"),
        (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "EXPIRED"),
        (json!({ "expiresAt": "tomorrow" }), "BAD_USER_INPUT"),
        (json!({ "expiresAt": 5 }), "BAD_USER_INPUT"),
    ];
    for (extra, expected) in cases {
        let mut input = json!({ "recipient": "alice", "content": { "title": "Hello", "body": "How are you?" } });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        refusals.mutation(&shop, "sendNotification", input.clone(), expected).await?;
        refusals.mutation(&shop, "sendNotifications", json!({ "items": [input] }), expected).await?;
    }
    let plain = json!({ "recipient": "alice", "content": { "body": "Hello" } });
    refusals.mutation(&shop, "sendNotifications", json!({ "items": vec![plain; 1_001] }), "LIST_TOO_LONG").await?;
    for id in ["", "nonsense", "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23", "' OR 1=1"] {
        refusals.mutation(&shop, "cancelNotification", json!({ "id": id }), "NOT_FOUND").await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn bad_recipients_are_refused_with_their_reason() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let emails = [
        "",
        "alice",
        "alice@",
        "@example.com",
        "alice@localhost",
        "alice@exa mple.com",
        "Alice <alice@example.com>",
        "alice@example.com, bob@example.com",
        "alice@example.com\r\nBcc: eve@example.com",
        "alice\r\n@example.com",
        "alice@example.com\u{0}",
        "alice@[127.0.0.1]",
    ];
    for email in emails {
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "email": email }), "INVALID_EMAIL").await?;
    }
    let many: Vec<String> = (0..500).map(|number| format!("a{number}@example.com")).collect();
    let cases = [
        (json!({ "email": many.join(",") }), "INVALID_EMAIL"),
        (json!({ "email": format!("{}@example.com", "a".repeat(300)) }), "INVALID_EMAIL"),
        (json!({ "email": 5 }), "BAD_USER_INPUT"),
        (json!({ "id": "" }), "INVALID_ID"),
        (json!({ "id": "a".repeat(256) }), "INVALID_ID"),
        (json!({ "id": "bob\r\neve" }), "INVALID_ID"),
        (json!({ "timeZone": "Mars/Olympus_Mons" }), "INVALID_TIME_ZONE"),
        (json!({ "timeZone": "+09:00" }), "INVALID_TIME_ZONE"),
        (json!({ "timeZone": "../../etc/localtime" }), "INVALID_TIME_ZONE"),
        (json!({ "locale": "Korean please" }), "INVALID_LOCALE"),
        (json!({ "locale": "" }), "INVALID_LOCALE"),
        (json!({ "attributes": "[]" }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": "{" }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": format!("{{\"a\":\"{}\"}}", "x".repeat(20_000)) }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": format!("{{\"a\":{}{}}}", "[".repeat(8_000), "]".repeat(8_000)) }), "TOO_DEEP"),
    ];
    for (extra, expected) in cases {
        let mut input = json!({ "id": "alice" });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        refusals.mutation(&shop, "upsertRecipient", input, expected).await?;
    }
    let device = |channel: &str, token: &str| json!({ "recipient": "alice", "channel": channel, "token": token });
    let cases = [
        (device("IOS_PUSH", "zz"), "INVALID_TOKEN"),
        (device("IOS_PUSH", &"a".repeat(63)), "INVALID_TOKEN"),
        (device("IOS_PUSH", &"a".repeat(202)), "INVALID_TOKEN"),
        (device("IOS_PUSH", &format!("{}/../x", "a".repeat(64))), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", ""), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", "with space"), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", "token\r\nx-header: y"), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", &"a".repeat(4_097)), "INVALID_TOKEN"),
        (device("EMAIL", "alice@example.com"), "NOT_A_DEVICE_CHANNEL"),
        (device("PIGEON", "x"), "BAD_USER_INPUT"),
        (json!({ "recipient": "nobody", "channel": "ANDROID_PUSH", "token": "x" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "channel": "ANDROID_PUSH", "token": "x" }), "BAD_USER_INPUT"),
    ];
    for (input, expected) in cases {
        refusals.mutation(&shop, "registerDevice", input, expected).await?;
    }
    refusals.mutation(&shop, "removeDevice", json!({ "recipient": "alice", "device": "no-such" }), "NOT_FOUND").await?;
    refusals.mutation(&shop, "eraseRecipient", json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND").await?;
    for (input, expected) in [
        (json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "alice", "ttlSeconds": 0 }), "INVALID_TTL"),
        (json!({ "recipient": "alice", "ttlSeconds": 86_401 }), "INVALID_TTL"),
    ] {
        refusals.mutation(&shop, "mintRecipientToken", input, expected).await?;
    }
    for (input, expected) in [
        (json!({ "recipient": "nobody", "scope": "ALL", "subscribed": false }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "alice", "scope": "CHANNEL", "subscribed": false }), "SCOPE_INVALID"),
        (json!({ "recipient": "alice", "scope": "ALL", "channel": "EMAIL", "subscribed": false }), "SCOPE_INVALID"),
        (json!({ "recipient": "alice", "scope": "CATEGORY", "category": "no-such", "subscribed": false }), "CATEGORY_NOT_FOUND"),
    ] {
        refusals.mutation(&shop, "setSubscription", input, expected).await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn webhooks_reach_no_private_address_and_no_metadata() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let secret = app.simulators.webhook_secret().await?;
    let mut refusals = Refusals::begin(&app).await?;
    // Only this machine's own addresses are allowed to scenarios.
    let blocked = [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1:8080/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
    ];
    let malformed = [
        "",
        "no URL",
        "/relative",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:25/",
        "https://example.com:22/",
        "https://",
    ];
    let cases = blocked.into_iter().map(|url| (url, "DESTINATION_BLOCKED")).chain(malformed.into_iter().map(|url| (url, "INVALID_URL")));
    for (url, expected) in cases {
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "webhook": { "url": url, "secret": secret } }), expected).await?;
    }
    for secret in ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, but long enough for it"] {
        let webhook = json!({ "url": "https://example.com/hook", "secret": secret });
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "webhook": webhook }), "INVALID_SECRET").await?;
    }
    refusals.end().await
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

#[tokio::test]
async fn bad_administration_is_refused_with_its_reason() -> Result<()> {
    let app = App::start().await?;
    app.sender("shop").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let long = "n".repeat(1_000);
    let cases = [
        ("registerSender", json!({ "key": "Not A Key", "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "", "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "k".repeat(300), "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "other", "name": "" }), "INVALID_NAME"),
        ("registerSender", json!({ "key": "other", "name": "line\nbreak" }), "INVALID_NAME"),
        ("registerSender", json!({ "key": "other", "name": long }), "INVALID_NAME"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER", "sender": "nobody" }), "SENDER_NOT_FOUND"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER" }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "sender": "shop" }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "sandbox": true }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "GOD" }), "BAD_USER_INPUT"),
        ("createApiKey", json!({ "name": "", "role": "ADMINISTRATOR" }), "INVALID_NAME"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER", "sender": "shop", "categories": ["no-such"] }), "CATEGORY_NOT_FOUND"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "expiresAt": "2020-01-01T00:00:00Z" }), "EXPIRED"),
        ("revokeApiKey", json!({ "id": "nonsense" }), "NOT_FOUND"),
        ("revokeApiKey", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" }), "NOT_FOUND"),
        ("defineCategory", json!({ "key": "Not A Key", "name": "x" }), "INVALID_KEY"),
        ("defineCategory", json!({ "key": "other", "name": "" }), "INVALID_CATEGORY"),
        ("defineCategory", json!({ "key": "other", "name": "x", "defaultChannels": [] }), "INVALID_CATEGORY"),
        ("defineCategory", json!({ "key": "other", "name": "x", "description": "d".repeat(1_001) }), "INVALID_CATEGORY"),
    ];
    for (field, input, expected) in cases {
        refusals.mutation(&app.admin, field, input, expected).await?;
    }
    let documents = [
        (r#"mutation { discardDeadLetters(input: { reason: " " }) { count } }"#, "BAD_USER_INPUT"),
        (r#"mutation { discardDeadLetters(input: { reason: "x", ids: ["nonsense"] }) { count } }"#, "BAD_USER_INPUT"),
        ("mutation { redriveDeadLetters(input: { limit: 0 }) { count } }", "BAD_USER_INPUT"),
        ("mutation { redriveDeadLetters(input: { limit: 100000 }) { count } }", "BAD_USER_INPUT"),
        (r#"mutation { rebuildProjection(input: { name: "../log" }) { name } }"#, "NOT_FOUND"),
    ];
    for (query, expected) in documents {
        refusals.document(&app.admin, query, expected).await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn nobody_gets_in_without_a_valid_key() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let now = shop.notification(&sent.id).await?["events"][0]["at"].as_str().context("no moment")?.to_owned();
    let soon = (DateTime::parse_from_rfc3339(&now)? + TimeDelta::seconds(2)).to_rfc3339();
    let short = app.key(json!({ "name": "short", "role": "SENDER", "sender": "shop", "expiresAt": soon })).await?;
    let input = json!({ "name": "revoked", "role": "SENDER", "sender": "shop" });
    let made = app.admin.mutate("createApiKey", "CreateApiKeyInput", "... on ApiKeyCreated { secret apiKey { id } }", input).await?;
    let revoked = shop.with(made["secret"].as_str().context("no secret")?);
    let phone = shop
        .mutate("mintRecipientToken", "MintRecipientTokenInput", "... on RecipientToken { token }", json!({ "recipient": "alice", "ttlSeconds": 1 }))
        .await?;
    let phone = shop.with(phone["token"].as_str().context("no token")?);
    // Used once, so that the server has it at hand when it is revoked.
    revoked.query("{ categories { key } }", json!({})).await?;
    app.admin.mutate("revokeApiKey", "RevokeApiKeyInput", "", json!({ "id": made["apiKey"]["id"] })).await?;
    for client in [&short, &phone] {
        until("the credential has expired", async || Ok((client.ask("{ categories { key } }", json!({})).await?.status == 401).then_some(()))).await?;
    }

    let mut refusals = Refusals::begin(&app).await?;
    let other_letter = |text: &str| {
        let mut text = text.to_owned();
        let end = text.pop();
        text.push(if end == Some('a') { 'b' } else { 'a' });
        text
    };
    let valid = shop.credential();
    let forged = [
        String::new(),
        "garbage".to_owned(),
        "x".repeat(5_000),
        other_letter(valid),
        valid[..valid.len() - 1].to_owned(),
        format!("{valid}a"),
        valid.to_uppercase(),
        other_letter(phone.credential()),
        "' OR 1=1 --".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.".to_owned(),
    ];
    for credential in forged {
        let client = shop.with(&credential);
        for query in ["{ categories { key } }", "{ __schema { types { name } } }", "{ noSuchField }"] {
            let answer = client.ask(query, json!({})).await?;
            refusals.note(&format!("{credential:.20} {query}"), &answer.body, "UNAUTHENTICATED");
            assert_eq!(answer.status, 401, "{credential:.20} {query}");
        }
        let input = json!({ "recipient": "alice", "content": { "body": "Hello" } });
        refusals.mutation(&client, "sendNotification", input, "UNAUTHENTICATED").await?;
    }
    let none = || -> Result<RequestBuilder> { Ok(raw(&app.admin, Method::POST, "")?.header(CONTENT_TYPE, JSON).body(registering())) };
    refusals.request("no credential", none()?, 401, "UNAUTHENTICATED").await?;
    refusals.request("another scheme", none()?.header("authorization", "Basic YTpi"), 401, "UNAUTHENTICATED").await?;
    for client in [&short, &revoked] {
        let input = json!({ "recipient": "alice", "content": { "body": "Hello" } });
        refusals.mutation(client, "sendNotification", input, "KEY_REVOKED").await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn nobody_does_what_is_for_another_role() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.recipient(&shop, "bob").await?;
    let phone = shop.as_recipient("alice").await?;
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": "orders", "name": "Orders" })).await?;
    let scoped = app.key(json!({ "name": "scoped", "role": "SENDER", "sender": "shop", "categories": ["orders"] })).await?;
    let mut refusals = Refusals::begin(&app).await?;
    let send = json!({ "recipient": "alice", "content": { "body": "Hello" } });
    let administration = [
        ("registerSender", json!({ "key": "intruder", "name": "Intruder" })),
        ("createApiKey", json!({ "name": "mine", "role": "ADMINISTRATOR" })),
        ("revokeApiKey", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" })),
        ("defineCategory", json!({ "key": "mine", "name": "Mine" })),
    ];
    for (field, input) in administration {
        for client in [&shop, &phone] {
            refusals.mutation(client, field, input.clone(), "FORBIDDEN").await?;
        }
    }
    let documents = [
        "mutation { redriveDeadLetters(input: {}) { count } }",
        r#"mutation { discardDeadLetters(input: { reason: "x" }) { count } }"#,
        r#"mutation { rebuildProjection(input: { name: "registry" }) { name } }"#,
        "{ apiKeys { name } }",
        "{ senders { key } }",
        "{ deadLetters { id } }",
        r#"{ unreadCount(recipient: "bob") }"#,
    ];
    for query in documents {
        for client in [&shop, &phone] {
            refusals.document(client, query, "FORBIDDEN").await?;
        }
    }
    for client in [&app.admin, &phone] {
        refusals.mutation(client, "sendNotification", send.clone(), "FORBIDDEN").await?;
        refusals.mutation(client, "sendNotifications", json!({ "items": [send] }), "FORBIDDEN").await?;
    }
    for client in [&app.admin, &shop] {
        for field in ["markSeen", "markRead", "archive"] {
            let query = format!("mutation {{ {field}(input: {{ ids: [] }}) {{ position }} }}");
            refusals.document(client, &query, "FORBIDDEN").await?;
        }
    }
    let staff = [
        ("upsertRecipient", json!({ "id": "alice", "email": "eve@example.com" })),
        ("eraseRecipient", json!({ "recipient": "bob" })),
        ("mintRecipientToken", json!({ "recipient": "bob" })),
        ("cancelNotification", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" })),
        ("setSubscription", json!({ "recipient": "bob", "scope": "ALL", "subscribed": false })),
        ("registerDevice", json!({ "recipient": "bob", "channel": "ANDROID_PUSH", "token": "eve" })),
        ("removeDevice", json!({ "recipient": "bob", "device": "android:bob" })),
    ];
    for (field, input) in staff {
        refusals.mutation(&phone, field, input, "FORBIDDEN").await?;
    }
    for query in [
        r#"{ notifications(recipient: "bob") { edges { cursor } } }"#,
        r#"{ recipient(id: "bob") { id } }"#,
        r#"{ subscription(recipient: "bob") { allOff } }"#,
    ] {
        refusals.document(&phone, query, "FORBIDDEN").await?;
    }
    refusals.mutation(&scoped, "sendNotification", send.clone(), "CATEGORY_FORBIDDEN").await?;
    refusals.mutation(&scoped, "sendNotifications", json!({ "items": [send] }), "CATEGORY_FORBIDDEN").await?;
    refusals.end().await?;
    scoped.send("alice", json!({ "category": "orders", "channels": ["IN_APP"] })).await?;
    Ok(())
}

#[tokio::test]
async fn another_senders_notification_is_as_if_it_were_not_there() -> Result<()> {
    let app = App::start().await?;
    let (shop, game) = (app.sender("shop").await?, app.sender("game").await?);
    app.recipient(&shop, "alice").await?;
    app.recipient(&shop, "bob").await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"], "idempotencyKey": "order-1" })).await?;
    let bob = shop.as_recipient("bob").await?;
    let head = app.admin.head().await?;
    let absent = "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23";
    for client in [&game, &bob] {
        assert_eq!(client.notification(&sent.id).await?, Value::Null);
        assert_eq!(client.notification(absent).await?, Value::Null);
    }
    let cancel = async |id: &str| game.attempt("cancelNotification", "CancelNotificationInput", "", json!({ "id": id })).await;
    assert_eq!(cancel(&sent.id).await?, cancel(absent).await?, "the answer does not tell which of them exists");
    let list = format!(r#"{{ notifications(recipient: "alice", atLeastPosition: "{}") {{ edges {{ node {{ id }} }} }} }}"#, sent.position);
    assert_eq!(game.query(&list, json!({})).await?["notifications"]["edges"], json!([]));
    let marking = format!(r#"mutation {{ markRead(input: {{ ids: ["{}"] }}) {{ notifications {{ id }} }} }}"#, sent.id);
    assert_eq!(bob.query(&marking, json!({})).await?["markRead"]["notifications"], json!([]));
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}
