//! What is tried again, when, and what is not.

use anyhow::{Context, Result};
use chrono::DateTime;
use serde_json::{Value, json};
use tests::{App, Client};

/// Milliseconds since the epoch of a moment in an answer or in the ledger.
fn millis(moment: &Value) -> Result<i64> {
    let text = moment.as_str().with_context(|| format!("no moment: {moment}"))?;
    Ok(DateTime::parse_from_rfc3339(text)?.timestamp_millis())
}

fn count(story: &[String], event: &str) -> usize {
    story.iter().filter(|told| *told == event).count()
}

/// The first delivery once it waits for a moment; and how long after the first event it is due.
async fn await_waiting(client: &Client, id: &str) -> Result<(Value, i64)> {
    let notification = tests::until(&format!("{id} waits"), async || {
        let notification = client.notification(id).await?;
        Ok((notification["deliveries"][0]["status"] == "waiting").then_some(notification))
    })
    .await?;
    let pause = millis(&notification["deliveries"][0]["dueAt"])? - millis(&notification["events"][0]["at"])?;
    Ok((notification, pause))
}

#[tokio::test]
async fn an_android_push_that_fails_twice_is_sent_by_the_third_attempt() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    shop.register_device("alice", "ANDROID_PUSH", "flaky2-alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 3, "{notification:#}");
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!(calls.iter().map(|call| &call["status"]).collect::<Vec<_>>(), [503, 503, 200], "{calls:?}");
    assert_eq!(calls.iter().map(|call| &call["attempt"]).collect::<Vec<_>>(), [1, 2, 3], "{calls:?}");
    let story = shop.story(&sent.id).await?;
    assert_eq!((count(&story, "AttemptFailed"), count(&story, "RetryScheduled"), count(&story, "Sent")), (2, 2, 1), "{story:?}");
    Ok(())
}

#[tokio::test]
async fn an_apple_push_waits_a_minute_when_apple_is_unavailable_and_says_nothing_more() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    shop.register_device("alice", "IOS_PUSH", &format!("{:0<64}", "f1a001")).await?;
    let sent = shop.send("alice", json!({ "channels": ["IOS_PUSH"] })).await?;
    let (notification, pause) = await_waiting(&shop, &sent.id).await?;
    assert!((60_000..90_000).contains(&pause), "due after {pause} ms");
    assert_eq!(notification["status"], "pending");
    assert_eq!(notification["deliveries"][0]["attempts"], 1);
    Ok(())
}

