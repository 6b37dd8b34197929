//! Several providers on one channel: who sends what, who steps in, and where nothing goes.

use crate::explaining::{explain, says, step};
use crate::told::{events, sent_over};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const BOTH: (&str, &str) = ("BONGSU_PROVIDERS__VONAGE__ENABLED", "true");

async fn app(settings: &[(&str, &str)]) -> Result<App> {
    App::with_environment("", &[&[BOTH], settings].concat()).await
}

/// A recipient at each number, whose id is the number.
async fn at(client: &Client, numbers: &[String]) -> Result<()> {
    for number in numbers {
        client.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    }
    Ok(())
}

fn numbers(beginning: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{beginning}{number:04}")).collect()
}

async fn text_to(client: &Client, numbers: &[String]) -> Result<Vec<String>> {
    let items: Vec<Value> = numbers.iter().map(|to| json!({ "recipient": to, "channels": ["SMS"], "content": { "body": "Hello" } })).collect();
    Ok(client.send_list(&items).await?.into_iter().map(|sent| sent.id).collect())
}

/// Which providers were called for a notification, in order.
async fn called(app: &App, id: &str) -> Result<Vec<String>> {
    let name = |call: &Value| call["provider"].as_str().map(ToOwned::to_owned).context("a call of nobody");
    app.simulators.calls_for(id).await?.iter().map(name).collect()
}

async fn await_breaker(app: &App, provider: &str, wanted: &str) -> Result<()> {
    tests::until(&format!("the breaker of {provider} is {wanted}"), async || {
        let data = app.admin.query("{ status { providers { name breaker } } }", json!({})).await?;
        let found = data["status"]["providers"].as_array().into_iter().flatten().any(|one| one["name"] == provider && one["breaker"] == wanted);
        Ok(found.then_some(()))
    })
    .await
}

/// Sends until one goes by this provider.
async fn await_return(app: &App, client: &Client, to: &[String], provider: &str) -> Result<()> {
    tests::until(&format!("{provider} is used again"), async || {
        let sent = text_to(client, &to[..1]).await?;
        client.await_status(&sent[0], "sent").await?;
        Ok((called(app, &sent[0]).await? == [provider]).then_some(()))
    })
    .await
}

#[tokio::test]
async fn what_fails_at_one_provider_is_sent_by_the_next_until_the_first_is_back() -> Result<()> {
    let app = app(&[("BONGSU_PROVIDERS__TWILIO__PRIORITY", "1")]).await?;
    let shop = app.sender("shop").await?;
    let people = numbers("+821055550", 40);
    at(&shop, &people).await?;
    app.simulators.rule("vonage", json!({ "error": { "status": 503, "reason": "5" } })).await?;
    let first = sent_over(&shop, &people[0], "SMS", "sent").await?;
    assert_eq!(called(&app, first["id"].as_str().context("no id")?).await?, ["vonage", "twilio"], "{first:#}");
    let started: Vec<Value> = events(&first, "AttemptStarted")?.into_iter().map(|started| started["provider"].clone()).collect();
    assert_eq!(started, ["vonage", "twilio"]);
    for id in text_to(&shop, &people).await? {
        shop.await_status(&id, "sent").await?;
        assert_eq!(called(&app, &id).await?.last().map(String::as_str), Some("twilio"));
    }
    await_breaker(&app, "vonage", "open").await?;
    app.simulators.behave().await?;
    await_return(&app, &shop, &people, "vonage").await
}

#[tokio::test]
async fn while_twilio_answers_with_errors_vonage_sends_and_afterwards_twilio_again() -> Result<()> {
    let app = app(&[("BONGSU_PROVIDERS__VONAGE__PRIORITY", "1")]).await?;
    let shop = app.sender("shop").await?;
    let people = numbers("+821055550", 60);
    at(&shop, &people).await?;
    app.simulators.rule("twilio", json!("outage")).await?;
    text_to(&shop, &people).await?;
    await_breaker(&app, "twilio", "open").await?;
    let during = text_to(&shop, &people[..20]).await?;
    // One or two may be those by which it is tried whether Twilio is back.
    tests::until("most are sent by Vonage", async || {
        let mut sent = 0;
        for id in &during {
            sent += usize::from(called(&app, id).await? == ["vonage"]);
        }
        Ok((sent >= 15).then_some(()))
    })
    .await?;
    app.simulators.behave().await?;
    await_return(&app, &shop, &people, "twilio").await
}

