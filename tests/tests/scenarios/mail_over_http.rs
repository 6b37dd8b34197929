//! E-mail by SendGrid and by Mailgun.

use crate::told::{events, fails_at_once, held, sent_by_the_second, sent_over, unknown_then_sent};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const SENDGRID: [(&str, &str); 3] =
    [("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "true"), ("BONGSU_PROVIDERS__SENDGRID__TIMEOUT", "1s")];
const MAILGUN: [(&str, &str); 3] =
    [("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__MAILGUN__ENABLED", "true"), ("BONGSU_PROVIDERS__MAILGUN__TIMEOUT", "1s")];
const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";

/// A recipient at each address, named after the behaviour that it asks for.
async fn at(shop: &Client, words: &[&str]) -> Result<()> {
    for word in words {
        shop.upsert_recipient(json!({ "id": word, "email": format!("{word}@example.org") })).await?;
    }
    Ok(())
}

async fn arrives(environment: &[(&str, &str)], provider: &str, parts: &[&str]) -> Result<()> {
    let app = App::with_environment(LINKS, environment).await?;
    let shop = app.sender("shop").await?;
    at(&shop, &["alice"]).await?;
    let content = json!({ "title": "Paid", "body": "Order 42", "html": "<b>Order 42</b>" });
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"], "content": content })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!((calls.len(), &calls[0]["provider"]), (1, &json!(provider)), "{calls:?}");
    assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    let messages = app.simulators.messages(provider).await?;
    let raw = messages[0]["raw"].as_str().context("no text")?;
    for part in parts.iter().copied().chain(["alice@example.org", "Paid", "<b>Order 42</b>", "<https://notify.example.com/", "List-Unsubscribe=One-Click"]) {
        assert!(raw.contains(part), "{part} is missing in {raw}");
    }
    assert!(raw.contains(&format!("<{}.0@example.com>", sent.id)) && raw.contains("auto-generated"), "{raw}");
    Ok(())
}

#[tokio::test]
async fn a_mail_arrives_by_sendgrid_with_its_way_out() -> Result<()> {
    arrives(&SENDGRID, "sendgrid", &["\"List-Unsubscribe\":", "\"subject\":"]).await
}

#[tokio::test]
async fn a_mail_arrives_by_mailgun_with_its_way_out() -> Result<()> {
    arrives(&MAILGUN, "mailgun", &["name=\"h:List-Unsubscribe\"", "name=\"subject\""]).await
}

/// What both answer in the same way.
async fn answers(environment: &[(&str, &str)], provider: &str) -> Result<()> {
    let app = App::with_environment("", environment).await?;
    let shop = app.sender("shop").await?;
    let silent = ["drop", "ghost", "reset", "garbage", "empty", "flaky"];
    at(&shop, &silent).await?;
    at(&shop, &["bounce", "toolarge", "refused", "busy", "hang", "sender"]).await?;
    fails_at_once(&shop, "toolarge", "EMAIL", "413").await?;
    fails_at_once(&shop, "refused", "EMAIL", "400").await?;
    fails_at_once(&shop, "bounce", "EMAIL", "400 recipient").await?;
    let suppressed = sent_over(&shop, "bounce", "EMAIL", "suppressed").await?;
    assert_eq!(suppressed["suppressions"][0]["rule"], "address_suppressed", "{suppressed:#}");
    let (notification, calls) = sent_by_the_second(&app, &shop, "busy", "EMAIL").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    for word in silent {
        unknown_then_sent(&app, &shop, word, "EMAIL").await?;
    }
    // The repeat of what had arrived is the same mail by its Message-ID.
    let mails = app.simulators.messages(provider).await?;
    let id = |mail: &Value| mail["raw"].as_str().and_then(|raw| Some(raw.split("@example.com>").next()?.rsplit('<').next()?.to_owned()));
    let dropped: Vec<_> = mails.iter().filter(|mail| mail["address"] == "drop@example.org").map(id).collect();
    assert!(dropped.len() == 2 && dropped[0].is_some() && dropped[0] == dropped[1], "{dropped:?}");
    let hanging = sent_over(&shop, "hang", "EMAIL", "dead_lettered").await?;
    assert_eq!(events(&hanging, "AttemptUnknown")?.len(), 2, "{hanging:#}");
    held(&app, &shop, "sender", "EMAIL", provider).await
}

#[tokio::test]
async fn every_answer_of_sendgrid_is_taken_for_what_it_means() -> Result<()> {
    answers(&SENDGRID, "sendgrid").await
}

#[tokio::test]
async fn every_answer_of_mailgun_is_taken_for_what_it_means() -> Result<()> {
    answers(&MAILGUN, "mailgun").await
}

#[tokio::test]
async fn a_check_asks_each_provider_of_mail() -> Result<()> {
    let app = App::start().await?;
    let config = app.config().display().to_string();
    for (environment, provider) in [(&SENDGRID, "sendgrid"), (&MAILGUN, "mailgun")] {
        let output = tests::process::run(&["check", "--json", "--config", &config], app.root(), environment).await?;
        let findings: Value = serde_json::from_slice(&output.stdout)?;
        for what in [provider, "twilio_voice"] {
            let verdict = findings.as_array().into_iter().flatten().find(|one| one["what"] == format!("provider {what}")).context("not looked at")?;
            assert_eq!(verdict["verdict"], "ok", "{verdict}");
        }
    }
    assert!(app.simulators.ledger().await?.iter().all(|call| call["delivered"] == false));
    Ok(())
}
