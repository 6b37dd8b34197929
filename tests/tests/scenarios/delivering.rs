//! Over every channel to the provider and back into the history.

use anyhow::Result;
use serde_json::json;
use tests::App;

#[tokio::test]
async fn every_channel_reaches_its_provider_once_and_the_story_tells_it() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK", "IN_APP"] })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.await_calls(&sent.id, 4).await?;
    let mut providers: Vec<&str> = calls.iter().filter_map(|call| call["provider"].as_str()).collect();
    providers.sort_unstable();
    assert_eq!(providers, ["apns", "fcm", "smtp", "webhook"]);
    assert!(calls.iter().all(|call| call["delivered"] == true && call["duplicate"] == false), "{calls:?}");
    let deliveries = notification["deliveries"].as_array().map_or(0, Vec::len);
    assert_eq!(deliveries, 5, "{notification:#}");
    let story = shop.story(&sent.id).await?;
    assert_eq!(story.iter().filter(|event| *event == "AttemptStarted").count(), 4, "{story:?}");
    Ok(())
}
