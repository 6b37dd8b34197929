//! What arrives is what was sent: content, identifiers, headers.

use anyhow::{Context, Result, bail};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{App, Client};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const TITLE: &str = "주문이 도착했어요 🚚";
const BODY: &str = "봉수님, 주문 42번을 문 앞에 두었습니다. = 100% 완료 🎉";
const HTML: &str = "<p>봉수님, <b>주문 42번</b> 🎉</p>";

/// Sends the sample over one channel with whatever else is wanted.
async fn send(shop: &Client, channel: &str, content: Value) -> Result<String> {
    let mut whole = json!({ "title": TITLE, "body": BODY });
    if let (Some(whole), Some(content)) = (whole.as_object_mut(), content.as_object()) {
        whole.extend(content.clone());
    }
    let sent = shop.send("alice", json!({ "channels": [channel], "content": whole })).await?;
    shop.await_status(&sent.id, "sent").await?;
    Ok(sent.id)
}

/// The one message that a provider got, as text.
async fn raw(app: &App, provider: &str) -> Result<String> {
    let messages = app.simulators.messages(provider).await?;
    let [message] = messages.as_slice() else { bail!("not one message: {messages:?}") };
    message["raw"].as_str().map(ToOwned::to_owned).context("no body")
}

async fn body(app: &App, provider: &str) -> Result<Value> {
    Ok(serde_json::from_str(&raw(app, provider).await?)?)
}

#[tokio::test]
async fn an_android_push_carries_content_data_and_identifiers() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let id = send(&shop, "ANDROID_PUSH", json!({ "data": "{\"order\":\"사십이\",\"count\":2}", "collapseKey": "order-42" })).await?;
    let message = body(&app, "fcm").await?["message"].clone();
    assert_eq!(message["token"], "android:alice");
    assert_eq!(message["notification"], json!({ "title": TITLE, "body": BODY }));
    // FCM's data are texts, whatever the sender's values were.
    assert_eq!(message["data"], json!({ "nid": id, "delivery": "0", "attempt": "1", "order": "사십이", "count": "2" }), "{message:#}");
    assert_eq!((&message["android"]["collapse_key"], &message["android"]["notification"]["tag"]), (&json!("order-42"), &json!("order-42")));
    Ok(())
}

#[tokio::test]
async fn an_android_push_says_how_urgent_it_is_and_how_long_it_is_worth_something() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    for (priority, wanted) in [("LOW", "normal"), ("NORMAL", "normal"), ("HIGH", "high"), ("CRITICAL", "high")] {
        let extra = json!({ "channels": ["ANDROID_PUSH"], "priority": priority, "expiresAt": "2100-01-01T00:00:00Z" });
        let sent = shop.send("alice", extra).await?;
        shop.await_status(&sent.id, "sent").await?;
        let messages = app.simulators.messages("fcm").await?;
        let message: Value = serde_json::from_str(messages.last().and_then(|message| message["raw"].as_str()).context("no message")?)?;
        assert_eq!(message["message"]["data"]["nid"], sent.id.as_str());
        let android = &message["message"]["android"];
        // Four weeks is the most that FCM keeps.
        assert_eq!((&android["priority"], &android["ttl"]), (&json!(wanted), &json!("2419200s")), "{priority}: {android:#}");
    }
    Ok(())
}

#[tokio::test]
async fn an_apple_push_carries_content_data_and_identifiers() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let id = send(&shop, "IOS_PUSH", json!({ "data": "{\"order\":\"사십이\",\"count\":2}", "collapseKey": "order-42" })).await?;
    let message = body(&app, "apns").await?;
    assert_eq!(message["aps"]["alert"], json!({ "title": TITLE, "body": BODY }));
    assert_eq!((&message["nid"], &message["delivery"], &message["attempt"]), (&json!(id), &json!(0), &json!(1)), "{message:#}");
    assert_eq!((&message["order"], &message["count"]), (&json!("사십이"), &json!(2)), "{message:#}");
    // Its headers are not kept, yet checked as Apple does: what does not fit is refused.
    let calls = app.simulators.calls_for(&id).await?;
    assert_eq!((calls.len(), &calls[0]["status"]), (1, &json!(200)), "{calls:?}");
    Ok(())
}

/// Headers in lower case, and the rest.
fn split(message: &str) -> Result<(BTreeMap<String, String>, &str)> {
    let (head, body) = message.split_once("\r\n\r\n").context("no empty line")?;
    // Folded lines belong to the one before.
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    Ok((headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect(), body))
}

