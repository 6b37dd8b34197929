//! The queue in Redis may be lost at any time. Runs on the cluster profile whatever the other scenarios run on.

use anyhow::{Context, Result};
use serde_json::json;
use services::redis::{Redis, Settings};
use tests::{App, Client, until};

/// Does something to a server of the test's, which waits for it.
async fn disturb(redis: Redis, how: impl FnOnce(&mut Redis) -> Result<()> + Send + 'static) -> Result<Redis> {
    tokio::task::spawn_blocking(move || {
        let mut redis = redis;
        how(&mut redis).map(|()| redis)
    })
    .await?
}

async fn send(shop: &Client, name: &str, count: usize) -> Result<Vec<String>> {
    let items: Vec<_> = (0..count)
        .map(|number| json!({ "recipient": "alice", "content": { "title": "Hello", "body": "How are you?" }, "channels": ["WEBHOOK"], "idempotencyKey": format!("{name}-{number}") }))
        .collect();
    Ok(shop.send_list(&items).await?.into_iter().map(|sent| sent.id).collect())
}

/// Each was sent, and arrived once.
async fn sent_once(app: &App, shop: &Client, ids: &[String]) -> Result<()> {
    for id in ids {
        shop.await_status(id, "sent").await?;
    }
    let ledger = app.simulators.ledger().await?;
    for id in ids {
        let arrived = ledger.iter().filter(|call| call["notification"] == **id && call["delivered"] == true).count();
        assert_eq!(arrived, 1, "{id}");
    }
    Ok(())
}

async fn is_used(app: &App, used: bool) -> Result<()> {
    until(&format!("the common queue is used: {used}"), async || {
        let status = app.admin.query("{ status { sharedQueue } }", json!({})).await?;
        Ok((status["status"]["sharedQueue"] == used).then_some(()))
    })
    .await
}

#[tokio::test]
async fn what_is_lost_in_redis_comes_from_the_table() -> Result<()> {
    let redis = tokio::task::spawn_blocking(|| Redis::start(&Settings::default())).await??;
    let app = App::on_redis(&redis.url()).await?;
    let second = app.replica("second", &[], &[]).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    is_used(&app, true).await?;
    sent_once(&app, &shop, &send(&shop, "before", 20).await?).await?;

    // Nothing can be sent, so all of it waits in Redis; then that is gone.
    app.simulators.rule("webhook", json!("outage")).await?;
    let waiting = send(&shop, "flushed", 100).await?;
    let redis = disturb(redis, Redis::flushall).await?;
    app.simulators.behave().await?;
    for id in &waiting {
        shop.await_status(id, "sent").await?;
    }

    // It stands still, is killed, and comes back: delivery goes on all the time.
    let redis = disturb(redis, Redis::stop).await?;
    sent_once(&app, &shop, &send(&shop, "stopped", 20).await?).await?;
    is_used(&app, false).await?;
    let redis = disturb(redis, Redis::cont).await?;
    is_used(&app, true).await?;
    sent_once(&app, &second.client(&shop), &send(&second.client(&shop), "back", 20).await?).await?;
    let redis = disturb(redis, Redis::kill).await?;
    sent_once(&app, &shop, &send(&shop, "killed", 20).await?).await?;
    let redis = disturb(redis, Redis::restart).await?;
    is_used(&app, true).await?;
    sent_once(&app, &shop, &send(&shop, "restarted", 20).await?).await?;

    // Full, it takes nothing in.
    let redis = disturb(redis, |redis| redis.maxmemory(1_000_000)).await?;
    sent_once(&app, &shop, &send(&shop, "full", 20).await?).await?;
    let redis = disturb(redis, |redis| redis.maxmemory(0)).await?;
    is_used(&app, true).await?;
    sent_once(&app, &shop, &send(&shop, "roomy", 20).await?).await?;
    tokio::task::spawn_blocking(move || drop(redis)).await.context("stopping Redis")
}

#[tokio::test]
async fn a_server_starts_without_its_redis() -> Result<()> {
    let redis = tokio::task::spawn_blocking(|| Redis::start(&Settings::default())).await??;
    let url = redis.url();
    let redis = disturb(redis, Redis::kill).await?;
    let app = App::on_redis(&url).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    sent_once(&app, &shop, &send(&shop, "without", 10).await?).await?;
    let redis = disturb(redis, Redis::restart).await?;
    is_used(&app, true).await?;
    sent_once(&app, &shop, &send(&shop, "with", 10).await?).await?;
    tokio::task::spawn_blocking(move || drop(redis)).await.context("stopping Redis")
}
