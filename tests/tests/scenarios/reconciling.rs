//! The books with a provider that lies.

use crate::explaining::{explain, says, step};
use crate::told::events;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const IMPATIENT: [(&str, &str); 1] = [("BONGSU_PROVIDERS__TWILIO__TIMEOUT", "1s")];

async fn text(shop: &Client, number: &str, state: &str) -> Result<String> {
    shop.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    let sent = shop.send(number, json!({ "channels": ["SMS"] })).await?;
    shop.await_delivery(&sent.id, state).await?;
    Ok(sent.id)
}

/// What the books say of each notification, by kind.
fn found(books: &Value) -> Result<Vec<(String, String)>> {
    let differences = books["differences"].as_array().with_context(|| format!("no differences: {books:#}"))?;
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = differences.iter().map(|one| (text(one, "notification"), text(one, "kind"))).collect();
    found.sort();
    Ok(found)
}

#[tokio::test]
async fn every_lie_of_a_provider_is_found_and_nothing_else() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    app.simulators.callbacks(json!({ "base": app.admin.base() })).await?;
    let shop = app.sender("shop").await?;
    for number in 0..5 {
        text(&shop, &format!("+82102345678{number}"), "delivered").await?;
    }
    let (lost, doubled, reset) = ("+821034567801", "+821034567802", "+821034567803");
    app.simulators
        .rules(json!([
            { "provider": "twilio", "address_prefix": lost, "action": "accept_then_lose" },
            { "provider": "twilio", "address_prefix": doubled, "action": "deliver_twice" },
            { "provider": "twilio", "address_prefix": reset, "action": "unavailable_after_delivery", "times": 1 },
        ]))
        .await?;
    let lost = text(&shop, lost, "sent").await?;
    let doubled = text(&shop, doubled, "delivered").await?;
    let though_refused = text(&shop, reset, "delivered").await?;
    let told = shop.notification(&though_refused).await?;
    assert_eq!(events(&told, "Delivered")?.len(), 1, "{told:#}");

    // By the reports alone: what arrived without an answer, and what was never reported.
    let query = "query($day: NaiveDate!) { reconciliation(day: $day, provider: \"twilio\") { rows { provider channel attempts accepted delivered unreported }
        differences { kind notification sentence } more } }";
    let day = told["events"][0]["at"].as_str().and_then(|at| at.get(..10)).context("no day")?;
    let books = app.admin.query(query, json!({ "day": day })).await?["reconciliation"].clone();
    let row = &books["rows"][0];
    assert_eq!((&row["channel"], &row["accepted"], &row["delivered"], &row["unreported"]), (&json!("sms"), &json!(8), &json!(7), &json!(1)), "{books:#}");
    assert_eq!(found(&books)?, [(though_refused.clone(), "ARRIVED_THOUGH_UNKNOWN".to_owned())], "{books:#}");

    // With the provider's own list too.
    let list = app.root().join("twilio.ndjson");
    let lines: Vec<String> = app.simulators.ledger().await?.iter().map(Value::to_string).collect();
    std::fs::write(&list, lines.join("\n"))?;
    let against = list.display().to_string();
    let output = app.run(&["reconcile", "--json", "--day", day, "--provider", "twilio", "--patience", "0s", "--against", &against]).await?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let books: Value = serde_json::from_slice(&output.stdout)?;
    let of = |id: &str, kind: &str| (id.to_owned(), kind.to_owned());
    let mut expected = vec![
        of(&lost, "not_in_theirs"),
        of(&lost, "unreported"),
        of(&doubled, "theirs_twice"),
        of(&though_refused, "arrived_though_unknown"),
        of(&though_refused, "theirs_only"),
    ];
    expected.sort();
    assert_eq!(found(&books)?, expected, "{books:#}");
    // Said in words, and of a day without any there is nothing to say.
    let output = app.run(&["reconcile", "--day", day, "--provider", "twilio", "--against", &against]).await?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("it was lost there") && words.contains(&lost), "{words}");
    let output = app.run(&["reconcile", "--day", "2020-01-01"]).await?;
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).trim()), (Some(0), "No provider was called in that time."));
    Ok(())
}

#[tokio::test]
async fn mistakes_are_told() -> Result<()> {
    let app = App::start().await?;
    let list = app.root().join("list.ndjson");
    std::fs::write(&list, "{\"sid\":\"SM1\"}\n{}\n")?;
    let against = list.display().to_string();
    for (arguments, code, words) in [
        (vec!["reconcile", "--day", "yesterday"], 2, "yesterday"),
        (vec!["reconcile", "--against", "x"], 2, "--provider"),
        (vec!["reconcile", "--provider", "twilio", "--against", &against], 1, "line 2"),
        (vec!["reconcile", "--provider", "twilio", "--against", "/nowhere"], 1, "cannot be opened"),
    ] {
        let output = app.run(&arguments).await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
    let shop = app.sender("shop").await?;
    let refused = shop.ask("{ reconciliation(day: \"2026-11-21\") { more } }", json!({})).await?;
    assert_eq!(refused.code()?, "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn what_texts_cost_is_told_and_summed_and_the_metrics_show_what_a_provider_is_asked_for() -> Result<()> {
    let prices = [("BONGSU_PROVIDERS__TWILIO__PRICE_PER_SEGMENT", "KR 9.9 KRW,* 0.05 USD"), ("BONGSU_PROVIDERS__TWILIO__RATE", "50")];
    let app = App::with_environment("", &prices).await?;
    let shop = app.sender("shop").await?;
    let korean = text(&shop, "+821023456789", "sent").await?;
    text(&shop, "+12125550123", "sent").await?;
    says(step(&explain(&shop, &korean).await?, "Sent")?, &["sent: the provider took it as SM", "; 1 segment, 9.9 KRW"]);
    let told = shop.notification(&korean).await?;
    let day = told["events"][0]["at"].as_str().and_then(|at| at.get(..10)).context("no day")?;
    let query = "query($day: NaiveDate!) { reconciliation(day: $day, provider: \"twilio\") { rows { segments costs { amount currency } } } }";
    let books = app.admin.query(query, json!({ "day": day })).await?["reconciliation"].clone();
    let costs = json!([{ "amount": "9.9", "currency": "KRW" }, { "amount": "0.05", "currency": "USD" }]);
    assert_eq!(books["rows"][0], json!({ "segments": 2, "costs": costs }), "{books:#}");
    let output = app.run(&["reconcile", "--day", day, "--provider", "twilio"]).await?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("9.9 KRW + 0.05 USD"), "{words}");
    let (_, figures) = app.admin.get("/metrics").await?;
    for line in
        ["bongsu_provider_share{provider=\"twilio\"} 1", "bongsu_provider_concurrency{provider=\"twilio\"} 20", "bongsu_provider_rate{provider=\"twilio\"} 50"]
    {
        assert!(figures.lines().any(|known| known == line), "{line} is missing in {figures}");
    }
    assert!(!figures.contains("bongsu_provider_rate{provider=\"fcm\"}"), "{figures}");
    Ok(())
}
