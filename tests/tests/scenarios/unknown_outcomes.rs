//! The message went out and no answer came: it may have arrived. Each channel has one rule for it.
//!
//! The simulators deliver and close the connection without a word, so that the ledger shows what the server cannot
//! know.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// The payloads of the events of a type, in order.
fn told(notification: &Value, kind: &str) -> Result<Vec<Value>> {
    let events = notification["events"].as_array().with_context(|| format!("no events: {notification:#}"))?;
    let of_kind = events.iter().filter(|event| event["type"] == kind);
    of_kind.map(|event| serde_json::from_str(event["payload"].as_str().context("no payload")?).map_err(Into::into)).collect()
}

/// Sends over one channel whose first attempt is delivered without an answer; gives the two calls.
async fn repeated(app: &App, shop: &Client, channel: &str) -> Result<(Value, Vec<Value>)> {
    let sent = shop.send("alice", json!({ "channels": [channel] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!(calls.iter().map(|call| &call["verdict"]).collect::<Vec<_>>(), ["dropped", "accepted"], "{calls:?}");
    assert!(calls.iter().all(|call| call["delivered"] == true), "{calls:?}");
    assert_eq!(calls[1]["duplicate"], true, "{calls:?}");

    // The story says that the first attempt is unknown, not failed, and marks the repeat.
    assert_eq!(told(&notification, "AttemptFailed")?, Vec::<Value>::new());
    let unknown = told(&notification, "AttemptUnknown")?;
    assert_eq!(unknown.iter().map(|event| &event["attempt"]).collect::<Vec<_>>(), [1], "{unknown:?}");
    assert!(unknown.iter().all(|event| event["code"].as_str().is_some_and(|code| !code.is_empty())), "{unknown:?}");
    assert_eq!(told(&notification, "RetryScheduled")?[0]["after_unknown"], true, "{notification:#}");
    let started = told(&notification, "AttemptStarted")?;
    assert_eq!(started.iter().map(|event| event["after_unknown"] == true).collect::<Vec<_>>(), [false, true], "{started:?}");
    assert_eq!(told(&notification, "Sent")?[0]["attempt"], 2, "{notification:#}");
    Ok((notification, calls))
}

async fn bodies(app: &App, provider: &str) -> Result<Vec<Value>> {
    let messages = app.simulators.messages(provider).await?;
    messages.iter().map(|message| serde_json::from_str(message["raw"].as_str().context("no body")?).map_err(Into::into)).collect()
}

#[tokio::test]
async fn an_android_push_is_repeated_in_the_place_of_the_first() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    shop.register_device("alice", "ANDROID_PUSH", "drop-alice").await?;
    let (notification, _) = repeated(&app, &shop, "ANDROID_PUSH").await?;
    let bodies = bodies(&app, "fcm").await?;
    for body in &bodies {
        let android = &body["message"]["android"];
        // Whichever of them came last is the one that is shown; the app tells them by `nid`.
        assert_eq!((&android["collapse_key"], &android["notification"]["tag"]), (&notification["id"], &notification["id"]), "{body:#}");
        assert_eq!(body["message"]["data"]["nid"], notification["id"], "{body:#}");
    }
    assert_eq!(bodies.iter().map(|body| &body["message"]["data"]["attempt"]).collect::<Vec<_>>(), ["1", "2"]);
    Ok(())
}

#[tokio::test]
async fn an_apple_push_is_repeated_with_the_same_notification_id() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    shop.register_device("alice", "IOS_PUSH", &format!("{:0<64}", "d60000")).await?;
    let (notification, _) = repeated(&app, &shop, "IOS_PUSH").await?;
    let bodies = bodies(&app, "apns").await?;
    assert!(bodies.iter().all(|body| body["nid"] == notification["id"]), "{bodies:?}");
    assert_eq!(bodies.iter().map(|body| &body["attempt"]).collect::<Vec<_>>(), [1, 2]);
    Ok(())
}

#[tokio::test]
async fn a_webhook_is_repeated_with_the_same_id_and_the_same_bytes() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let webhook = json!({ "url": app.simulators.webhook("drop/alice")?, "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "webhook": webhook })).await?;
    let (_, calls) = repeated(&app, &shop, "WEBHOOK").await?;
    // The receiver gives the `webhook-id` back as its own id.
    assert_eq!((&calls[0]["provider_id"], &calls[0]["body_sha256"]), (&calls[1]["provider_id"], &calls[1]["body_sha256"]), "{calls:?}");
    assert!(calls[0]["provider_id"].as_str().is_some_and(|id| id.starts_with("msg_")), "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn a_mail_is_repeated_once_with_the_same_message_id() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "drop@example.com" })).await?;
    let (_, calls) = repeated(&app, &shop, "EMAIL").await?;
    assert!(calls[0]["message_id"].is_string(), "{calls:?}");
    assert_eq!(calls[0]["message_id"], calls[1]["message_id"], "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn a_mail_whose_repeat_is_unknown_too_is_left_to_a_person() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "drop9@example.com" })).await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    let notification = shop.await_status(&sent.id, "dead_lettered").await?;
    assert_eq!(told(&notification, "AttemptUnknown")?.len(), 2, "{notification:#}");
    assert_eq!(told(&notification, "DeadLettered")?[0]["unknown"], true, "{notification:#}");
    assert_eq!(app.simulators.calls_for(&sent.id).await?.len(), 2);
    let letter = tests::until("the letter is listed", async || {
        let data = app.admin.query("{ deadLetters { unknown attempts } }", json!({})).await?;
        Ok(data["deadLetters"].get(0).cloned())
    })
    .await?;
    assert_eq!(letter, json!({ "unknown": true, "attempts": 2 }));
    let listed = app.run(&["dlq", "list"]).await?;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("may have been delivered"), "{listed:?}");
    Ok(())
}

#[tokio::test]
async fn a_push_that_stays_unknown_uses_up_its_attempts_and_says_so() -> Result<()> {
    let app = App::with("[delivery.retry.android_push]\nfirst = \"50ms\"\nlongest = \"100ms\"\nattempts = 3\n").await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("accept_then_drop")).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let notification = shop.await_status(&sent.id, "dead_lettered").await?;
    let letter = &told(&notification, "DeadLettered")?[0];
    assert_eq!((&letter["attempts"], &letter["unknown"]), (&json!(3), &json!(true)), "{letter:#}");
    assert_eq!(app.simulators.calls_for(&sent.id).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn what_surely_did_not_arrive_is_failed_and_not_unknown() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    // Nobody listens there: no connection, so nothing was sent.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let webhook = json!({ "url": format!("http://{nobody}/hooks"), "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "webhook": webhook })).await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    let notification = tests::until("the first attempt failed", async || {
        let notification = shop.notification(&sent.id).await?;
        Ok((!told(&notification, "AttemptFailed")?.is_empty()).then_some(notification))
    })
    .await?;
    assert_eq!(told(&notification, "AttemptFailed")?[0]["code"], "no connection", "{notification:#}");
    assert_eq!(told(&notification, "AttemptUnknown")?, Vec::<Value>::new());
    Ok(())
}
