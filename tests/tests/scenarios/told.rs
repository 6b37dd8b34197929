//! What became of a notification over one channel, for the scenarios that go through every answer of
//! a provider.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// The payloads of the events of a type, in order.
pub(crate) fn events(notification: &Value, kind: &str) -> Result<Vec<Value>> {
    let events = notification["events"].as_array().with_context(|| format!("no events: {notification:#}"))?;
    let of_kind = events.iter().filter(|event| event["type"] == kind);
    of_kind.map(|event| serde_json::from_str(event["payload"].as_str().context("no payload")?).map_err(Into::into)).collect()
}

/// Sends over one channel and waits for the end of it.
pub(crate) async fn sent_over(client: &Client, to: &str, channel: &str, status: &str) -> Result<Value> {
    let sent = client.send(to, json!({ "channels": [channel] })).await?;
    client.await_status(&sent.id, status).await
}

/// It fails for good by the first attempt, with this code.
pub(crate) async fn fails_at_once(client: &Client, to: &str, channel: &str, code: &str) -> Result<()> {
    let notification = sent_over(client, to, channel, "failed").await?;
    assert_eq!(notification["deliveries"][0]["attempts"], 1, "{notification:#}");
    assert_eq!(events(&notification, "Failed")?[0]["code"], code, "{notification:#}");
    Ok(())
}

/// It is sent by the second attempt; gives the verdict of the first call, and whether it arrived twice.
pub(crate) async fn sent_by_the_second(app: &App, client: &Client, to: &str, channel: &str) -> Result<(Value, Vec<Value>)> {
    let notification = sent_over(client, to, channel, "sent").await?;
    let calls = app.simulators.calls_for(notification["id"].as_str().context("no id")?).await?;
    assert_eq!(calls.len(), 2, "{to}: {calls:?}");
    assert_eq!(calls[1]["verdict"], "accepted", "{to}: {calls:?}");
    Ok((notification, calls))
}

/// The outcome of the first attempt was not known, and the story says so and marks the repeat.
pub(crate) async fn unknown_then_sent(app: &App, client: &Client, to: &str, channel: &str) -> Result<Vec<Value>> {
    let (notification, calls) = sent_by_the_second(app, client, to, channel).await?;
    assert_eq!(events(&notification, "AttemptUnknown")?.len(), 1, "{to}: {notification:#}");
    assert_eq!(events(&notification, "AttemptFailed")?, Vec::<Value>::new(), "{to}");
    assert_eq!(events(&notification, "RetryScheduled")?[0]["after_unknown"], true, "{to}: {notification:#}");
    Ok(calls)
}

/// Waits until operators are told that our credentials or settings for a provider are wrong.
pub(crate) async fn told_as_misconfigured(app: &App, provider: &str) -> Result<()> {
    tests::until(&format!("{provider} is misconfigured"), async || {
        let data = app.admin.query("{ status { providers { name breaker } } }", json!({})).await?;
        let found = data["status"]["providers"].as_array().into_iter().flatten().any(|one| one["name"] == provider && one["breaker"] == "misconfigured");
        Ok(found.then_some(()))
    })
    .await
    .map(|_| ())
}

/// Wrong credentials or settings: the provider is held with what is queued, and nothing fails.
pub(crate) async fn held(app: &App, client: &Client, to: &str, channel: &str, provider: &str) -> Result<()> {
    let sent = client.send(to, json!({ "channels": [channel] })).await?;
    told_as_misconfigured(app, provider).await?;
    tests::until("it is held", async || {
        let notification = client.notification(&sent.id).await?;
        Ok((notification["deliveries"][0]["status"] == "waiting").then_some(()))
    })
    .await?;
    let story = client.story(&sent.id).await?;
    assert!(story.contains(&"Held".to_owned()) && !story.contains(&"AttemptFailed".to_owned()), "{story:?}");
    Ok(())
}

/// Sends a push to alice whose call hangs, and waits until it is under way; gives its id.
pub(crate) async fn under_way(app: &App, shop: &Client) -> Result<String> {
    app.recipient(shop, "alice").await?;
    app.simulators.rule("fcm", json!("hang")).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&sent.id, 1).await?;
    Ok(sent.id)
}

/// The server is killed and comes back, to providers that are well.
pub(crate) async fn killed_and_back(app: &mut App) -> Result<()> {
    app.kill().await?;
    app.simulators.behave().await?;
    app.start_server().await
}