#[tokio::test]
async fn an_apple_push_goes_again_when_apple_said_to_come_back() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let busy = json!({ "error": { "status": 503, "reason": "ServiceUnavailable", "retry_after": 1 } });
    app.simulators.rules(json!({ "provider": "apns", "times": 1, "action": busy })).await?;
    let sent = shop.send("alice", json!({ "channels": ["IOS_PUSH"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 2, "{notification:#}");
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!(calls.iter().map(|call| &call["status"]).collect::<Vec<_>>(), [503, 200], "{calls:?}");
    assert!(millis(&calls[1]["at"])? - millis(&calls[0]["at"])? >= 1_000, "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn a_greylisted_mail_waits_a_minute_and_costs_no_attempt() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "greylist@example.com" })).await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    let (notification, pause) = await_waiting(&shop, &sent.id).await?;
    assert!((60_000..90_000).contains(&pause), "due after {pause} ms");
    assert_eq!(notification["status"], "pending");
    let story = shop.story(&sent.id).await?;
    assert_eq!((count(&story, "Held"), count(&story, "AttemptFailed")), (1, 0), "{story:?}");
    Ok(())
}

#[tokio::test]
async fn a_mail_that_meets_a_server_shutting_down_goes_over_a_new_connection() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "shutdown@example.com" })).await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 2, "{notification:#}");
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_fails_twice_is_sent_by_the_third_attempt() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let webhook = json!({ "url": app.simulators.webhook("flaky2/alice")?, "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "webhook": webhook })).await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 3, "{notification:#}");
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!(calls.iter().map(|call| &call["status"]).collect::<Vec<_>>(), [503, 503, 200], "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn retry_after_is_honoured_and_a_throttled_attempt_does_not_count_as_failed() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let webhook = json!({ "url": app.simulators.webhook("busy/alice")?, "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "webhook": webhook })).await?;
    shop.register_device("alice", "ANDROID_PUSH", "busy-alice").await?;
    for channel in ["ANDROID_PUSH", "WEBHOOK"] {
        let sent = shop.send("alice", json!({ "channels": [channel] })).await?;
        shop.await_status(&sent.id, "sent").await?;
        let calls = app.simulators.calls_for(&sent.id).await?;
        assert_eq!(calls.iter().map(|call| &call["status"]).collect::<Vec<_>>(), [429, 200], "{calls:?}");
        assert!(millis(&calls[1]["at"])? - millis(&calls[0]["at"])? >= 1_000, "{calls:?}");
        let story = shop.story(&sent.id).await?;
        assert_eq!((count(&story, "Held"), count(&story, "AttemptFailed")), (1, 0), "{story:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_device_reported_dead_is_dropped_and_gets_nothing_more() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    for (channel, token) in [("ANDROID_PUSH", "dead-alice".to_owned()), ("IOS_PUSH", format!("{:0<64}", "dead00"))] {
        shop.upsert_recipient(json!({ "id": channel })).await?;
        shop.register_device(channel, channel, &token).await?;
        let first = shop.send(channel, json!({ "channels": [channel] })).await?;
        let failed = shop.await_status(&first.id, "failed").await?;
        assert_eq!(failed["deliveries"][0]["attempts"], 1, "{failed:#}");
        let data = shop.query("query($id: String) { recipient(id: $id) { addresses { id } } }", json!({ "id": channel })).await?;
        assert_eq!(data["recipient"]["addresses"], json!([]), "{channel}");
        let next = shop.send(channel, json!({ "channels": [channel] })).await?;
        let suppressed = shop.await_status(&next.id, "suppressed").await?;
        assert_eq!(suppressed["suppressions"][0]["rule"], "no_address", "{suppressed:#}");
        assert_eq!(app.simulators.calls_for(&next.id).await?, Vec::<Value>::new());
    }
    Ok(())
}

#[tokio::test]
async fn what_will_never_work_fails_by_the_first_attempt() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let webhook = json!({ "url": app.simulators.webhook("gone/alice")?, "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "email": "bounce@example.com", "webhook": webhook })).await?;
    for (channel, code) in [("EMAIL", "550 5.1.1"), ("WEBHOOK", "410")] {
        let sent = shop.send("alice", json!({ "channels": [channel] })).await?;
        let notification = shop.await_status(&sent.id, "failed").await?;
        assert_eq!(notification["deliveries"][0]["attempts"], 1, "{notification:#}");
        let last = notification["events"].as_array().and_then(|events| events.last()).context("no events")?;
        let payload: Value = serde_json::from_str(last["payload"].as_str().context("no payload")?)?;
        assert_eq!((&last["type"], &payload["code"]), (&json!("Failed"), &json!(code)), "{last:#}");
    }
    Ok(())
}

#[tokio::test]
async fn an_email_address_that_does_not_exist_gets_nothing_more_however_it_is_spelled() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "bounce@example.com" })).await?;
    let first = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&first.id, "failed").await?;
    let list = "query($at: Position) { suppressedAddresses(atLeastPosition: $at) { reason note } }";
    tests::until("the address is listed", async || {
        let data = app.admin.query(list, json!({})).await?;
        Ok(Some(data["suppressedAddresses"].clone()).filter(|listed| *listed == json!([{ "reason": "HARD_BOUNCE", "note": "550 5.1.1" }])))
    })
    .await?;
    // Another person gives the same address, spelled otherwise.
    shop.upsert_recipient(json!({ "id": "bob", "email": "Bounce@EXAMPLE.com" })).await?;
    for recipient in ["alice", "bob"] {
        let next = shop.send(recipient, json!({ "channels": ["EMAIL"] })).await?;
        let suppressed = shop.await_status(&next.id, "suppressed").await?;
        assert_eq!(suppressed["suppressions"][0]["rule"], "address_suppressed", "{suppressed:#}");
        assert_eq!(app.simulators.calls_for(&next.id).await?, Vec::<Value>::new());
    }
    let done = "... on AddressesChanged { position }";
    let of = json!({ "channel": "EMAIL", "address": "BOUNCE@example.com" });
    app.admin.mutate("reinstateAddress", "ReinstateAddressInput", done, json!({ "of": of, "reason": "a new mailbox" })).await?;
    let again = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&again.id, "failed").await?;
    Ok(())
}

#[tokio::test]
async fn a_bad_address_beside_a_good_one_does_not_keep_the_notification_from_being_sent() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    shop.register_device("alice", "ANDROID_PUSH", "dead-alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let mut statuses: Vec<&str> = notification["deliveries"].as_array().into_iter().flatten().filter_map(|delivery| delivery["status"].as_str()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["failed", "sent"], "{notification:#}");
    Ok(())
}
