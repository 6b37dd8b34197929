//! Who is served first, and that nobody waits for ever.
//!
//! The order is read from what arrived at the provider. Where it has to be exact, the provider
//! first asks for patience, so that everything is owed before the first of it is called for.

use super::sending::hold;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::HashMap;
use tests::{App, Client, until};

/// Calls at once: arrivals that are this near to each other may have overtaken one another.
const CALLS: usize = 4;
const FEW_CALLS: [(&str, &str); 2] = [("BONGSU_PROVIDERS__FCM__CONCURRENCY", "4"), ("BONGSU_PROVIDERS__WEBHOOK__CONCURRENCY", "4")];
/// Time to accept everything in.
const PATIENCE_S: i64 = 8;

/// Many of one kind, accepted in one list; gives their ids.
async fn send_many(by: &Client, channel: &str, priority: &str, count: usize) -> Result<Vec<String>> {
    let item = json!({ "recipient": "alice", "channels": [channel], "priority": priority, "content": { "body": priority } });
    Ok(by.send_list(&vec![item; count]).await?.into_iter().map(|sent| sent.id).collect())
}

/// The kinds in the order of their arrival, once all have arrived.
async fn arrivals<'a>(app: &App, kinds: &[(&'a str, &[String])]) -> Result<Vec<&'a str>> {
    let kind_of: HashMap<&str, &'a str> = kinds.iter().flat_map(|(kind, ids)| ids.iter().map(|id| (id.as_str(), *kind))).collect();
    until("everything has arrived", async || {
        let calls = app.simulators.ledger().await?;
        let arrived: Vec<&'a str> = calls
            .iter()
            .filter(|call| call["delivered"] == Value::Bool(true))
            .filter_map(|call| kind_of.get(call["notification"].as_str()?).copied())
            .collect();
        Ok((arrived.len() == kind_of.len()).then_some(arrived))
    })
    .await
}

/// Places of one kind in an order, from 0.
fn places(order: &[&str], kind: &str) -> Vec<usize> {
    order.iter().enumerate().filter(|(_, one)| **one == kind).map(|(place, _)| place).collect()
}

fn last(order: &[&str], kind: &str) -> Result<usize> {
    places(order, kind).last().copied().with_context(|| format!("no {kind}"))
}

