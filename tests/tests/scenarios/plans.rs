//! Channel plans: one channel first, the next only where that was not enough.

use super::deciding::{await_that, cancel, define, delivered, happened, moment, waiting};
use super::explaining::{explain, says, step};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client, until};

/// In the app first; over `then` after so many seconds in a case.
fn plan(first: &str, seconds: i64, when: &str, then: &str) -> Value {
    json!({ "steps": [{ "channels": [first], "next": { "afterSeconds": seconds, "when": when } }, { "channels": [then] }] })
}

async fn start() -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    Ok((app, shop))
}

fn channels_sent(notification: &Value) -> Vec<&str> {
    let all = notification["deliveries"].as_array().into_iter().flatten();
    all.filter(|one| one["status"] == "sent").filter_map(|one| one["channel"].as_str()).collect()
}

#[tokio::test]
async fn what_was_not_seen_goes_on_to_the_next_step_and_what_was_seen_does_not() -> Result<()> {
    let (app, shop) = start().await?;
    define(&app, json!({ "key": "chat", "name": "Messages", "plan": plan("IN_APP", 2, "NOT_SEEN", "ANDROID_PUSH") })).await?;
    let alice = shop.as_recipient("alice").await?;
    let unseen = shop.send("alice", json!({ "category": "chat" })).await?;
    let seen = shop.send("alice", json!({ "plan": plan("IN_APP", 4, "NOT_SEEN", "ANDROID_PUSH") })).await?;
    let cancelled = shop.send("alice", json!({ "plan": plan("IN_APP", 4, "NOT_READ", "ANDROID_PUSH") })).await?;
    let first = waiting(&shop, &unseen.id).await?;
    assert!(first["nextStepAt"].is_string(), "{first:#}");
    says(&explain(&shop, &unseen.id).await?, &["step 2 of the channel plan is due on 20", "if it has not been seen then"]);
    // The history shows it before it can be marked.
    until("it is marked", async || {
        let marked =
            alice.query("mutation($input: MarkInput!) { markSeen(input: $input) { notifications { id } } }", json!({ "input": { "ids": [seen.id] } })).await?;
        Ok((marked["markSeen"]["notifications"] == json!([{ "id": seen.id }])).then_some(()))
    })
    .await?;
    let answer = cancel(&shop, &cancelled.id).await?;
    assert_eq!((&answer["stoppedStep"], &answer["tooLate"]), (&json!(1), &json!(false)), "{answer}");

    let pushed = await_that(&shop, &unseen.id, "the push went out", |one| channels_sent(one).contains(&"ANDROID_PUSH")).await?;
    assert_eq!(channels_sent(&pushed), ["IN_APP", "ANDROID_PUSH"]);
    let taken = happened(&pushed, "StepTaken")?.context("no step")?;
    assert!(taken >= moment(&first["nextStepAt"])?, "{pushed:#}");
    assert_eq!(delivered(&app, &unseen.id).await?, 1);
    says(step(&explain(&shop, &unseen.id).await?, "StepTaken")?, &["step 2 of the channel plan was taken"]);
    // A step that is not needed is over as soon as that is known, or when it is due.
    let over = await_that(&shop, &seen.id, "the plan is over", |one| one["nextStepAt"].is_null()).await?;
    assert_eq!(channels_sent(&over), ["IN_APP"], "{over:#}");
    says(step(&explain(&shop, &seen.id).await?, "StepSkipped")?, &["step 2 of the channel plan was not taken: it had been seen"]);
    assert_eq!(waiting(&shop, &cancelled.id).await?["nextStepAt"], Value::Null);
    for id in [&seen.id, &cancelled.id] {
        assert_eq!(delivered(&app, id).await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_failed_for_good_leads_to_the_next_at_once() -> Result<()> {
    let (app, shop) = start().await?;
    app.simulators.rule("fcm", json!({ "error": { "status": 404, "reason": "UNREGISTERED" } })).await?;
    let sent = shop.send("alice", json!({ "plan": plan("ANDROID_PUSH", 600, "FAILED", "WEBHOOK") })).await?;
    let over = await_that(&shop, &sent.id, "the webhook went out", |one| channels_sent(one) == ["WEBHOOK"]).await?;
    assert!(happened(&over, "StepTaken")?.is_some() && over["nextStepAt"].is_null(), "{over:#}");
    let told = explain(&shop, &sent.id).await?;
    says(&told, &["Not sent over Android push by fcm: failed for good: 404 UNREGISTERED", "sent over webhook"]);
    // One of two devices is no reason: both have to have failed, and the second one does later.
    app.simulators.behave().await?;
    shop.upsert_recipient(json!({ "id": "bob" })).await?;
    for token in ["android:bad", "android:slow"] {
        shop.register_device("bob", "ANDROID_PUSH", token).await?;
    }
    let dead = |token: &str| json!({ "provider": "fcm", "address_prefix": token, "action": { "error": { "status": 404, "reason": "UNREGISTERED" } } });
    app.simulators.rules(dead("android:bad")).await?;
    app.simulators.rules(json!({ "provider": "fcm", "address_prefix": "android:slow", "action": "outage" })).await?;
    let sent = shop.send("bob", json!({ "plan": plan("ANDROID_PUSH", 600, "FAILED", "IN_APP") })).await?;
    let half =
        await_that(&shop, &sent.id, "one has failed", |one| one["deliveries"].as_array().is_some_and(|all| all.iter().any(|one| one["status"] == "failed")));
    let half = half.await?;
    assert!(half["nextStepAt"].is_string() && happened(&half, "StepTaken")?.is_none(), "{half:#}");
    app.simulators.behave().await?;
    app.simulators.rules(dead("android:slow")).await?;
    await_that(&shop, &sent.id, "it is shown in the app", |one| channels_sent(one) == ["IN_APP"]).await?;
    app.simulators.behave().await?;
    // What its provider took needs no further step.
    let fine = shop.send("alice", json!({ "plan": plan("WEBHOOK", 1, "FAILED", "EMAIL") })).await?;
    let over = await_that(&shop, &fine.id, "the plan is over", |one| one["status"] == "sent" && one["nextStepAt"].is_null()).await?;
    assert_eq!(channels_sent(&over), ["WEBHOOK"]);
    says(step(&explain(&shop, &fine.id).await?, "StepSkipped")?, &["not taken: the step before was delivered"]);
    Ok(())
}

#[tokio::test]
async fn steps_go_on_after_the_server_was_killed_and_impossible_plans_are_refused() -> Result<()> {
    let (mut app, shop) = start().await?;
    let sent = shop.send("alice", json!({ "plan": plan("IN_APP", 1, "NOT_READ", "WEBHOOK") })).await?;
    app.kill().await?;
    app.start_server().await?;
    await_that(&shop, &sent.id, "the webhook went out", |one| channels_sent(one).contains(&"WEBHOOK")).await?;
    assert_eq!(delivered(&app, &sent.id).await?, 1);
    let head = app.admin.head().await?;
    for plan in [
        plan("IN_APP", 0, "NOT_SEEN", "WEBHOOK"),
        plan("IN_APP", 5, "NOT_SEEN", "IN_APP"),
        json!({ "steps": [] }),
        json!({ "steps": [{ "channels": ["IN_APP"] }, { "channels": ["EMAIL"] }] }),
    ] {
        let answer = shop.attempt_send("alice", json!({ "plan": plan })).await?;
        assert!(answer["code"].is_string(), "{plan}: {answer}");
    }
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}
