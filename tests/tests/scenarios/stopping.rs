//! Stopping, being killed, and starting again: what was accepted is delivered.

use crate::told::{killed_and_back, under_way};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::{App, Client};

/// Enough to be in the middle of it when the server stops.
const LOAD: usize = 300;

/// An app whose FCM takes a while for every call, and the notifications under way to it.
async fn under_load() -> Result<(App, Client, Vec<String>)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!({ "latency": { "ms": 150, "jitter_ms": 100 } })).await?;
    let item = json!({ "recipient": "alice", "channels": ["ANDROID_PUSH"], "content": { "body": "Hello" } });
    let mut ids = Vec::new();
    for _ in 0..LOAD / 100 {
        ids.extend(shop.send_list(&vec![item.clone(); 100]).await?.into_iter().map(|sent| sent.id));
    }
    tests::until("some have arrived", async || Ok((app.simulators.ledger().await?.len() > 10).then_some(()))).await?;
    Ok((app, shop, ids))
}

async fn await_all(shop: &Client, ids: &[String]) -> Result<()> {
    for id in ids {
        shop.await_status(id, "sent").await?;
    }
    Ok(())
}

/// Sends one after another until the server is gone; the notifications it answered for.
async fn send_until_gone(shop: Client, answered: Arc<AtomicUsize>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Ok(sent) = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await {
        ids.push(sent.id);
        answered.fetch_add(1, Ordering::Relaxed);
    }
    ids
}

/// Several who send while `signal` ends the server; everything that was answered arrives.
async fn ended_while_accepting(signal: &str) -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let answered = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..8).map(|_| tokio::spawn(send_until_gone(shop.clone(), Arc::clone(&answered)))).collect();
    tests::until("some are accepted", async || Ok((answered.load(Ordering::Relaxed) > 100).then_some(()))).await?;
    if signal == "TERM" {
        app.stop().await?
    } else {
        app.kill().await?
    }
    let mut ids = Vec::new();
    for sender in senders {
        ids.extend(sender.await?);
    }
    app.start_server().await?;
    await_all(&shop, &ids).await
}

#[tokio::test]
async fn what_was_answered_before_the_kill_is_delivered() -> Result<()> {
    ended_while_accepting("KILL").await
}

#[tokio::test]
async fn what_was_answered_while_it_stopped_is_delivered() -> Result<()> {
    ended_while_accepting("TERM").await
}

/// How often each was delivered.
async fn arrivals(app: &App, ids: &[String]) -> Result<BTreeMap<String, usize>> {
    let mut arrivals: BTreeMap<String, usize> = ids.iter().map(|id| (id.clone(), 0)).collect();
    for call in app.simulators.ledger().await? {
        let id = call["notification"].as_str().context("a call for nothing")?;
        *arrivals.get_mut(id).with_context(|| format!("nobody asked for {id}"))? += usize::from(call["delivered"] == true);
    }
    Ok(arrivals)
}

#[tokio::test]
async fn stopped_under_load_it_ends_well_and_delivers_everything_exactly_once() -> Result<()> {
    let (mut app, shop, ids) = under_load().await?;
    app.stop().await?;
    let before = arrivals(&app, &ids).await?.values().sum::<usize>();
    app.start_server().await?;
    await_all(&shop, &ids).await?;
    let arrivals = arrivals(&app, &ids).await?;
    let other: Vec<_> = arrivals.iter().filter(|(_, count)| **count != 1).collect();
    assert!(other.is_empty(), "not once: {other:?}; {before} had arrived before the stop");
    Ok(())
}

