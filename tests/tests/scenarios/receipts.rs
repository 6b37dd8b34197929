//! What providers report of deliveries, and what people answer.

use crate::told::{events, sent_over};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::wait::until;
use tests::{App, Client};

const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";
const VONAGE: [(&str, &str); 2] = [("BONGSU_PROVIDERS__TWILIO__ENABLED", "false"), ("BONGSU_PROVIDERS__VONAGE__ENABLED", "true")];
const SENDGRID: [(&str, &str); 2] = [("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "true")];
const MAILGUN: [(&str, &str); 2] = [("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__MAILGUN__ENABLED", "true")];
const IMPATIENT: [(&str, &str); 1] = [("BONGSU_PROVIDERS__TWILIO__TIMEOUT", "1s")];

/// A server to which the providers report; each report as often as told.
async fn reported(environment: &[(&str, &str)], times: u32, backwards: bool) -> Result<(App, Client)> {
    let app = App::with_environment(LINKS, environment).await?;
    app.simulators.callbacks(json!({ "base": app.admin.base(), "times": times, "backwards": backwards })).await?;
    let shop = app.sender("shop").await?;
    Ok((app, shop))
}

async fn text(shop: &Client, number: &str, channel: &str, status: &str) -> Result<Value> {
    shop.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    sent_to(shop, number, channel, status).await
}

/// Sends, and waits until the delivery stands so.
async fn sent_to(shop: &Client, recipient: &str, channel: &str, state: &str) -> Result<Value> {
    let sent = shop.send(recipient, json!({ "channels": [channel] })).await?;
    shop.await_delivery(&sent.id, state).await
}

async fn mail(shop: &Client, word: &str, state: &str) -> Result<Value> {
    shop.upsert_recipient(json!({ "id": word, "email": format!("{word}@example.org") })).await?;
    sent_to(shop, word, "EMAIL", state).await
}

/// What is sent there now is suppressed.
async fn suppressed(shop: &Client, recipient: &str, channel: &str) -> Result<()> {
    let now = sent_over(shop, recipient, channel, "suppressed").await?;
    assert_eq!(now["suppressions"][0]["rule"], "address_suppressed", "{now:#}");
    Ok(())
}

#[tokio::test]
async fn twilio_reports_what_became_of_texts_each_once() -> Result<()> {
    let (_app, shop) = reported(&IMPATIENT, 3, true).await?;
    let arrived = text(&shop, "+821023456789", "SMS", "delivered").await?;
    assert_eq!(events(&arrived, "Delivered")?.len(), 1, "{arrived:#}");
    let off = text(&shop, "+15005570101", "SMS", "bounced").await?;
    assert_eq!((&events(&off, "Bounced")?[0]["code"], &events(&off, "Bounced")?[0]["class"]), (&json!("undelivered 30003"), &json!("transient")));
    let gone = text(&shop, "+15005570201", "SMS", "bounced").await?;
    assert_eq!(events(&gone, "Bounced")?[0]["address_dead"], json!(true), "{gone:#}");
    suppressed(&shop, "+15005570201", "SMS").await?;
    // Filtered, and silent: nothing is held against the number.
    for (number, state) in [("+15005570301", "bounced"), ("+15005570401", "sent")] {
        text(&shop, number, "SMS", state).await?;
        sent_to(&shop, number, "SMS", state).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_report_settles_an_unknown_outcome_and_nothing_is_repeated() -> Result<()> {
    let (app, shop) = reported(&IMPATIENT, 1, false).await?;
    // Delivered without an answer.
    let found = text(&shop, "+15005560101", "SMS", "delivered").await?;
    let calls = app.simulators.calls_for(found["id"].as_str().context("no id")?).await?;
    assert_eq!(calls.len(), 1, "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn calls_are_reported() -> Result<()> {
    let (_app, shop) = reported(&[], 1, false).await?;
    text(&shop, "+821023456789", "VOICE", "delivered").await?;
    let busy = text(&shop, "+15005570101", "VOICE", "bounced").await?;
    assert_eq!(events(&busy, "Bounced")?[0]["code"], "busy", "{busy:#}");
    text(&shop, "+15005570201", "VOICE", "bounced").await?;
    suppressed(&shop, "+15005570201", "VOICE").await
}

#[tokio::test]
async fn vonage_reports_what_became_of_texts_and_what_was_answered() -> Result<()> {
    let (app, shop) = reported(&VONAGE, 2, true).await?;
    text(&shop, "+821023456789", "SMS", "delivered").await?;
    text(&shop, "+15005570201", "SMS", "bounced").await?;
    suppressed(&shop, "+15005570201", "SMS").await?;
    app.simulators.reply("vonage", "+821023456789", "수신거부").await?;
    listed(&app, |list| list.contains(&json!("STOP"))).await?;
    suppressed(&shop, "+821023456789", "SMS").await
}

/// Waits until the suppression list is as it should be, by its reasons.
async fn listed(app: &App, so: impl Fn(&[Value]) -> bool) -> Result<()> {
    until("the suppression list is as it should be", async || {
        let data = app.admin.query("{ suppressedAddresses(first: 50) { reason } }", json!({})).await?;
        let list = data["suppressedAddresses"].as_array().context("no list")?;
        let reasons: Vec<Value> = list.iter().map(|one| one["reason"].clone()).collect();
        Ok(so(&reasons).then_some(()))
    })
    .await
}

#[tokio::test]
async fn stop_stops_and_start_starts_again() -> Result<()> {
    let (app, shop) = reported(&[], 1, false).await?;
    text(&shop, "+821023456789", "SMS", "delivered").await?;
    app.simulators.reply("twilio", "+821023456789", "please stop by tomorrow").await?;
    app.simulators.reply("twilio", "+821023456789", "Stop.").await?;
    listed(&app, |list| list == [json!("STOP")]).await?;
    suppressed(&shop, "+821023456789", "SMS").await?;
    app.simulators.reply("twilio", "+821023456789", "START").await?;
    listed(&app, <[Value]>::is_empty).await?;
    sent_to(&shop, "+821023456789", "SMS", "delivered").await?;
    Ok(())
}

async fn mails(environment: &[(&str, &str)]) -> Result<()> {
    let (app, shop) = reported(environment, 2, true).await?;
    mail(&shop, "alice", "delivered").await?;
    let gone = mail(&shop, "nouser", "bounced").await?;
    assert_eq!(events(&gone, "Bounced")?[0]["code"], "bounce 5.1.1", "{gone:#}");
    suppressed(&shop, "nouser", "EMAIL").await?;
    mail(&shop, "fullbox", "bounced").await?;
    sent_to(&shop, "fullbox", "EMAIL", "bounced").await?;
    for (word, event, reason) in [("complains", "Complained", "COMPLAINT"), ("leaves", "Complained", "STOP")] {
        let told = mail(&shop, word, "delivered").await?;
        let told = shop.await_event(told["id"].as_str().context("no id")?, event).await?;
        assert_eq!(events(&told, event)?.len(), 1, "{told:#}");
        listed(&app, |list| list.contains(&json!(reason))).await?;
        suppressed(&shop, word, "EMAIL").await?;
    }
    for (word, event, automatic) in [("opens", "Opened", Value::Null), ("machine", "Opened", json!(true)), ("clicks", "Clicked", Value::Null)] {
        let told = mail(&shop, word, "delivered").await?;
        let told = shop.await_event(told["id"].as_str().context("no id")?, event).await?;
        assert_eq!((events(&told, event)?.len(), &events(&told, event)?[0]["automatic"]), (1, &automatic), "{told:#}");
    }
    Ok(())
}

#[tokio::test]
async fn sendgrid_reports_what_became_of_mails() -> Result<()> {
    mails(&SENDGRID).await
}

#[tokio::test]
async fn mailgun_reports_what_became_of_mails() -> Result<()> {
    mails(&MAILGUN).await
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_changes_nothing() -> Result<()> {
    let (app, shop) = reported(&SENDGRID, 1, false).await?;
    app.simulators.callbacks(json!({ "silent": true })).await?;
    let sent = mail(&shop, "alice", "sent").await?;
    let id = sent["id"].as_str().context("no id")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let forged = json!([{ "event": "delivered", "nid": id, "delivery": "0", "attempt": "1", "timestamp": 1 }]).to_string();
    for (path, body, status) in [("sendgrid", forged.as_str(), 403), ("twilio", "MessageStatus=delivered", 403), ("nobody", "", 404), ("mailgun", "{}", 404)] {
        let answer = http.post(format!("{}/callbacks/{path}", app.admin.base())).body(body.to_owned()).send().await?;
        let (told, words) = (answer.status().as_u16(), answer.text().await?);
        assert_eq!(told, status, "{path}: {words}");
        assert!(!words.contains(id), "{words}");
    }
    let large = http.post(format!("{}/callbacks/sendgrid", app.admin.base())).body(vec![b' '; 2 * 1024 * 1024]).send().await;
    assert!(large.map_or(true, |answer| answer.status().as_u16() == 413));
    let after = shop.await_delivery(id, "sent").await?;
    assert_eq!(events(&after, "Delivered")?, Vec::<Value>::new());
    Ok(())
}