#[tokio::test]
async fn what_is_urgent_overtakes_a_backlog_that_was_there_before() -> Result<()> {
    let app = App::with_environment("", &FEW_CALLS).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    hold(&app, &shop, PATIENCE_S).await?;
    let low = send_many(&shop, "ANDROID_PUSH", "LOW", 300).await?;
    let high = send_many(&shop, "ANDROID_PUSH", "HIGH", 12).await?;
    let critical = send_many(&shop, "ANDROID_PUSH", "CRITICAL", 20).await?;
    let order = arrivals(&app, &[("low", &low), ("high", &high), ("critical", &critical)]).await?;
    assert!(last(&order, "critical")? < 20 + CALLS, "{order:?}");
    assert!(last(&order, "high")? < 20 + 12 + CALLS, "{order:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_urgent_overtakes_a_backlog_that_is_being_worked_off() -> Result<()> {
    let app = App::with_environment("", &FEW_CALLS).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    // Forty milliseconds a call: a backlog of about six seconds.
    app.simulators.rule("webhook", json!({ "latency": { "ms": 40 } })).await?;
    let low = send_many(&shop, "WEBHOOK", "LOW", 600).await?;
    app.simulators.await_calls(&low[0], 1).await?;
    let critical = send_many(&shop, "WEBHOOK", "CRITICAL", 10).await?;
    for id in &critical {
        shop.await_status(id, "sent").await?;
    }
    // Quicker now, for the test's sake: what matters has been seen by then.
    app.simulators.behave().await?;
    let order = arrivals(&app, &[("low", &low), ("critical", &critical)]).await?;
    let (critical, low) = (places(&order, "critical"), places(&order, "low"));
    let between = critical[9] - critical[0] - 9;
    assert!(between <= 2 * CALLS, "{between} that could wait came between ten that could not: {order:?}");
    assert!(low.iter().filter(|place| **place > critical[9]).count() > 100, "there was a backlog to overtake: {order:?}");
    Ok(())
}

#[tokio::test]
async fn a_small_sender_does_not_wait_for_a_big_one() -> Result<()> {
    let app = App::with_environment("", &FEW_CALLS).await?;
    let (big, small) = (app.sender("big").await?, app.sender("small").await?);
    app.recipient(&big, "alice").await?;
    hold(&app, &big, PATIENCE_S).await?;
    let many = send_many(&big, "ANDROID_PUSH", "NORMAL", 400).await?;
    let few = send_many(&small, "ANDROID_PUSH", "NORMAL", 10).await?;
    let order = arrivals(&app, &[("big", &many), ("small", &few)]).await?;
    assert!(last(&order, "small")? < 2 * 10 + 1 + CALLS, "senders take turns: {order:?}");
    Ok(())
}

#[tokio::test]
async fn the_lowest_priority_gets_its_share_of_a_busy_provider() -> Result<()> {
    let app = App::with_environment("", &FEW_CALLS).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    hold(&app, &shop, PATIENCE_S).await?;
    let critical = send_many(&shop, "ANDROID_PUSH", "CRITICAL", 400).await?;
    let low = send_many(&shop, "ANDROID_PUSH", "LOW", 4).await?;
    let order = arrivals(&app, &[("critical", &critical), ("low", &low)]).await?;
    // One in 65 where nothing else is owed.
    assert!(last(&order, "low")? < 4 * 65 + 2 * CALLS, "{order:?}");
    assert!(places(&order, "low")[0] >= 64 - CALLS, "the share is small: {order:?}");
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_mixed_crowd_is_left_behind() -> Result<()> {
    let app = App::with_environment("", &FEW_CALLS).await?;
    let mut sent = Vec::new();
    for name in ["one", "two", "three"] {
        let sender = app.sender(name).await?;
        app.recipient(&sender, "alice").await?;
        for priority in ["LOW", "NORMAL", "HIGH", "CRITICAL"] {
            sent.extend(send_many(&sender, "ANDROID_PUSH", priority, 50).await?);
        }
    }
    let order = arrivals(&app, &[("any", &sent)]).await?;
    assert_eq!(order.len(), 600);
    let calls = app.simulators.ledger().await?;
    assert!(calls.iter().all(|call| call["duplicate"] == false), "each once");
    Ok(())
}

#[tokio::test]
async fn a_provider_is_called_no_oftener_than_its_operator_says() -> Result<()> {
    const RATE: usize = 10;
    let app = App::with_environment("", &[("BONGSU_PROVIDERS__WEBHOOK__RATE", &RATE.to_string())]).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = send_many(&shop, "WEBHOOK", "NORMAL", 30).await?;
    // What another provider delivers is not held up.
    shop.register_device("alice", "ANDROID_PUSH", "alice-phone").await?;
    let push = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&push.id, "sent").await?;
    let waiting = app.simulators.ledger().await?.iter().filter(|call| call["provider"] == "webhook").count();
    assert!(waiting < sent.len(), "all {waiting} went at once");
    arrivals(&app, &[("webhook", &sent)]).await?;
    let mut times = Vec::new();
    for call in app.simulators.ledger().await?.iter().filter(|call| call["provider"] == "webhook") {
        times.push(chrono::DateTime::parse_from_rfc3339(call["at"].as_str().context("no time")?)?);
    }
    // A bucketful more, and calls that took longer to arrive than those after them.
    for (index, from) in times.iter().enumerate() {
        let within = times[index..].iter().take_while(|at| **at - *from < chrono::TimeDelta::seconds(1)).count();
        assert!(within <= RATE + CALLS, "{within} calls in one second");
    }
    Ok(())
}