/// Undoes quoted-printable or base64.
fn decode(headers: &BTreeMap<String, String>, body: &str) -> Result<String> {
    match headers.get("content-transfer-encoding").map(String::as_str) {
        Some("base64") => Ok(String::from_utf8(STANDARD.decode(body.replace("\r\n", ""))?)?),
        Some("quoted-printable") => Ok(String::from_utf8(unquoted(&body.replace("=\r\n", ""))?)?),
        other => bail!("encoded as {other:?}"),
    }
}

fn unquoted(text: &str) -> Result<Vec<u8>> {
    let mut parts = text.split('=');
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().bytes().collect();
    for part in parts {
        let code = part.get(..2).with_context(|| format!("cut short: {part}"))?;
        bytes.push(u8::from_str_radix(code, 16)?);
        bytes.extend(part[2..].bytes());
    }
    Ok(bytes)
}

/// Undoes the encoded words of a header (RFC 2047, base64 form), with the white space between two of them.
fn words(header: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut last_encoded = false;
    for word in header.split_inclusive(' ') {
        let inner = word.trim().strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        match inner {
            Some(inner) => bytes.extend(STANDARD.decode(inner)?),
            None if last_encoded && word.trim().is_empty() => {}
            None => bytes.extend(word.bytes()),
        }
        last_encoded = inner.is_some();
    }
    Ok(String::from_utf8(bytes)?)
}

#[tokio::test]
async fn a_mail_has_text_and_html_and_says_that_no_person_wrote_it() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let id = send(&shop, "EMAIL", json!({ "html": HTML })).await?;
    let mail = raw(&app, "smtp").await?;
    assert!(mail.is_ascii(), "{mail}");
    let (headers, whole) = split(&mail)?;
    let header = |name: &str| headers.get(name).map(String::as_str).with_context(|| format!("no {name}: {headers:?}"));
    // Deliveries are counted from 0.
    assert_eq!(header("message-id")?, format!("<{id}.0@example.com>"));
    assert_eq!((header("auto-submitted")?, header("to")?), ("auto-generated", "alice@example.com"));
    assert_eq!((header("x-bongsu-notification")?, header("x-bongsu-delivery")?, header("x-bongsu-attempt")?), (id.as_str(), "0", "1"));
    assert!(header("from")?.contains("<notify@example.com>") && header("date").is_ok(), "{headers:?}");
    assert_eq!(words(header("subject")?)?, TITLE);

    let kind = header("content-type")?;
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    let boundary = kind.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).with_context(|| format!("no boundary: {kind}"))?;
    let parts: Vec<&str> = whole.split(&format!("--{boundary}")).collect();
    let [_, text, html, end] = parts.as_slice() else { bail!("not two parts: {mail}") };
    assert_eq!(end.trim(), "--");
    // The last alternative is the best one (RFC 2046): HTML after text.
    for (part, kind, wanted) in [(text, "text/plain", BODY), (html, "text/html", HTML)] {
        let (headers, body) = split(part.trim_start_matches("\r\n"))?;
        assert!(headers["content-type"].starts_with(kind) && headers["content-type"].contains("utf-8"), "{headers:?}");
        assert_eq!(decode(&headers, body.trim_end_matches("\r\n"))?, wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_without_html_is_one_part_and_keeps_lines_that_could_end_it() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    // A line of one dot ends a mail in SMTP, and «From » at a line's start was a separator in mailboxes.
    let tricky = "first\n.\nFrom here\n..\nQUIT\nlast";
    send(&shop, "EMAIL", json!({ "title": "Plain", "body": tricky })).await?;
    let mail = raw(&app, "smtp").await?;
    let (headers, body) = split(&mail)?;
    assert!(headers["content-type"].starts_with("text/plain"), "{headers:?}");
    assert_eq!(headers["subject"], "Plain");
    assert_eq!(decode(&headers, body.trim_end_matches("\r\n"))?, tricky.replace('\n', "\r\n"));
    Ok(())
}

/// What a receiver of webhooks got.
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Takes one call and answers it.
///
/// The simulator checks signatures itself but shows no headers; and whoever wrote both sides could be wrong on both.
async fn receive(listener: &TcpListener, status: &str) -> Result<Request> {
    let (socket, _) = tokio::time::timeout(tests::wait::PATIENCE, listener.accept()).await.context("nobody called")??;
    let mut socket = BufReader::new(socket);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? <= 2 {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let headers: BTreeMap<String, String> =
        head.iter().skip(1).filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut body = vec![0; headers.get("content-length").context("no length")?.parse()?];
    socket.read_exact(&mut body).await?;
    socket.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    socket.shutdown().await?;
    Ok(Request { line: head.first().cloned().unwrap_or_default(), headers, body })
}

/// Checks a call by the specification of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`.
fn check_signature(request: &Request, secret: &str) -> Result<()> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").context("no secret")?)?;
    let mut signed = format!("{}.{}.", request.headers["webhook-id"], request.headers["webhook-timestamp"]).into_bytes();
    signed.extend(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed)));
    assert!(request.headers["webhook-signature"].split(' ').any(|one| one == expected), "{:?}", request.headers);
    Ok(())
}

