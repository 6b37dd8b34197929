//! Whom messages come from: what category and sender say, and what the configuration allows.

use crate::explaining::{explain, says, step};
use crate::told::events;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const ALLOWED: [(&str, &str); 3] = [
    ("BONGSU_PROVIDERS__SMTP__ALSO_FROM", "@example.com"),
    ("BONGSU_PROVIDERS__TWILIO__ALSO_FROM", "ORDERS"),
    ("BONGSU_PROVIDERS__TWILIO_VOICE__ALSO_FROM", "+15005550100"),
];

async fn define(app: &App, key: &str, from: Value) -> Result<Value> {
    let input = json!({ "key": key, "name": key, "from": from });
    app.admin
        .attempt(
            "defineCategory",
            "DefineCategoryInput",
            "... on CategoryChanged { category { from { email { address name } sms voice } } } ... on Refused { code field message }",
            input,
        )
        .await
}

async fn sent(shop: &Client, category: &str, channel: &str) -> Result<Value> {
    let sent = shop.send("alice", json!({ "channels": [channel], "category": category })).await?;
    shop.await_status(&sent.id, "sent").await
}

async fn last_raw(app: &App, provider: &str) -> Result<String> {
    let messages = app.simulators.messages(provider).await?;
    Ok(messages.last().and_then(|message| message["raw"].as_str()).context("no message")?.to_owned())
}

#[tokio::test]
async fn the_category_says_whom_messages_come_from_else_the_sender_else_the_provider() -> Result<()> {
    let app = App::with_environment("", &ALLOWED).await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "alice@example.org", "phone": "+821023456789" })).await?;
    let from = json!({ "email": { "address": "orders@example.com", "name": "Acme Orders" }, "sms": "ORDERS", "voice": "+15005550100" });
    let defined = define(&app, "orders", from.clone()).await?;
    assert_eq!(defined["category"]["from"], from, "{defined:#}");
    define(&app, "news", json!(null)).await?;
    // The category's.
    let mail = sent(&shop, "orders", "EMAIL").await?;
    assert_eq!(events(&mail, "AttemptStarted")?[0]["from"], "Acme Orders <orders@example.com>", "{mail:#}");
    let id = mail["id"].as_str().context("no id")?;
    says(step(&explain(&shop, id).await?, "AttemptStarted")?, &["attempt 1 by smtp as Acme Orders <orders@example.com>"]);
    assert!(
        last_raw(&app, "smtp").await?.contains("From: \"Acme Orders\" <orders@example.com>")
            || last_raw(&app, "smtp").await?.contains("From: Acme Orders <orders@example.com>")
    );
    for (channel, provider, from) in [("SMS", "twilio", "From=ORDERS"), ("VOICE", "twilio_voice", "From=%2B15005550100")] {
        sent(&shop, "orders", channel).await?;
        let raw = last_raw(&app, provider).await?;
        assert!(raw.contains(from), "{raw}");
    }
    // The provider's own, of which nothing is written down.
    let plain = sent(&shop, "news", "EMAIL").await?;
    assert_eq!(events(&plain, "AttemptStarted")?[0]["from"], json!(null), "{plain:#}");
    assert!(last_raw(&app, "smtp").await?.contains("<notify@example.com>"));
    // The sender's, where the category says nothing; the category's goes before it.
    let named = json!({ "key": "shop", "name": "Shop", "from": { "email": { "address": "shop@example.com" } } });
    app.admin.mutate("registerSender", "RegisterSenderInput", "", named).await?;
    let by_sender = sent(&shop, "news", "EMAIL").await?;
    assert_eq!(events(&by_sender, "AttemptStarted")?[0]["from"], "shop@example.com", "{by_sender:#}");
    let by_category = sent(&shop, "orders", "EMAIL").await?;
    assert_eq!(events(&by_category, "AttemptStarted")?[0]["from"], "Acme Orders <orders@example.com>");
    let senders = app.admin.query("{ senders { key from { email { address } sms } } }", json!({})).await?;
    assert!(
        senders["senders"]
            .as_array()
            .is_some_and(|all| all.contains(&json!({ "key": "shop", "from": { "email": { "address": "shop@example.com" }, "sms": null } }))),
        "{senders:#}"
    );
    Ok(())
}

#[tokio::test]
async fn nobody_sends_from_what_the_configuration_does_not_allow() -> Result<()> {
    let mut app = App::with_environment("", &ALLOWED).await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "alice@example.org" })).await?;
    for (from, code) in [
        (json!({ "email": { "address": "ceo@elsewhere.example" } }), "FROM_NOT_ALLOWED"),
        (json!({ "sms": "BANK" }), "FROM_NOT_ALLOWED"),
        (json!({ "email": { "address": "a@example.com\r\nBcc: all@example.com" } }), "FROM_INVALID"),
        (json!({ "email": { "address": "a@example.com", "name": "A\nBcc: b@example.com" } }), "FROM_INVALID"),
        (json!({ "voice": "ORDERS" }), "FROM_INVALID"),
    ] {
        let refused = define(&app, "orders", from.clone()).await?;
        assert_eq!((&refused["code"], &refused["field"]), (&json!(code), &json!("from")), "{from}: {refused:#}");
    }
    // Neither may a sender's key say it.
    let input = json!({ "key": "orders", "name": "Orders", "from": { "sms": "ORDERS" } });
    let answer = shop.ask("mutation($input: DefineCategoryInput!) { defineCategory(input: $input) { __typename } }", json!({ "input": input })).await?;
    assert!(format!("{answer:?}").contains("FORBIDDEN"), "{answer:?}");
    // What was allowed once and is not any more comes from the provider's own address again.
    define(&app, "orders", json!({ "email": { "address": "orders@example.com" } })).await?;
    assert_eq!(events(&sent(&shop, "orders", "EMAIL").await?, "AttemptStarted")?[0]["from"], "orders@example.com");
    app.stop().await?;
    app.set_variable("BONGSU_PROVIDERS__SMTP__ALSO_FROM", "@mail.example.com");
    app.start_server().await?;
    assert_eq!(events(&sent(&shop, "orders", "EMAIL").await?, "AttemptStarted")?[0]["from"], json!(null));
    assert!(last_raw(&app, "smtp").await?.contains("<notify@example.com>"));
    Ok(())
}
