//! Why a notification came, or did not, as its sender and an operator are told.

use super::sending::hold;
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use tests::{App, Client};

const EXPLAIN: &str = "query($id: ID!) { explain(notificationId: $id) { outcome sentence over erased
    steps { type rule rulesVersion sentence facts { of sequence by source sentence notification } }
    deliveries { status provider attempts code sentence } } }";
const ABSENCE: &str = "query($recipient: String!, $category: String, $from: DateTime) {
    explainAbsence(recipientId: $recipient, category: $category, from: $from) {
        sentence from to more reasons { kind sentence } notifications { id outcome sentence } } }";

pub async fn explain(by: &Client, id: &str) -> Result<Value> {
    Ok(by.query(EXPLAIN, json!({ "id": id })).await?["explain"].clone())
}

async fn absence(by: &Client, recipient: &str, category: Option<&str>) -> Result<Value> {
    let asked = json!({ "recipient": recipient, "category": category, "from": "2020-01-01T00:00:00Z" });
    Ok(by.query(ABSENCE, asked).await?["explainAbsence"].clone())
}

pub fn says(told: &Value, parts: &[&str]) {
    let sentence = told["sentence"].as_str().unwrap_or_default();
    for part in parts {
        assert!(sentence.contains(part), "no {part:?} in {sentence}\n{told:#}");
    }
}

pub fn step<'a>(told: &'a Value, kind: &str) -> Result<&'a Value> {
    told["steps"].as_array().into_iter().flatten().find(|step| step["type"] == kind).with_context(|| format!("no {kind} in {told:#}"))
}

#[tokio::test]
async fn what_was_sent_after_a_retry_tells_the_answer_and_the_wait() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    shop.register_device("alice", "ANDROID_PUSH", "flaky1-alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let told = explain(&shop, &sent.id).await?;
    assert_eq!((&told["outcome"], &told["over"]), (&json!("sent"), &json!(true)), "{told:#}");
    says(&told, &["Sent over Android push by fcm on", "with attempt 2"]);
    says(step(&told, "AttemptFailed")?, &["attempt 1 failed: 503", "the provider is unavailable for now", "may work later"]);
    assert_eq!((&told["deliveries"][0]["provider"], &told["deliveries"][0]["attempts"]), (&json!("fcm"), &json!(2)));
    Ok(())
}

#[tokio::test]
async fn an_opt_out_names_the_switch_when_and_by_whom() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    alice.mutate("setSubscription", "SetSubscriptionInput", "", json!({ "scope": "CHANNEL", "channel": "EMAIL", "subscribed": false })).await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    let told = explain(&shop, &sent.id).await?;
    assert_eq!(told["outcome"], "suppressed", "{told:#}");
    says(&told, &["the recipient switched this channel off; email was switched off on 20", "by the recipient over the API"]);
    let decided = step(&told, "Suppressed")?;
    assert_eq!(
        (&decided["rule"], &decided["facts"][0]["by"], &decided["facts"][0]["source"]),
        (&json!("opted_out_of_channel"), &json!("recipient"), &json!("api"))
    );
    // What the person does later does not change why it was not sent.
    alice.mutate("setSubscription", "SetSubscriptionInput", "", json!({ "scope": "CHANNEL", "channel": "EMAIL", "subscribed": true })).await?;
    assert_eq!(explain(&shop, &sent.id).await?, told);
    let silence = absence(&app.admin, "alice", Some("general")).await?;
    let lately = app.admin.query(ABSENCE, json!({ "recipient": "alice" })).await?["explainAbsence"].clone();
    assert_eq!(lately["notifications"], silence["notifications"], "who names no time means the last days");
    let moment = |field: &str| anyhow::Ok(DateTime::parse_from_rfc3339(lately[field].as_str().context("no moment")?)?);
    assert_eq!(moment("to")? - moment("from")?, TimeDelta::days(7));
    assert_eq!(silence["notifications"], json!([{ "id": sent.id, "outcome": "suppressed", "sentence": told["sentence"] }]), "{silence:#}");
    let reasons = silence["reasons"].to_string();
    assert!(reasons.contains("opted_out") && reasons.contains("and on again on"), "{reasons}");
    Ok(())
}

