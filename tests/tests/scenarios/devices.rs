//! Devices and addresses come, go and change hands.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const TOKEN: &str = "android:one-phone";

/// How many messages a provider took for an address. The ledger knows addresses by hash only.
async fn taken(app: &App, provider: &str, address: &str) -> Result<usize> {
    Ok(app.simulators.messages(provider).await?.iter().filter(|message| message["address"] == address).count())
}

async fn people(by: &Client) -> Result<()> {
    for id in ["alice", "bob"] {
        by.upsert_recipient(json!({ "id": id, "email": format!("{id}@example.com") })).await?;
    }
    Ok(())
}

/// The devices and addresses that a recipient has by now.
async fn registered(by: &Client, recipient: &str) -> Result<Vec<Value>> {
    let data = by.query("query($id: String!) { recipient(id: $id) { addresses { id channel value } } }", json!({ "id": recipient })).await?;
    data["recipient"]["addresses"].as_array().cloned().context("no addresses")
}

#[tokio::test]
async fn a_device_that_another_person_registers_moves_over() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    people(&shop).await?;
    shop.register_device("alice", "ANDROID_PUSH", TOKEN).await?;
    let push = json!({ "channels": ["ANDROID_PUSH"] });
    let first = shop.send("alice", push.clone()).await?;
    shop.await_status(&first.id, "sent").await?;
    assert_eq!(taken(&app, "fcm", TOKEN).await?, 1);

    // Bob's app registers it by itself: the phone was handed on.
    let bob = shop.as_recipient("bob").await?;
    bob.mutate("registerDevice", "RegisterDeviceInput", "", json!({ "channel": "ANDROID_PUSH", "token": TOKEN })).await?;
    let to_bob = shop.send("bob", push.clone()).await?;
    shop.await_status(&to_bob.id, "sent").await?;
    assert_eq!(taken(&app, "fcm", TOKEN).await?, 2);

    let to_alice = shop.attempt_send("alice", json!({ "channels": ["ANDROID_PUSH", "EMAIL"] })).await?;
    let id = to_alice["notification"]["id"].as_str().with_context(|| to_alice.to_string())?;
    shop.await_status(id, "sent").await?;
    assert_eq!(taken(&app, "smtp", "alice@example.com").await?, 1);
    assert_eq!(taken(&app, "fcm", TOKEN).await?, 2, "nothing on the phone that is Bob's now");
    assert!(registered(&shop, "alice").await?.iter().all(|address| address["channel"] != "ANDROID_PUSH"));
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_device_is_not_sent_there_once_it_is_another_persons() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    people(&shop).await?;
    shop.register_device("alice", "ANDROID_PUSH", TOKEN).await?;
    app.simulators.rule("fcm", json!("outage")).await?;
    let held = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&held.id, 1).await?;
    shop.register_device("bob", "ANDROID_PUSH", TOKEN).await?;
    let before = app.simulators.calls_for(&held.id).await?.len();
    app.simulators.behave().await?;
    let to_bob = shop.send("bob", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&to_bob.id, "sent").await?;
    let ended = shop.await_status(&held.id, "suppressed").await?;
    assert_eq!(app.simulators.calls_for(&held.id).await?.len(), before, "{ended:#}");
    Ok(())
}

#[tokio::test]
async fn no_call_begins_for_a_device_once_its_removal_is_answered() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    people(&shop).await?;
    shop.register_device("alice", "ANDROID_PUSH", TOKEN).await?;
    shop.register_device("alice", "ANDROID_PUSH", "android:another").await?;
    // Many that wait for one device, so that calls would go on if the removal did not stop them.
    app.simulators.rules(json!({ "provider": "fcm", "address_prefix": TOKEN, "action": "outage" })).await?;
    let items: Vec<Value> = (0..20).map(|_| json!({ "recipient": "alice", "channels": ["ANDROID_PUSH"], "content": { "body": "b" } })).collect();
    let sent = shop.send_list(&items).await?;
    app.simulators.await_calls(&sent[0].id, 2).await?;

    shop.mutate("removeDevice", "RemoveDeviceInput", "", json!({ "recipient": "alice", "device": TOKEN })).await?;
    // From here on the provider would take whatever still came for it.
    app.simulators.behave().await?;
    for one in &sent {
        // Its other device has it; the removed one's delivery ended without a further call.
        let notification = shop.await_status(&one.id, "sent").await?;
        let deliveries = notification["deliveries"].as_array().context("no deliveries")?;
        assert_eq!(deliveries.len(), 2, "{notification:#}");
    }
    let later = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&later.id, "sent").await?;
    for one in &sent {
        tests::until("the removed device's delivery has ended", async || {
            let notification = shop.notification(&one.id).await?;
            let over = notification["deliveries"].as_array().is_some_and(|all| all.iter().all(|one| one["status"] == "sent" || one["status"] == "suppressed"));
            Ok(over.then_some(()))
        })
        .await?;
    }
    assert_eq!(taken(&app, "fcm", "android:another").await?, sent.len() + 1);
    assert_eq!(taken(&app, "fcm", TOKEN).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_changed_address_gets_what_comes_and_the_old_one_nothing_more() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    people(&shop).await?;
    app.simulators.rule("smtp", json!("outage")).await?;
    let held = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    tests::until("it was tried", async || Ok(shop.story(&held.id).await?.contains(&"RetryScheduled".to_owned()).then_some(()))).await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "alice@new.example.com" })).await?;
    app.simulators.behave().await?;
    let next = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&next.id, "sent").await?;
    assert_eq!(taken(&app, "smtp", "alice@new.example.com").await?, 1);
    shop.await_status(&held.id, "suppressed").await?;
    assert_eq!(taken(&app, "smtp", "alice@example.com").await?, 0);
    // Null takes it away altogether.
    shop.upsert_recipient(json!({ "id": "alice", "email": null })).await?;
    assert_eq!(registered(&shop, "alice").await?, Vec::<Value>::new());
    Ok(())
}