#[tokio::test]
async fn a_webhook_is_signed_by_standard_webhooks_and_repeats_itself_to_the_letter() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/alice?from=shop", listener.local_addr()?);
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    shop.upsert_recipient(json!({ "id": "alice", "webhook": { "url": url, "secret": secret } })).await?;
    let content = json!({ "title": TITLE, "body": BODY, "data": "{\"order\":\"사십이\",\"count\":2}" });
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"], "content": content })).await?;

    let first = receive(&listener, "500 Internal Server Error").await?;
    let second = receive(&listener, "204 No Content").await?;
    shop.await_status(&sent.id, "sent").await?;
    for (request, attempt) in [(&first, "1"), (&second, "2")] {
        assert_eq!(request.line, "POST /hooks/alice?from=shop HTTP/1.1");
        assert_eq!((request.headers["content-type"].as_str(), request.headers["bongsu-attempt"].as_str()), ("application/json", attempt));
        check_signature(request, secret)?;
    }
    assert_eq!((&first.headers["webhook-id"], &first.body), (&second.headers["webhook-id"], &second.body));
    assert_eq!(first.headers["webhook-id"], format!("msg_{}_0", sent.id.replace('-', "")));
    let body: Value = serde_json::from_slice(&first.body)?;
    assert_eq!((&body["id"], &body["title"], &body["body"]), (&json!(sent.id), &json!(TITLE), &json!(BODY)), "{body:#}");
    assert_eq!(body["data"], json!({ "order": "사십이", "count": 2 }));
    Ok(())
}

#[tokio::test]
async fn a_redirect_of_a_webhook_is_not_followed() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let elsewhere = app.simulators.webhook("elsewhere")?;
    let secret = app.simulators.webhook_secret().await?;
    shop.upsert_recipient(json!({ "id": "alice", "webhook": { "url": format!("http://{}/", listener.local_addr()?), "secret": secret } })).await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    receive(&listener, &format!("302 Found\r\nlocation: {elsewhere}")).await?;
    receive(&listener, "200 OK").await?;
    shop.await_status(&sent.id, "sent").await?;
    assert_eq!(app.simulators.calls_for(&sent.id).await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn an_apple_push_of_any_urgency_with_an_end_is_taken_at_once() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    // The end is further away than Apple's own number can tell.
    for priority in ["LOW", "NORMAL", "HIGH", "CRITICAL"] {
        let extra = json!({ "channels": ["IOS_PUSH"], "priority": priority, "expiresAt": "2200-01-01T00:00:00Z" });
        let sent = shop.send("alice", extra).await?;
        let notification = shop.await_status(&sent.id, "sent").await?;
        assert_eq!(notification["deliveries"][0]["attempts"], 1, "{notification:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_title_cannot_smuggle_a_header_into_a_mail() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let content = json!({ "title": "Hello\r\nBcc: mallory@example.com", "body": "Hello" });
    let answer = shop.attempt_send("alice", json!({ "channels": ["EMAIL"], "content": content })).await?;
    assert_eq!(answer["code"], "INVALID_HEADER", "{answer}");
    assert_eq!(app.simulators.messages("smtp").await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn a_text_too_long_for_a_push_fails_there_and_goes_by_mail_whole() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let long = "길".repeat(2_000);
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH", "IOS_PUSH", "EMAIL"], "content": { "title": "Long", "body": long } })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let notification = tests::until("nothing is owed any more", async || {
        let notification = shop.notification(&sent.id).await?;
        let over = notification["deliveries"].as_array().into_iter().flatten().all(|delivery| delivery["status"] == "sent" || delivery["status"] == "failed");
        Ok(over.then_some(notification))
    })
    .await?;
    let statuses: BTreeMap<&str, &str> = notification["deliveries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|delivery| Some((delivery["channel"].as_str()?, delivery["status"].as_str()?)))
        .collect();
    assert_eq!(statuses, BTreeMap::from([("ANDROID_PUSH", "failed"), ("IOS_PUSH", "failed"), ("EMAIL", "sent")]), "{notification:#}");
    let mail = raw(&app, "smtp").await?;
    let (headers, body) = split(&mail)?;
    assert_eq!(decode(&headers, body)?, long);
    Ok(())
}
