//! What is the cluster profile's own. Runs on it whatever the other scenarios run on.

use anyhow::Result;
use serde_json::{Value, json};
use services::postgres::{Postgres, Settings};
use services::redis::Redis;
use sqlx::{Connection, Executor};
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

/// What `bongsu check` says, by what it looked at.
async fn checked(app: &App, more: &[(&str, &str)]) -> Result<(bool, Vec<(String, String, String)>)> {
    let data = app.data().display().to_string();
    let mut environment = app.stores();
    environment.push(("BONGSU_STORAGE__DATA_DIR", &data));
    environment.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    environment.extend(more);
    let output = process::run(&["check", "--json"], app.root(), &environment).await?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for secret in ["zq-secret-zq", &"5".repeat(64)] {
        assert!(!said.contains(secret), "a secret is told: {said}");
    }
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).map_err(|error| anyhow::anyhow!("{error}: {said}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok((output.status.success(), told.iter().map(|one| (text(&one["what"]), text(&one["verdict"]), text(&one["detail"]))).collect()))
}

#[tokio::test]
async fn the_check_tells_what_is_wrong_with_a_database_a_redis_or_a_mirror() -> Result<()> {
    let app = App::on(Profile::Cluster).await?;
    let stores = app.stores();
    let url = stores.iter().find(|(name, _)| *name == "BONGSU_POSTGRES__URL").map_or("", |(_, url)| *url).to_owned();
    let redis = tokio::task::spawn_blocking(|| Redis::shared().map(Redis::url)).await??;
    let (well, all) = checked(&app, &[("BONGSU_REDIS__URL", &redis)]).await?;
    for what in ["postgres", "postgres tables", "postgres settings", "postgres installation", "redis"] {
        assert!(all.iter().any(|(one, verdict, _)| one == what && verdict == "ok"), "{what}: {all:#?}");
    }
    assert!(well, "{all:#?}");

    let careless = format!("{url}?options=-c%20synchronous_commit%3Doff");
    let (port, key) = ("postgres://bongsu:zq-secret-zq@127.0.0.1:1/bongsu", "5".repeat(64));
    let nobody = [("BONGSU_REDIS__URL", "redis://:zq-secret-zq@127.0.0.1:1/0")];
    let mirror = [("BONGSU_MIRROR__KURRENTDB", "esdb://admin:zq-secret-zq@127.0.0.1:1?tls=false&discoveryInterval=10&maxDiscoverAttempts=1")];
    for (more, what, says) in [
        (&[("BONGSU_POSTGRES__URL", port)][..], "postgres", "check the URL"),
        (&[("BONGSU_POSTGRES__URL", careless.as_str())], "postgres settings", "synchronous_commit is off"),
        (&[("BONGSU_MASTER_KEY", key.as_str())], "postgres installation", "another master key"),
        (&nobody, "redis", "check redis.url"),
        (&mirror, "mirror", "does not answer"),
    ] {
        let (well, all) = checked(&app, more).await?;
        assert!(!well && all.iter().any(|(one, verdict, detail)| one == what && verdict == "failed" && detail.contains(says)), "{what}: {all:#?}");
    }
    let mut connection = sqlx::PgConnection::connect(&url).await?;
    connection.execute("INSERT INTO bongsu.migrations (version) VALUES (99)").await?;
    let (well, all) = checked(&app, &[]).await?;
    assert!(!well && all.iter().any(|(what, verdict, detail)| what == "postgres tables" && verdict == "failed" && detail.contains("newer")), "{all:#?}");
    // To look is not to change.
    let empty = tokio::task::spawn_blocking(|| Postgres::shared()?.database()).await??;
    let (well, all) = checked(&app, &[("BONGSU_POSTGRES__URL", &empty)]).await?;
    assert!(well, "{all:#?}");
    let mut connection = sqlx::PgConnection::connect(&empty).await?;
    let made: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'bongsu%'").fetch_one(&mut connection).await?;
    assert_eq!(made, 0);
    Ok(())
}

#[tokio::test]
async fn events_that_could_not_be_taken_in_are_listed_from_the_database() -> Result<()> {
    let app = App::on(Profile::Cluster).await?;
    let stores = app.stores();
    let url = stores.iter().find(|(name, _)| *name == "BONGSU_POSTGRES__URL").map_or("", |(_, url)| *url);
    let listed: Value = serde_json::from_slice(&app.run(&["projection", "list", "--json"]).await?.stdout)?;
    let names: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    for name in ["notifications", "dead_letters", "directory", "delivery"] {
        assert!(names.contains(&name), "no {name} in {listed:#}");
    }
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection
        .execute("INSERT INTO bongsu_view_notifications_1.parked (consumer, position, stream, at, error) VALUES ('notifications', 7, 3, 0, 'planted')")
        .await?;
    let parked: Value = serde_json::from_slice(&app.run(&["projection", "parked", "--json"]).await?.stdout)?;
    assert_eq!(parked, json!([{ "consumer": "notifications", "position": 7, "stream": 3, "error": "planted" }]));
    let listed: Value = serde_json::from_slice(&app.run(&["projection", "list", "--json"]).await?.stdout)?;
    let shown = listed.as_array().into_iter().flatten().find(|one| one["name"] == "notifications");
    assert!(shown.is_some_and(|one| one["parked"] == 1 && one["schema"] == "bongsu_view_notifications_1"), "{listed:#}");
    Ok(())
}