#[tokio::test]
async fn a_failure_is_told_by_the_providers_code() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!({ "error": { "status": 404, "reason": "UNREGISTERED" } })).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&sent.id, "failed").await?;
    let told = explain(&shop, &sent.id).await?;
    assert_eq!(told["outcome"], "failed");
    says(&told, &["Not sent over Android push by fcm: failed for good: 404 UNREGISTERED (the provider no longer knows this device)"]);
    assert_eq!(told["deliveries"][0]["code"], "404 UNREGISTERED");
    Ok(())
}

#[tokio::test]
async fn what_expired_and_what_was_taken_back_say_so() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let first = hold(&app, &shop, 8).await?;
    let held = explain(&shop, &first.id).await?;
    assert_eq!((&held["outcome"], &held["over"]), (&json!("pending"), &json!(false)), "{held:#}");
    says(step(&held, "Held")?, &["the provider asked to slow down (429", "attempt 1 does not count"]);
    let asked = shop.notification(&first.id).await?["events"][0]["at"].as_str().context("no moment")?.to_owned();
    let over = DateTime::parse_from_rfc3339(&asked)? + TimeDelta::seconds(7);
    let late = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"], "expiresAt": over.to_rfc3339() })).await?;
    let back = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let cancel = shop.attempt("cancelNotification", "CancelNotificationInput", "", json!({ "id": back.id }));
    cancel.await?;
    let told = explain(&shop, &back.id).await?;
    assert_eq!(told["outcome"], "cancelled", "{told:#}");
    says(&told, &["Not sent over Android push: the sender took it back before the call on 20"]);
    shop.await_status(&late.id, "expired").await?;
    let told = explain(&shop, &late.id).await?;
    assert_eq!(told["outcome"], "expired");
    says(&told, &["it expired before the call on 20"]);
    Ok(())
}

#[tokio::test]
async fn a_repeat_is_told_and_sent_once() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let order = json!({ "channels": ["IN_APP"], "idempotencyKey": "order-1" });
    let sent = shop.send("alice", order.clone()).await?;
    shop.send("alice", order).await?;
    let told = explain(&shop, &sent.id).await?;
    assert_eq!(told["outcome"], "sent");
    says(step(&told, "Deduplicated")?, &["the same idempotency key", "nothing is sent twice"]);
    Ok(())
}

#[tokio::test]
async fn what_was_never_requested_is_said_so_also_on_the_command_line() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let told = absence(&shop, "alice", Some("general")).await?;
    says(&told, &["Nothing of category general was requested for this recipient between"]);
    let kinds: Vec<&str> = told["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason["kind"].as_str()).collect();
    assert!(kinds.starts_with(&["none_requested", "refusals_not_recorded"]), "{kinds:?}");
    let unknown = absence(&shop, "alice", Some("missing")).await?["reasons"].to_string();
    assert!(unknown.contains("unknown_category"), "{unknown}");
    let silent = app.run(&["explain", "--recipient", "alice", "--category", "general", "--from", "2020-01-01T00:00:00Z"]).await?;
    let printed = String::from_utf8_lossy(&silent.stdout).into_owned();
    assert!(silent.status.success() && printed.starts_with("Nothing of category general was requested"), "{silent:?}");
    let wrong = app.run(&["explain", "--recipient", "alice", "--from", "yesterday"]).await?;
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    // What another sender sent is not listed for this one.
    let other = app.sender("other").await?;
    let sent = other.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    assert_eq!(absence(&shop, "alice", None).await?["notifications"], json!([]));
    assert_eq!(absence(&app.admin, "alice", None).await?["notifications"][0]["id"], sent.id.as_str());
    assert!(explain(&shop, &sent.id).await?.is_null());
    Ok(())
}

#[tokio::test]
async fn after_an_erasure_it_still_explains_and_says_that_the_person_is_gone() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let before = explain(&shop, &sent.id).await?;
    shop.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": "alice" })).await?;
    let told = explain(&shop, &sent.id).await?;
    assert_eq!((&before["erased"], &told["erased"], &told["sentence"]), (&json!(false), &json!(true), &before["sentence"]));
    assert!(absence(&app.admin, "alice", None).await?["reasons"].to_string().contains("erased_recipient"));
    Ok(())
}
