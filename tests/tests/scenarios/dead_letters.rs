//! Deliveries whose attempts are exhausted, and what a person does with them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::process::Output;
use tests::{App, Client};

/// Few attempts, so that they are soon exhausted.
const THREE_ATTEMPTS: &str = r#"
[delivery.retry.android_push]
first = "50ms"
longest = "100ms"
attempts = 3
"#;

/// An app with a dead letter of each of `recipients`; the notifications' ids.
async fn exhausted(recipients: &[&str]) -> Result<(App, Client, Vec<String>)> {
    let app = App::with(THREE_ATTEMPTS).await?;
    let shop = app.sender("shop").await?;
    app.simulators.rule("fcm", json!({ "error": { "status": 503, "reason": "UNAVAILABLE" } })).await?;
    let mut ids = Vec::new();
    for recipient in recipients {
        shop.upsert_recipient(json!({ "id": recipient })).await?;
        shop.register_device(recipient, "ANDROID_PUSH", &format!("android:{recipient}")).await?;
        let sent = shop.send(recipient, json!({ "channels": ["ANDROID_PUSH"] })).await?;
        shop.await_status(&sent.id, "dead_lettered").await?;
        ids.push(sent.id);
    }
    await_letters(&app, ids.len()).await?;
    Ok((app, shop, ids))
}

async fn letters(app: &App) -> Result<Vec<Value>> {
    let query = "{ deadLetters { id delivery code unknown attempts notification { id } } }";
    app.admin.query(query, json!({})).await?["deadLetters"].as_array().cloned().context("no list")
}

/// The list is a read model: it follows the log.
async fn await_letters(app: &App, count: usize) -> Result<Vec<Value>> {
    tests::until(&format!("{count} dead letters are listed"), async || Ok(Some(letters(app).await?).filter(|letters| letters.len() == count))).await
}

async fn change(app: &App, field: &str, kind: &str, input: Value) -> Result<u64> {
    let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ count position }} }}");
    app.admin.query(&query, json!({ "input": input })).await?[field]["count"].as_u64().context("no count")
}

fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The payload of the one event of a type.
fn told(notification: &Value, kind: &str) -> Result<Value> {
    let event = notification["events"].as_array().into_iter().flatten().find(|event| event["type"] == kind);
    let payload = event.and_then(|event| event["payload"].as_str()).with_context(|| format!("no {kind}: {notification:#}"))?;
    serde_json::from_str(payload).map_err(Into::into)
}