#[tokio::test]
async fn killed_under_load_it_delivers_everything_and_flags_what_may_have_arrived_twice() -> Result<()> {
    let (mut app, shop, ids) = under_load().await?;
    app.kill().await?;
    app.start_server().await?;
    await_all(&shop, &ids).await?;
    for (id, count) in arrivals(&app, &ids).await? {
        assert!(count >= 1, "{id} is lost");
        if count > 1 {
            let story = shop.story(&id).await?;
            assert!(story.contains(&"AttemptUnknown".to_owned()), "{id} arrived {count} times: {story:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn killed_again_and_again_it_still_delivers_everything() -> Result<()> {
    let (mut app, shop, mut ids) = under_load().await?;
    for _ in 0..3 {
        app.kill().await?;
        app.start_server().await?;
        ids.push(shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?.id);
    }
    await_all(&shop, &ids).await?;
    let lost: Vec<String> = arrivals(&app, &ids).await?.into_iter().filter(|(_, count)| *count == 0).map(|(id, _)| id).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    Ok(())
}

#[tokio::test]
async fn a_call_cut_off_by_the_kill_is_recorded_as_unknown() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    let sent = under_way(&app, &shop).await?;
    killed_and_back(&mut app).await?;
    let notification = shop.await_status(&sent, "sent").await?;
    let unknown = notification["events"].as_array().into_iter().flatten().find(|event| event["type"] == "AttemptUnknown");
    let payload: Value = serde_json::from_str(unknown.and_then(|event| event["payload"].as_str()).with_context(|| format!("{notification:#}"))?)?;
    assert_eq!((&payload["attempt"], &payload["code"]), (&json!(1), &json!("process ended")));
    Ok(())
}

#[tokio::test]
async fn a_send_repeated_after_the_kill_is_the_same_notification() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let input = json!({ "channels": ["ANDROID_PUSH"], "idempotencyKey": "order-42" });
    let first = shop.send("alice", input.clone()).await?;
    app.kill().await?;
    app.start_server().await?;
    let second = shop.send("alice", input).await?;
    assert_eq!((second.id.as_str(), second.duplicate), (first.id.as_str(), true));
    assert_eq!(second.position, first.position);
    shop.await_status(&first.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_and_told_why() -> Result<()> {
    let app = App::start().await?;
    let (data, config) = (app.data().display().to_string(), app.config().display().to_string());
    let second = app.run(&["serve", "--data", &data, "--config", &config, "--listen", "127.0.0.1:0"]).await?;
    let told = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(4), "{told}");
    assert!(told.contains("is in use by another bongsu") && told.contains(&data), "{told}");
    // The first one did not even notice.
    assert_eq!(app.admin.get("/health/ready").await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn health_is_told_to_anybody_and_says_nothing_more() -> Result<()> {
    let app = App::start().await?;
    let anybody = app.admin.with("");
    assert_eq!(anybody.get("/health/live").await?, (200, "alive\n".to_owned()));
    assert_eq!(anybody.get("/health/ready").await?, (200, "ready\n".to_owned()));
    let (status, metrics) = anybody.get("/metrics").await?;
    assert_eq!(status, 200);
    assert!(metrics.contains("bongsu_"), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn after_the_stop_nothing_listens_and_the_log_says_that_it_stopped_in_order() -> Result<()> {
    let mut app = App::start().await?;
    app.stop().await?;
    assert!(app.admin.get("/health/live").await.is_err());
    let printed = app.printed()?;
    assert!(!printed.contains("ERROR"), "{printed}");
    Ok(())
}

#[tokio::test]
async fn told_twice_it_quits_at_once_and_the_cut_off_call_is_made_again() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("hang")).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&sent.id, 1).await?;
    app.server()?.signal("TERM").await?;
    tests::until("it is stopping", async || Ok(app.printed()?.contains("Stopping").then_some(()))).await?;
    let began = tests::wait::now();
    // By the second signal.
    app.stop().await?;
    assert!(began.elapsed().as_secs() < 8, "it waited for the call that hangs: {:?}", began.elapsed());
    app.simulators.behave().await?;
    app.start_server().await?;
    shop.await_status(&sent.id, "sent").await?;
    assert!(shop.story(&sent.id).await?.contains(&"AttemptUnknown".to_owned()));
    Ok(())
}
