//! A sandbox key runs everything but the call of a provider, and nobody is disturbed by it.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::live::Live;
use tests::{App, Client};

const EVERY_CHANNEL: [&str; 5] = ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK", "IN_APP"];

/// A sender with a recipient, and a second key of the sender's that only rehearses.
async fn rehearsing(app: &App) -> Result<(Client, Client)> {
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sandbox = app.key(json!({ "name": "rehearsal", "role": "SENDER", "sender": "shop", "sandbox": true })).await?;
    Ok((shop, sandbox))
}

/// Ids of a page of notifications.
fn ids(page: &Value) -> Vec<&str> {
    page["edges"].as_array().into_iter().flatten().filter_map(|edge| edge["node"]["id"].as_str()).collect()
}

#[tokio::test]
async fn a_rehearsal_runs_to_its_end_without_any_call() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    let sent = sandbox.send("alice", json!({ "channels": EVERY_CHANNEL })).await?;
    let notification = sandbox.await_status(&sent.id, "sent").await?;
    assert_eq!(notification["sandbox"], true);
    let deliveries = notification["deliveries"].as_array().context("no deliveries")?;
    assert_eq!(deliveries.len(), 5, "{notification:#}");
    assert!(deliveries.iter().all(|delivery| delivery["status"] == "sent"), "{notification:#}");
    let events = notification["events"].as_array().context("no events")?;
    let attempts: Vec<&str> = events.iter().filter(|event| event["type"] == "AttemptStarted").filter_map(|event| event["payload"].as_str()).collect();
    assert_eq!(attempts.len(), 4, "{notification:#}");
    assert!(attempts.iter().all(|payload| payload.contains(r#""provider":"sandbox""#)), "the story says who was called: {attempts:?}");
    // A real one afterwards: a call of the rehearsal would have come before these.
    let real = shop.send("alice", json!({ "channels": EVERY_CHANNEL })).await?;
    app.simulators.await_calls(&real.id, 4).await?;
    assert!(app.simulators.calls_for(&sent.id).await?.is_empty());
    assert_eq!(app.simulators.ledger().await?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_is_in_nobodys_history() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    let rehearsed = sandbox.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let real = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let phone = shop.as_recipient("alice").await?;
    let position = &real.position;
    for field in ["notifications", "missedNotifications"] {
        let query = format!(r#"{{ {field}(atLeastPosition: "{position}") {{ edges {{ node {{ id }} }} }} }}"#);
        assert_eq!(ids(&phone.query(&query, json!({})).await?[field]), [real.id.as_str()], "{field}");
    }
    let unread = phone.query(&format!(r#"{{ unreadCount(atLeastPosition: "{position}") }}"#), json!({})).await?;
    assert_eq!(unread["unreadCount"], 1);
    let query = format!(r#"{{ notifications(recipient: "alice", atLeastPosition: "{position}") {{ edges {{ node {{ id }} }} }} }}"#);
    for staff in [&shop, &app.admin] {
        assert_eq!(ids(&staff.query(&query, json!({})).await?["notifications"]), [real.id.as_str()]);
    }
    let direct = phone.notification(&rehearsed.id).await?;
    assert_eq!(direct, Value::Null, "not even by its id");
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_does_not_appear_live() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    let before = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let phone = shop.as_recipient("alice").await?;
    let query = "subscription($after: Position) { notificationFeed(after: $after) { ... on NotificationArrived { notification { id } } } }";
    let mut live = Live::subscribe(&phone, query, json!({ "after": before.position })).await?;
    sandbox.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let real = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let mut heard = Vec::new();
    while heard.last() != Some(&real.id) {
        let item = live.next().await?;
        heard.push(item["notificationFeed"]["notification"]["id"].as_str().with_context(|| format!("no id: {item}"))?.to_owned());
    }
    // The first may or may not be after the position of its own acceptance.
    heard.retain(|id| *id != before.id);
    assert_eq!(heard, [real.id]);
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_is_decided_as_the_real_one_would_be() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    shop.subscribe_channel("alice", "EMAIL", false).await?;
    let mut decided = Vec::new();
    for client in [&shop, &sandbox] {
        let sent = client.send("alice", json!({ "channels": ["EMAIL", "WEBHOOK"] })).await?;
        let notification = client.await_status(&sent.id, "sent").await?;
        decided.push((notification["suppressions"].clone(), notification["deliveries"][0]["channel"].clone()));
    }
    assert_eq!(decided[0], decided[1]);
    assert_eq!(decided[1].0, json!([{ "channel": "EMAIL", "rule": "opted_out_of_channel" }]));
    let refused = sandbox.attempt_send("nobody", json!({})).await?;
    assert_eq!(refused["code"], "RECIPIENT_NOT_FOUND", "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_rehearsed_key_does_not_swallow_the_real_notification() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    let order = json!({ "channels": ["WEBHOOK"], "idempotencyKey": "order-1" });
    let rehearsed = sandbox.send("alice", order.clone()).await?;
    let again = sandbox.send("alice", order.clone()).await?;
    assert_eq!((&again.id, again.duplicate), (&rehearsed.id, true));
    let real = shop.send("alice", order).await?;
    assert_ne!(real.id, rehearsed.id);
    assert!(!real.duplicate);
    app.simulators.await_calls(&real.id, 1).await?;
    Ok(())
}

#[tokio::test]
async fn real_and_rehearsed_notifications_cannot_be_cancelled_across() -> Result<()> {
    let app = App::start().await?;
    let (shop, sandbox) = rehearsing(&app).await?;
    let (rehearsed, real) = (sandbox.send("alice", json!({})).await?, shop.send("alice", json!({})).await?);
    for (client, id) in [(&sandbox, &real.id), (&shop, &rehearsed.id)] {
        let refused = client.attempt("cancelNotification", "CancelNotificationInput", "", json!({ "id": id })).await?;
        assert_eq!(refused["code"], "NOT_FOUND", "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_goes_on_while_every_provider_is_down() -> Result<()> {
    let app = App::start().await?;
    let (_, sandbox) = rehearsing(&app).await?;
    for provider in ["fcm", "apns", "smtp", "webhook"] {
        app.simulators.rule(provider, json!("outage")).await?;
    }
    let sent = sandbox.send("alice", json!({ "channels": EVERY_CHANNEL })).await?;
    let notification = sandbox.await_status(&sent.id, "sent").await?;
    assert!(notification["deliveries"].as_array().context("none")?.iter().all(|delivery| delivery["status"] == "sent"), "{notification:#}");
    assert!(app.simulators.ledger().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_sandbox_key_does_nothing_to_a_person_that_takes_effect() -> Result<()> {
    let app = App::start().await?;
    let (_, sandbox) = rehearsing(&app).await?;
    let head = app.admin.head().await?;
    let mutations = [
        ("eraseRecipient", "EraseRecipientInput", json!({ "recipient": "alice" })),
        ("mintRecipientToken", "MintRecipientTokenInput", json!({ "recipient": "alice" })),
        ("upsertRecipient", "UpsertRecipientInput", json!({ "id": "alice", "email": "mallory@example.com" })),
        ("registerDevice", "RegisterDeviceInput", json!({ "recipient": "alice", "channel": "ANDROID_PUSH", "token": "mallorys" })),
        ("removeDevice", "RemoveDeviceInput", json!({ "recipient": "alice", "device": "android:alice" })),
        ("setSubscription", "SetSubscriptionInput", json!({ "recipient": "alice", "scope": "ALL", "subscribed": false })),
    ];
    for (field, kind, input) in mutations {
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ __typename }} }}");
        let answer = sandbox.ask(&query, json!({ "input": input })).await?;
        assert_eq!(answer.code()?, "FORBIDDEN", "{field}");
    }
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}