#[tokio::test]
async fn the_sender_and_the_country_choose_the_provider() -> Result<()> {
    let app = app(&[("BONGSU_PROVIDERS__TWILIO__SENDERS", "bank"), ("BONGSU_PROVIDERS__VONAGE__COUNTRIES", "KR")]).await?;
    let (shop, bank) = (app.sender("shop").await?, app.sender("bank").await?);
    let (korea, america) = ("+821023456789", "+12125550123");
    at(&shop, &[korea.to_owned(), america.to_owned()]).await?;
    for (by, to, provider) in [(&shop, korea, "vonage"), (&bank, america, "twilio")] {
        let notification = sent_over(by, to, "SMS", "sent").await?;
        assert_eq!(called(&app, notification["id"].as_str().context("no id")?).await?, [provider]);
    }
    let refused = sent_over(&shop, america, "SMS", "suppressed").await?;
    let id = refused["id"].as_str().context("no id")?;
    says(step(&explain(&shop, id).await?, "Suppressed")?, &["no provider of the channel serves this sender and this country"]);
    assert_eq!(called(&app, id).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_provider_that_hangs_stops_nothing_that_another_serves() -> Result<()> {
    let routes = [
        ("BONGSU_PROVIDERS__TWILIO__COUNTRIES", "KR"),
        ("BONGSU_PROVIDERS__TWILIO__CONCURRENCY", "2"),
        ("BONGSU_PROVIDERS__TWILIO__TIMEOUT", "2m"),
        ("BONGSU_PROVIDERS__VONAGE__COUNTRIES", "US"),
    ];
    let app = app(&routes).await?;
    let shop = app.sender("shop").await?;
    let (korea, america) = (numbers("+821055550", 50), numbers("+1212555", 5));
    at(&shop, &korea).await?;
    at(&shop, &america).await?;
    app.simulators.rule("twilio", json!("hang")).await?;
    let held = text_to(&shop, &korea).await?;
    for id in text_to(&shop, &america).await? {
        shop.await_status(&id, "sent").await?;
    }
    let put_off = tests::until("who cannot be served is put off", async || {
        for id in &held {
            if shop.story(id).await?.contains(&"Postponed".to_owned()) {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    })
    .await?;
    says(step(&explain(&shop, &put_off).await?, "Postponed")?, &["none of the providers that may send it could take it"]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_allowed_to_a_country_is_refused_and_what_is_over_a_cap_waits() -> Result<()> {
    let app = App::with_environment("", &[("BONGSU_CHANNELS__SMS__COUNTRIES", "KR"), ("BONGSU_CHANNELS__SMS__CAP_PER_RANGE", "2")]).await?;
    let shop = app.sender("shop").await?;
    let korea = numbers("+821055550", 3);
    at(&shop, &korea).await?;
    at(&shop, &["+12125550123".to_owned(), "+821077770000".to_owned()]).await?;
    let refused = sent_over(&shop, "+12125550123", "SMS", "suppressed").await?;
    let id = refused["id"].as_str().context("no id")?;
    says(step(&explain(&shop, id).await?, "Suppressed")?, &["does not allow this channel to the number's country"]);
    assert_eq!(called(&app, id).await?, Vec::<String>::new());
    for to in &korea[..2] {
        sent_over(&shop, to, "SMS", "sent").await?;
    }
    let id = &text_to(&shop, &korea[2..]).await?[0];
    tests::until("it waits", async || Ok((shop.notification(id).await?["deliveries"][0]["status"] == "waiting").then_some(()))).await?;
    says(step(&explain(&shop, id).await?, "Postponed")?, &["as many as are allowed in an hour went to the numbers beside it"]);
    sent_over(&shop, "+821077770000", "SMS", "sent").await?;
    assert_eq!(called(&app, id).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_provider_of_text_messages_without_allowed_countries_is_refused_with_a_word_on_what_to_do() -> Result<()> {
    let app = App::start().await?;
    let plain = std::fs::read_to_string(app.config())?;
    let without = plain.split("[channels.sms]").next().context("no configuration")?;
    let config = app.root().join("closed.toml");
    std::fs::write(&config, without)?;
    let output = tests::process::run(&["check", "--config", &config.display().to_string(), "--offline"], app.root(), &[]).await?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("channels.sms.countries") && told.contains("channels.voice.countries") && told.contains("[\"KR\", \"US\"]"), "{told}");
    Ok(())
}
