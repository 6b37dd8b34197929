//! Credentials that change while the server runs.

use crate::told::told_as_misconfigured;
use anyhow::Result;
use serde_json::json;
use std::time::Duration;
use tests::{App, Client};

/// Sends texts until one of them stands so; gives its id.
async fn until_one_is(shop: &Client, state: &str) -> Result<String> {
    tests::until(&format!("a text is {state}"), async || {
        let sent = shop.send("alice", json!({ "channels": ["SMS"] })).await?;
        Ok(tokio::time::timeout(Duration::from_secs(2), shop.await_delivery(&sent.id, state)).await.ok().and_then(Result::ok).map(|_| sent.id))
    })
    .await
}

#[tokio::test]
async fn another_token_is_used_without_a_restart_and_a_broken_file_changes_nothing() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "phone": "+821023456789" })).await?;
    let sent = shop.send("alice", json!({ "channels": ["SMS"] })).await?;
    shop.await_delivery(&sent.id, "sent").await?;
    let file = app.root().join("simulators").join("twilio.token");
    // No credential at all: what was there goes on.
    std::fs::write(&file, "")?;
    tests::until("it is told", async || Ok(app.printed()?.contains("the former ones go on").then_some(()))).await?;
    let sent = shop.send("alice", json!({ "channels": ["SMS"] })).await?;
    shop.await_delivery(&sent.id, "sent").await?;
    // Another one, which Twilio does not know.
    std::fs::write(&file, "00000000000000000000000000000000")?;
    let held = until_one_is(&shop, "waiting").await?;
    told_as_misconfigured(&app, "twilio").await?;
    let story = shop.story(&held).await?;
    assert!(story.contains(&"Held".to_owned()) && !story.contains(&"AttemptFailed".to_owned()), "{story:?}");
    Ok(())
}
