//! Telephone calls, by Twilio.

use crate::told::{events, fails_at_once, held, sent_by_the_second, sent_over};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const IMPATIENT: [(&str, &str); 1] = [("BONGSU_PROVIDERS__TWILIO_VOICE__TIMEOUT", "1s")];

/// A recipient at each number.
async fn at(shop: &Client, numbers: &[&str]) -> Result<()> {
    for number in numbers {
        shop.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    }
    Ok(())
}

async fn calls_for(app: &App, notification: &Value) -> Result<Vec<Value>> {
    app.simulators.calls_for(notification["id"].as_str().context("no id")?).await
}

/// Every dead letter is tried again.
async fn redrive(app: &App) -> Result<()> {
    tests::until("the letter is redriven", async || {
        let data = app.admin.query("mutation { redriveDeadLetters(input: {}) { count } }", json!({})).await?;
        Ok((data["redriveDeadLetters"]["count"] == 1).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_telephone_rings_where_it_is_named_and_the_text_is_nothing_but_text() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "phone": "+82 (10) 2345-6789" })).await?;
    let content = json!({ "title": "불이야", "body": "</Say><Dial>+15005550006</Dial>" });
    let sent = shop.send("alice", json!({ "channels": ["VOICE"], "content": content })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!((calls.len(), &calls[0]["provider"]), (1, &json!("twilio_voice")), "{calls:?}");
    assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    let messages = app.simulators.messages("twilio_voice").await?;
    let raw = messages[0]["raw"].as_str().context("no text")?;
    assert!(messages[0]["address"] == "+821023456789" && raw.contains("%26lt%3BDial%26gt%3B") && !raw.contains("%3CDial"), "{raw}");
    // Not without being named.
    let plain = shop.send("alice", json!({ "channels": null })).await?;
    shop.await_status(&plain.id, "sent").await?;
    assert_eq!(app.simulators.calls_for(&plain.id).await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn every_answer_of_twilio_to_a_call_is_taken_for_what_it_means() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    let shop = app.sender("shop").await?;
    let refused = [("+15005550009", "400 21214"), ("+15005550004", "400 21216"), ("+15005550003", "400 21215"), ("+15005561201", "400 12100")];
    at(&shop, &refused.map(|(number, _)| number)).await?;
    at(&shop, &["+15005560801", "+15005550001", "+15005561001"]).await?;
    for (number, code) in refused {
        fails_at_once(&shop, number, "VOICE", code).await?;
    }
    fails_at_once(&shop, "+15005550001", "VOICE", "400 21211").await?;
    let suppressed = sent_over(&shop, "+15005550001", "VOICE", "suppressed").await?;
    assert_eq!(suppressed["suppressions"][0]["rule"], "address_suppressed", "{suppressed:#}");
    let (notification, calls) = sent_by_the_second(&app, &shop, "+15005560801", "VOICE").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    held(&app, &shop, "+15005561001", "VOICE", "twilio_voice").await
}

#[tokio::test]
async fn nobody_is_called_again_after_silence_until_somebody_asks_and_a_look_shows_no_call() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    let shop = app.sender("shop").await?;
    let (made, lost) = (["+15005560101", "+15005560201"], ["+15005560301", "+15005560401", "+15005560501", "+15005560901"]);
    at(&shop, &made).await?;
    at(&shop, &lost).await?;
    at(&shop, &["+15005560601"]).await?;
    for (number, arrivals) in made.map(|number| (number, 1)).into_iter().chain(lost.map(|number| (number, 2))) {
        let left = sent_over(&shop, number, "VOICE", "dead_lettered").await?;
        assert_eq!((events(&left, "AttemptUnknown")?.len(), calls_for(&app, &left).await?.len()), (1, 1), "{number}: {left:#}");
        redrive(&app).await?;
        let notification = shop.await_status(left["id"].as_str().context("no id")?, "sent").await?;
        let calls = calls_for(&app, &notification).await?;
        assert_eq!(calls.len(), arrivals, "{number}: {calls:?}");
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{number} rang once: {calls:?}");
        assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[arrivals - 1]["provider_id"], "{notification:#}");
    }
    let hanging = sent_over(&shop, "+15005560601", "VOICE", "dead_lettered").await?;
    assert_eq!(calls_for(&app, &hanging).await?.len(), 1, "{hanging:#}");
    Ok(())
}
