//! What is the cluster profile's own. Runs on it whatever the other scenarios run on.

use anyhow::Result;
use serde_json::json;
use services::postgres::{Postgres, Settings};
use std::time::Duration;
use tests::profile::Profile;
use tests::{App, process, until};

/// A further server on the same database, which is to refuse; gives what it says.
async fn further(app: &App, folder: &str, more: &[(&str, &str)]) -> Result<String> {
    let data = app.root().join(folder).display().to_string();
    let mut environment = app.stores();
    environment.extend(more);
    let arguments = ["serve", "--data", &data, "--listen", "127.0.0.1:0"];
    let serving = process::run(&arguments, app.root(), &environment);
    let output = tokio::time::timeout(Duration::from_secs(30), serving).await??;
    assert!(!output.status.success());
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn another_folder_goes_on_where_a_server_was_killed_and_another_master_key_is_refused() -> Result<()> {
    let mut app = App::on(Profile::Cluster).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK", "IN_APP"] })).await?;
    shop.await_status(&sent.id, "sent").await?;

    let other_key = "5".repeat(64);
    let said = further(&app, "third", &[("BONGSU_MASTER_KEY", &other_key)]).await?;
    assert!(said.contains("another master key"), "{said}");

    app.kill().await?;
    // Nothing but the keys is in the folder: another one does as well.
    let held = app.root().join("held");
    std::fs::rename(app.data(), &held)?;
    std::fs::create_dir(app.data())?;
    std::fs::copy(held.join("master.key"), app.data().join("master.key"))?;
    app.start_server().await?;
    shop.await_status(&sent.id, "sent").await?;
    let again = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    shop.await_status(&again.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_may_lose_what_was_accepted_is_refused() -> Result<()> {
    let app = App::on(Profile::Cluster).await?;
    let stores = app.stores();
    let url = stores.iter().find(|(name, _)| *name == "BONGSU_POSTGRES__URL").map_or("", |(_, url)| *url);
    let careless = format!("{url}?options=-c%20synchronous_commit%3Doff");
    let said = further(&app, "second", &[("BONGSU_POSTGRES__URL", &careless)]).await?;
    assert!(said.contains("synchronous_commit is off"), "{said}");
    assert!(!said.contains(url), "nor is the password told: {said}");
    Ok(())
}

#[tokio::test]
async fn a_killed_database_loses_nothing() -> Result<()> {
    let mut postgres = tokio::task::spawn_blocking(|| Postgres::start(Settings::default())).await??;
    let app = App::on_database(&postgres.database()?).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let before = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    shop.await_status(&before.id, "sent").await?;
    let postgres = tokio::task::spawn_blocking(move || postgres.kill().and_then(|()| postgres.restart()).map(|()| postgres)).await??;
    let after = until("a request is accepted again", async || Ok(shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await.ok())).await?;
    shop.await_status(&after.id, "sent").await?;
    shop.await_status(&before.id, "sent").await?;
    tokio::task::spawn_blocking(move || drop(postgres)).await?;
    Ok(())
}

/// As a newer version would append it: an event whose type this one does not know.
const FROM_THE_FUTURE: &str = "WITH
    t AS (INSERT INTO bongsu.event_types VALUES (999, 1, 'FromTheFuture', 1)),
    h AS (UPDATE bongsu.log_head SET position = position + 1, stream = stream + 1 RETURNING position, stream),
    s AS (INSERT INTO bongsu.streams SELECT stream, 1, gen_random_uuid()::text FROM h),
    c AS (INSERT INTO bongsu.commits SELECT position, 0, '{\"actor\":\"newer\"}' FROM h)
    INSERT INTO bongsu.events SELECT position, stream, 1, 999, '{}', NULL FROM h";

#[tokio::test]
async fn an_old_replica_leaves_an_unknown_event_to_a_newer_one_and_fails_no_request() -> Result<()> {
    for profile in [Profile::Cluster, Profile::ClusterWithoutRedis] {
        let app = App::on(profile).await?;
        let shop = app.sender("shop").await?;
        app.recipient(&shop, "alice").await?;
        let before = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
        shop.await_status(&before.id, "sent").await?;
        let url = app.stores().iter().find(|(name, _)| *name == "BONGSU_POSTGRES__URL").map_or(String::new(), |(_, url)| (*url).to_owned());
        tokio::task::spawn_blocking(move || Postgres::shared()?.sql(&url, FROM_THE_FUTURE)).await??;
        until("it says that it leaves each consumer", async || {
            let said = app.printed()?;
            Ok(["notifications", "delivery"].iter().all(|name| said.contains(&format!("leaves it to a newer one name=\"{name}\""))).then_some(()))
        })
        .await?;
        for _ in 0..5 {
            let after = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
            shop.await_status(&after.id, "sent").await?;
        }
    }
    Ok(())
}
