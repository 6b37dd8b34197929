//! Text messages, by Twilio and by Vonage.

use crate::told::{events, fails_at_once, held, sent_by_the_second, sent_over, unknown_then_sent};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// Twilio's place is taken by Vonage.
const VONAGE: [(&str, &str); 2] = [("BONGSU_PROVIDERS__TWILIO__ENABLED", "false"), ("BONGSU_PROVIDERS__VONAGE__ENABLED", "true")];

/// Less patience than a hanging provider has.
const IMPATIENT: [(&str, &str); 2] = [("BONGSU_PROVIDERS__TWILIO__TIMEOUT", "1s"), ("BONGSU_PROVIDERS__VONAGE__TIMEOUT", "1s")];

async fn by_vonage() -> Result<App> {
    App::with_environment("", &[VONAGE, IMPATIENT].concat()).await
}

/// A recipient at each number.
async fn at(shop: &Client, numbers: &[&str]) -> Result<()> {
    for number in numbers {
        shop.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    }
    Ok(())
}

async fn arrives(app: &App, provider: &str) -> Result<()> {
    let shop = app.sender("shop").await?;
    // However it is written, it is one number.
    shop.upsert_recipient(json!({ "id": "alice", "phone": "+82 (10) 2345-6789" })).await?;
    let long = json!({ "channels": ["SMS"], "content": { "title": "주문", "body": "가".repeat(70) } });
    let sent = shop.send("alice", long).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!((calls.len(), &calls[0]["provider"], &calls[0]["segments"]), (1, &json!(provider), &json!(2)), "{calls:?}");
    assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    let messages = app.simulators.messages(provider).await?;
    assert_eq!(messages[0]["address"].as_str().map(|to| to.trim_start_matches('+')), Some("821023456789"), "{messages:?}");
    // Not without being named.
    let plain = shop.send("alice", json!({ "channels": null })).await?;
    shop.await_status(&plain.id, "sent").await?;
    assert_eq!(app.simulators.calls_for(&plain.id).await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn a_text_message_arrives_by_twilio_where_it_is_named() -> Result<()> {
    arrives(&App::start().await?, "twilio").await
}

#[tokio::test]
async fn a_text_message_arrives_by_vonage_where_it_is_named() -> Result<()> {
    arrives(&by_vonage().await?, "vonage").await
}

#[tokio::test]
async fn every_answer_of_twilio_is_taken_for_what_it_means() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    let shop = app.sender("shop").await?;
    let refused = [("+15005550009", "400 21614"), ("+15005550004", "400 21610"), ("+15005550003", "400 21408"), ("+15005561201", "400 21617")];
    let (throttled, created) = ("+15005560801", ["+15005560101", "+15005560201"]);
    let silent = ["+15005560301", "+15005560401", "+15005560501", "+15005560901"];
    at(&shop, &created).await?;
    at(&shop, &refused.map(|(number, _)| number)).await?;
    at(&shop, &silent).await?;
    at(&shop, &[throttled, "+15005550001", "+15005560601", "+15005561001"]).await?;
    for (number, code) in refused {
        fails_at_once(&shop, number, "SMS", code).await?;
    }
    // What is no number at all is suppressed.
    fails_at_once(&shop, "+15005550001", "SMS", "400 21211").await?;
    let suppressed = sent_over(&shop, "+15005550001", "SMS", "suppressed").await?;
    assert_eq!(suppressed["suppressions"][0]["rule"], "address_suppressed", "{suppressed:#}");

    let (notification, calls) = sent_by_the_second(&app, &shop, throttled, "SMS").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    for number in silent {
        let calls = unknown_then_sent(&app, &shop, number, "SMS").await?;
        assert_eq!((&calls[0]["delivered"], &calls[1]["duplicate"]), (&json!(false), &json!(false)), "{number}: {calls:?}");
    }
    // Created although nobody said so: it is found there, and not sent again.
    for number in created {
        let notification = sent_over(&shop, number, "SMS", "sent").await?;
        let calls = app.simulators.calls_for(notification["id"].as_str().context("no id")?).await?;
        assert_eq!((calls.len(), events(&notification, "AttemptUnknown")?.len()), (1, 1), "{number}: {calls:?}");
        assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    }
    // Never an answer: once more, then it is left to a person.
    let hanging = sent_over(&shop, "+15005560601", "SMS", "dead_lettered").await?;
    assert_eq!(events(&hanging, "AttemptUnknown")?.len(), 2, "{hanging:#}");
    held(&app, &shop, "+15005561001", "SMS", "twilio").await
}

#[tokio::test]
async fn every_answer_of_vonage_is_taken_for_what_it_means() -> Result<()> {
    let app = by_vonage().await?;
    let shop = app.sender("shop").await?;
    let refused = [("+15005550009", "status 7"), ("+15005550003", "status 6"), ("+15005561201", "status 3")];
    let (throttled, failing) = ("+15005560801", ["+15005560901", "+15005560201"]);
    let silent = ["+15005560101", "+15005560301", "+15005560401", "+15005560501"];
    at(&shop, &refused.map(|(number, _)| number)).await?;
    at(&shop, &silent).await?;
    at(&shop, &failing).await?;
    at(&shop, &[throttled, "+15005560601", "+15005561101"]).await?;
    for (number, code) in refused {
        fails_at_once(&shop, number, "SMS", code).await?;
    }
    let (notification, calls) = sent_by_the_second(&app, &shop, throttled, "SMS").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    for number in failing {
        let (notification, _) = sent_by_the_second(&app, &shop, number, "SMS").await?;
        assert_eq!(events(&notification, "AttemptFailed")?[0]["class"], "transient", "{notification:#}");
    }
    for number in silent {
        unknown_then_sent(&app, &shop, number, "SMS").await?;
    }
    let hanging = sent_over(&shop, "+15005560601", "SMS", "dead_lettered").await?;
    assert_eq!(events(&hanging, "AttemptUnknown")?.len(), 2, "{hanging:#}");
    held(&app, &shop, "+15005561101", "SMS", "vonage").await
}

#[tokio::test]
async fn phone_numbers_that_are_none_are_refused_and_one_number_serves_all_its_channels() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    for bad in ["010-2345-6789", "+82", "+999 1234567", "+44 (0)20 7946 0000", "+82 10 2345 6789 ext 5"] {
        let refused = shop.attempt("upsertRecipient", "UpsertRecipientInput", "... on Refused { field }", json!({ "id": "alice", "phone": bad })).await?;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("INVALID_PHONE"), &json!("phone")), "{bad}: {refused}");
        assert!(refused["message"].as_str().is_some_and(|message| message.len() > 20), "{refused}");
    }
    shop.upsert_recipient(json!({ "id": "alice", "phone": "+82 10 2345 6789" })).await?;
    let addresses = "query { recipient(id: \"alice\") { addresses { channel value } } }";
    let data = shop.query(addresses, json!({})).await?;
    let number = "+821023456789";
    let each = ["SMS", "VOICE", "KAKAO_TALK"].map(|channel| json!({ "channel": channel, "value": number }));
    assert_eq!(data["recipient"]["addresses"], json!(each));
    shop.upsert_recipient(json!({ "id": "alice", "phone": null })).await?;
    assert_eq!(shop.query(addresses, json!({})).await?["recipient"]["addresses"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_check_asks_the_providers_and_sends_nothing() -> Result<()> {
    let app = App::start().await?;
    let config = app.config().display().to_string();
    for (environment, provider) in [(vec![], "twilio"), (VONAGE.to_vec(), "vonage")] {
        let output = tests::process::run(&["check", "--json", "--config", &config], app.root(), &environment).await?;
        let findings: Value = serde_json::from_slice(&output.stdout)?;
        let verdict = findings.as_array().into_iter().flatten().find(|one| one["what"] == format!("provider {provider}")).context("not looked at")?;
        assert_eq!(verdict["verdict"], "ok", "{verdict}");
    }
    // Apple is asked by a request that it refuses.
    let calls = app.simulators.ledger().await?;
    assert!(calls.iter().all(|call| call["provider"] == "apns" && call["delivered"] == false), "{calls:?}");
    Ok(())
}
