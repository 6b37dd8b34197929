//! Push to browsers.

use crate::told::{events, fails_at_once, held, sent_by_the_second, sent_over, unknown_then_sent};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// A recipient with one browser, named after the behaviour that its endpoint asks for.
async fn browser(app: &App, shop: &Client, path: &str) -> Result<()> {
    shop.upsert_recipient(json!({ "id": path })).await?;
    shop.register_browser(path, app.simulators.subscription(path).await?).await
}

#[tokio::test]
async fn the_browser_reads_what_was_sent_and_nobody_in_between() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    browser(&app, &shop, "alice").await?;
    let notification = sent_over(&shop, "alice", "WEB_PUSH", "sent").await?;
    let id = notification["id"].as_str().context("no id")?;
    let calls = app.simulators.calls_for(id).await?;
    assert_eq!((calls.len(), &calls[0]["provider"], &calls[0]["delivered"]), (1, &json!("web_push"), &json!(true)), "{calls:?}");
    assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    let read: Value = serde_json::from_str(app.simulators.messages("web_push").await?[0]["raw"].as_str().context("nothing was read")?)?;
    assert_eq!((&read["nid"], &read["tag"], &read["attempt"]), (&notification["id"], &notification["id"], &json!(1)), "{read}");
    Ok(())
}

#[tokio::test]
async fn every_answer_of_a_push_service_is_taken_for_what_it_means() -> Result<()> {
    let app = App::with_environment("", &[("BONGSU_PROVIDERS__WEB_PUSH__TIMEOUT", "1s")]).await?;
    let shop = app.sender("shop").await?;
    let silent = ["drop-a", "reset-a", "garbage-a", "empty-a"];
    for path in silent.iter().chain(&["gone-a", "missing-a", "toolarge-a", "otherkey-a", "busy-a", "flaky-a", "ghost-a", "hang-a"]) {
        browser(&app, &shop, path).await?;
    }
    // Gone: the subscription is dropped.
    for (path, code) in [("gone-a", "410"), ("missing-a", "404")] {
        fails_at_once(&shop, path, "WEB_PUSH", code).await?;
        let suppressed = sent_over(&shop, path, "WEB_PUSH", "suppressed").await?;
        assert_eq!(suppressed["suppressions"][0]["rule"], "no_address", "{suppressed:#}");
    }
    fails_at_once(&shop, "toolarge-a", "WEB_PUSH", "413").await?;
    let (notification, calls) = sent_by_the_second(&app, &shop, "busy-a", "WEB_PUSH").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    for path in ["flaky-a", "ghost-a"] {
        let (notification, _) = sent_by_the_second(&app, &shop, path, "WEB_PUSH").await?;
        assert_eq!(events(&notification, "AttemptFailed")?[0]["class"], "transient", "{notification:#}");
    }
    for path in silent {
        unknown_then_sent(&app, &shop, path, "WEB_PUSH").await?;
    }
    // The service took our key from others: this browser subscribed under another one.
    fails_at_once(&shop, "otherkey-a", "WEB_PUSH", "403").await?;
    let hanging = shop.send("hang-a", json!({ "channels": ["WEB_PUSH"] })).await?;
    tests::until("it is not known", async || Ok(shop.story(&hanging.id).await?.contains(&"AttemptUnknown".to_owned()).then_some(()))).await
}

#[tokio::test]
async fn a_key_that_no_browser_subscribed_under_holds_the_provider() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    browser(&app, &shop, "otherkey-a").await?;
    held(&app, &shop, "otherkey-a", "WEB_PUSH", "web_push").await
}

#[tokio::test]
async fn subscriptions_that_are_none_or_lead_inside_are_refused() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    let good = app.simulators.subscription("alice").await?;
    let with = |field: &str, value: &str| {
        let mut bad = good.clone();
        bad[field] = json!(value);
        json!({ "recipient": "alice", "channel": "WEB_PUSH", "subscription": bad })
    };
    for (input, code) in [
        (with("endpoint", "http://192.168.0.1:8080/push/a"), "DESTINATION_BLOCKED"),
        (with("endpoint", "https://push.example.net:25/a"), "INVALID_URL"),
        (with("endpoint", "push.example.net"), "INVALID_URL"),
        (with("p256dh", "AAAA"), "INVALID_KEY"),
        (with("auth", "AAAA"), "INVALID_KEY"),
        (json!({ "recipient": "alice", "channel": "WEB_PUSH" }), "SUBSCRIPTION_NEEDED"),
        (json!({ "recipient": "alice", "channel": "WEB_PUSH", "token": "t" }), "SUBSCRIPTION_NEEDED"),
        (json!({ "recipient": "alice", "channel": "ANDROID_PUSH", "subscription": good.clone() }), "TOKEN_NEEDED"),
        (json!({ "recipient": "alice", "channel": "SMS", "token": "t" }), "NOT_A_DEVICE_CHANNEL"),
    ] {
        let refused = shop.attempt("registerDevice", "RegisterDeviceInput", "", input.clone()).await?;
        assert_eq!(refused["code"], code, "{input}: {refused}");
    }
    shop.register_browser("alice", good.clone()).await?;
    // By its endpoint, which is what the browser knows it by.
    let input = json!({ "recipient": "alice", "device": good["endpoint"] });
    shop.mutate("removeDevice", "RemoveDeviceInput", "", input).await?;
    let suppressed = sent_over(&shop, "alice", "WEB_PUSH", "suppressed").await?;
    assert_eq!(suppressed["suppressions"][0]["rule"], "no_address", "{suppressed:#}");
    Ok(())
}

#[tokio::test]
async fn a_generated_key_is_one_that_the_server_takes() -> Result<()> {
    let app = App::start().await?;
    let file = app.root().join("own.key").display().to_string();
    let output = tests::process::run(&["vapid", "generate", "--out", &file, "--json"], app.root(), &[]).await?;
    let made: Value = serde_json::from_slice(&output.stdout)?;
    assert!(made["private_key"].is_null() && made["public_key"].as_str().is_some_and(|key| key.len() == 87), "{made}");
    let again = tests::process::run(&["vapid", "generate", "--out", &file], app.root(), &[]).await?;
    assert_eq!(again.status.code(), Some(2), "a key in use is not replaced");
    let printed = String::from_utf8(tests::process::run(&["vapid", "generate"], app.root(), &[]).await?.stdout)?;
    let config = app.root().join("vapid.toml");
    for text in [printed, format!("[providers.web_push]\nprivate_key_file = {file:?}\nsubject = \"mailto:a@example.com\"\n")] {
        std::fs::write(&config, &text)?;
        let output = tests::process::run(&["check", "--offline", "--json", "--config", &config.display().to_string()], app.root(), &[]).await?;
        let findings: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("{text}\n{}", String::from_utf8_lossy(&output.stderr)))?;
        let ours = findings.as_array().into_iter().flatten().find(|one| one["what"] == "provider web_push").context("not looked at")?;
        assert_eq!((&ours["verdict"], &ours["detail"]), (&json!("ok"), &json!("configured, not asked")), "{text}");
    }
    Ok(())
}