#[tokio::test]
async fn exhausted_attempts_become_a_dead_letter_with_the_last_answer() -> Result<()> {
    let (app, _shop, ids) = exhausted(&["alice"]).await?;
    let listed = await_letters(&app, 1).await?;
    let letter = &listed[0];
    assert_eq!(letter["notification"]["id"], ids[0].as_str(), "{letter:#}");
    assert_eq!((&letter["code"], &letter["attempts"], &letter["unknown"]), (&json!("503 UNAVAILABLE"), &json!(3), &json!(false)), "{letter:#}");
    assert_eq!(letter["id"], format!("{}.{}", ids[0], letter["delivery"]), "{letter:#}");
    assert_eq!(app.simulators.calls_for(&ids[0]).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn letters_are_found_by_their_code() -> Result<()> {
    let (app, _shop, _ids) = exhausted(&["alice"]).await?;
    let query = "query($code: String) { deadLetters(code: $code) { id } }";
    for (code, count) in [("503 UNAVAILABLE", 1), ("500 INTERNAL", 0)] {
        let data = app.admin.query(query, json!({ "code": code })).await?;
        assert_eq!(data["deadLetters"].as_array().map(Vec::len), Some(count), "{code}: {data}");
    }
    Ok(())
}

#[tokio::test]
async fn a_letter_tried_again_after_the_provider_recovered_is_delivered_once() -> Result<()> {
    let (app, shop, ids) = exhausted(&["alice"]).await?;
    let letter = await_letters(&app, 1).await?;
    app.simulators.behave().await?;
    assert_eq!(change(&app, "redriveDeadLetters", "RedriveDeadLettersInput", json!({ "ids": [letter[0]["id"]] })).await?, 1);
    let notification = shop.await_status(&ids[0], "sent").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 4, "{notification:#}");
    let delivered = app.simulators.calls_for(&ids[0]).await?.iter().filter(|call| call["delivered"] == true).count();
    assert_eq!(delivered, 1);
    await_letters(&app, 0).await?;
    // It is no dead letter any more: asking again does nothing.
    assert_eq!(change(&app, "redriveDeadLetters", "RedriveDeadLettersInput", json!({ "ids": [letter[0]["id"]] })).await?, 0);
    assert_eq!(app.simulators.calls_for(&ids[0]).await?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_letter_tried_again_too_early_has_all_its_attempts_anew() -> Result<()> {
    let (app, shop, ids) = exhausted(&["alice"]).await?;
    assert_eq!(change(&app, "redriveDeadLetters", "RedriveDeadLettersInput", json!({})).await?, 1);
    app.simulators.await_calls(&ids[0], 6).await?;
    shop.await_status(&ids[0], "dead_lettered").await?;
    let letter = tests::until("the letter is listed anew", async || Ok(letters(&app).await?.into_iter().find(|letter| letter["attempts"] == 6))).await?;
    assert_eq!(letter["notification"]["id"], ids[0].as_str());
    assert_eq!(app.simulators.calls_for(&ids[0]).await?.len(), 6);
    Ok(())
}

#[tokio::test]
async fn a_letter_given_up_keeps_the_reason_and_is_never_sent() -> Result<()> {
    let (app, shop, ids) = exhausted(&["alice"]).await?;
    app.simulators.behave().await?;
    let input = json!({ "code": "503 UNAVAILABLE", "reason": "the sale is over" });
    assert_eq!(change(&app, "discardDeadLetters", "DiscardDeadLettersInput", input).await?, 1);
    let notification = shop.await_status(&ids[0], "discarded").await?;
    assert_eq!(told(&notification, "Discarded")?["reason"], "the sale is over");
    await_letters(&app, 0).await?;
    assert_eq!(change(&app, "redriveDeadLetters", "RedriveDeadLettersInput", json!({})).await?, 0);
    assert_eq!(app.simulators.calls_for(&ids[0]).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_command_line_lists_retries_and_discards_letters() -> Result<()> {
    let (app, shop, ids) = exhausted(&["alice", "bora"]).await?;
    app.simulators.behave().await?;
    let list = app.run(&["dlq", "list"]).await?;
    assert!(list.status.success() && said(&list).contains(&ids[0]) && said(&list).contains("503 UNAVAILABLE"), "{}", said(&list));
    let list: Value = serde_json::from_slice(&app.run(&["dlq", "list", "--channel", "android_push", "--json"]).await?.stdout)?;
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list:#}");

    // Nobody is there to be asked: nothing is done without --yes.
    let unasked = app.run(&["dlq", "retry", "--id", &ids[0]]).await?;
    assert_eq!(unasked.status.code(), Some(2), "{}", said(&unasked));
    let dry = app.run(&["dlq", "retry", "--code", "503 UNAVAILABLE", "--dry-run"]).await?;
    assert!(dry.status.success() && said(&dry).contains("2 dead letters match. Nothing was changed."), "{}", said(&dry));
    await_letters(&app, 2).await?;

    let retried = app.run(&["dlq", "retry", "--id", &ids[0], "--yes"]).await?;
    assert!(retried.status.success(), "{}", said(&retried));
    shop.await_status(&ids[0], "sent").await?;
    let discarded = app.run(&["dlq", "discard", "--id", &ids[1], "--reason", "customer left", "--yes"]).await?;
    assert!(discarded.status.success(), "{}", said(&discarded));
    let notification = shop.await_status(&ids[1], "discarded").await?;
    assert_eq!(told(&notification, "Discarded")?["reason"], "customer left");

    await_letters(&app, 0).await?;
    let none = app.run(&["dlq", "retry", "--yes"]).await?;
    assert_eq!(none.status.code(), Some(3), "{}", said(&none));
    Ok(())
}

#[tokio::test]
async fn letters_are_the_administrators_alone() -> Result<()> {
    let (app, shop, _ids) = exhausted(&["alice"]).await?;
    let answer = shop.ask("{ deadLetters { id } }", json!({})).await?;
    assert_eq!(answer.code()?, "FORBIDDEN", "{answer:?}");
    let query = "mutation { redriveDeadLetters(input: {}) { count } }";
    assert_eq!(shop.ask(query, json!({})).await?.code()?, "FORBIDDEN");
    await_letters(&app, 1).await?;
    Ok(())
}
