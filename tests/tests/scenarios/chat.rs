//! Messages in a team's chat.

use crate::told::{events, fails_at_once, sent_by_the_second, sent_over, unknown_then_sent};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// A recipient at an incoming webhook, named after the behaviour that it asks for.
async fn at(app: &App, shop: &Client, last: &str) -> Result<()> {
    shop.upsert_recipient(json!({ "id": last, "slack": app.simulators.slack(last)? })).await
}

#[tokio::test]
async fn a_message_arrives_in_the_chat_and_its_url_stays_a_secret() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    at(&app, &shop, "ops").await?;
    let notification = sent_over(&shop, "ops", "CHAT", "sent").await?;
    let calls = app.simulators.calls_for(notification["id"].as_str().context("no id")?).await?;
    assert_eq!((calls.len(), &calls[0]["provider"], &calls[0]["delivered"]), (1, &json!("slack"), &json!(true)), "{calls:?}");
    let data = shop.query("{ recipient(id: \"ops\") { addresses { channel value } } }", json!({})).await?;
    assert_eq!(data["recipient"]["addresses"], json!([{ "channel": "CHAT", "value": null }]));
    Ok(())
}

#[tokio::test]
async fn every_answer_of_slack_is_taken_for_what_it_means() -> Result<()> {
    let app = App::with_environment("", &[("BONGSU_PROVIDERS__SLACK__TIMEOUT", "1s")]).await?;
    let shop = app.sender("shop").await?;
    let silent = ["drop-a", "reset-a", "garbage-a", "empty-a"];
    for last in silent.iter().chain(&["gone-a", "archived-a", "prohibited-a", "invalid-a", "busy-a", "flaky-a", "ghost-a", "hang-a"]) {
        at(&app, &shop, last).await?;
    }
    for (last, code) in [
        ("gone-a", "404 no_service"),
        ("archived-a", "410 channel_is_archived"),
        ("prohibited-a", "403 action_prohibited"),
        ("invalid-a", "400 invalid_payload"),
    ] {
        fails_at_once(&shop, last, "CHAT", code).await?;
    }
    let suppressed = sent_over(&shop, "gone-a", "CHAT", "suppressed").await?;
    assert_eq!(suppressed["suppressions"][0]["rule"], "no_address", "{suppressed:#}");
    let (notification, calls) = sent_by_the_second(&app, &shop, "busy-a", "CHAT").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    for last in ["flaky-a", "ghost-a"] {
        let (notification, _) = sent_by_the_second(&app, &shop, last, "CHAT").await?;
        assert_eq!(events(&notification, "AttemptFailed")?[0]["class"], "transient", "{notification:#}");
    }
    for last in silent {
        unknown_then_sent(&app, &shop, last, "CHAT").await?;
    }
    let hanging = sent_over(&shop, "hang-a", "CHAT", "dead_lettered").await?;
    assert_eq!(events(&hanging, "AttemptUnknown")?.len(), 2, "{hanging:#}");
    Ok(())
}

#[tokio::test]
async fn a_url_elsewhere_is_no_chat() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    for bad in
        [app.simulators.webhook("services/T01/B01/a")?, app.simulators.slack("a/b")?, "https://hooks.slack.com/services/T01/B01/a".to_owned(), "x".to_owned()]
    {
        let refused: Value = shop.attempt("upsertRecipient", "UpsertRecipientInput", "... on Refused { field }", json!({ "id": "ops", "slack": bad })).await?;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("INVALID_SLACK_URL"), &json!("slack")), "{bad}: {refused}");
    }
    Ok(())
}
