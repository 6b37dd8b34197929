//! An installation that moves from one profile to the other, and back. Runs on both, whatever the other
//! scenarios run on.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use services::postgres::Postgres;
use sqlx::{Connection, Executor};
use std::process::Output;
use tests::process::run;
use tests::profile::Profile;
use tests::{App, Client, until};

/// Pushes that soon wait, and wait on; webhooks that are soon given up.
const SCHEDULES: &str = r#"
[delivery.retry.android_push]
first = "1s"
longest = "2s"
attempts = 40
[delivery.retry.webhook]
first = "50ms"
longest = "100ms"
attempts = 2
"#;

fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn database() -> Result<String> {
    tokio::task::spawn_blocking(|| Postgres::shared()?.database()).await?
}

/// Runs the command without a server's environment.
async fn moving(app: &App, from: &str, to: &str, more: &[&str]) -> Result<Output> {
    let arguments = [&["migrate-profile", "--json"][..], more].concat();
    run(&arguments, app.root(), &[("BONGSU_MIGRATE_FROM", from), ("BONGSU_MIGRATE_TO", to)]).await
}

/// The command, which must do it; what it says.
async fn moved(app: &App, from: &str, to: &str, more: &[&str]) -> Result<Value> {
    let output = moving(app, from, to, more).await?;
    assert!(output.status.success(), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((told["moved"] == true, told["sha256"].as_str().map(str::len)), (true, Some(64)), "{told:#}");
    Ok(told)
}

/// The dead letters as of now.
async fn dead_letters(app: &App) -> Result<Value> {
    let at = app.admin.head().await?;
    Ok(app.admin.query("query($at: Position!) { deadLetters(atLeastPosition: $at) { id code attempts } }", json!({ "at": at })).await?["deadLetters"].clone())
}

/// Everything that is told of these people, as of now.
async fn everything(client: &Client, people: &[&str]) -> Result<Value> {
    let query = r#"query($who: ID!, $at: Position!) {
        notifications(recipient: $who, first: 100, includeArchived: true, atLeastPosition: $at) { edges { cursor node { id content { title body }
            seen read archived status deliveries { number channel address status attempts } events { position sequence type version at actor payload } } } }
        unreadCount(recipient: $who, atLeastPosition: $at) recipient(id: $who) { id addresses { id channel value } }
        apiKeys(atLeastPosition: $at) { name prefix revoked } deadLetters(atLeastPosition: $at) { id code attempts } }"#;
    let at = client.head().await?;
    let mut all = Vec::new();
    for who in people {
        all.push(client.query(query, json!({ "who": who, "at": at })).await?);
    }
    Ok(json!(all))
}

async fn arrivals(app: &App, id: &str) -> Result<usize> {
    Ok(app.simulators.calls_for(id).await?.iter().filter(|call| call["delivered"] == true).count())
}

/// The event of a type, of which there must be one.
fn one(notification: &Value, kind: &str) -> Result<()> {
    let events = notification["events"].as_array().context("no events")?;
    anyhow::ensure!(events.iter().filter(|event| event["type"] == kind).count() == 1, "not one {kind}: {notification:#}");
    Ok(())
}

/// What was there before the move.
struct Filled {
    shop: Client,
    /// Delivered on two channels, and read.
    told: String,
    /// Waits for another attempt.
    waiting: String,
    /// Was under way when the server was killed.
    under_way: String,
    /// Of the one who was erased.
    erased: String,
}

async fn filled(app: &App) -> Result<Filled> {
    let shop = app.sender("shop").await?;
    for who in ["alice", "bob", "dave"] {
        app.recipient(&shop, who).await?;
    }
    let push_and_app = json!({ "channels": ["WEBHOOK", "IN_APP"] });
    let told = shop.send("alice", push_and_app.clone()).await?.id;
    shop.await_status(&told, "sent").await?;
    let erased = shop.send("dave", push_and_app).await?.id;
    shop.await_status(&erased, "sent").await?;
    app.admin.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": "dave" })).await?;

    app.simulators.rules(json!({ "provider": "webhook", "action": { "error": { "status": 503, "reason": "busy" } } })).await?;
    let letter = shop.send("bob", json!({ "channels": ["WEBHOOK"] })).await?.id;
    shop.await_status(&letter, "dead_lettered").await?;
    shop.subscribe_channel("bob", "EMAIL", false).await?;

    app.simulators.rule("fcm", json!("outage")).await?;
    let waiting = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?.id;
    until("the push waits", async || Ok((shop.notification(&waiting).await?["deliveries"][0]["status"] == "waiting").then_some(()))).await?;
    shop.upsert_recipient(json!({ "id": "carol" })).await?;
    shop.register_device("carol", "IOS_PUSH", &format!("{:0<64}", "4a4900")).await?;
    let under_way = shop.send("carol", json!({ "channels": ["IOS_PUSH"] })).await?.id;
    until("a push is under way", async || Ok((shop.notification(&under_way).await?["deliveries"][0]["status"] == "in_flight").then_some(()))).await?;
    Ok(Filled { shop, told, waiting, under_way, erased })
}

#[tokio::test]
async fn a_server_moves_to_postgres_and_back_and_nothing_is_lost_or_sent_twice() -> Result<()> {
    let people = ["alice", "bob", "dave"];
    let mut app = App::on_with(Profile::Embedded, SCHEDULES).await?;
    let Filled { shop, told, waiting, under_way, erased } = filled(&app).await?;
    let (folder, url) = (app.data().display().to_string(), database().await?);
    let refused = moving(&app, &folder, &url, &[]).await?;
    assert_eq!(refused.status.code(), Some(4), "a server runs: {}", said(&refused));
    let before = everything(&app.admin, &["dave"]).await?;
    let letters = dead_letters(&app).await?;
    assert_eq!(letters.as_array().map(Vec::len), Some(1), "{letters:#}");
    app.kill().await?;

    // To look changes nothing, and nothing of ours is said to others.
    let looked = moving(&app, &folder, &url, &["--check"]).await?;
    assert!(looked.status.success() && !said(&looked).contains(&url), "{}", said(&looked));
    moved(&app, &folder, &url, &[]).await?;
    let again = moving(&app, &folder, &database().await?, &[]).await?;
    assert_eq!(again.status.code(), Some(4), "it goes on elsewhere: {}", said(&again));
    assert!(app.start_server().await.is_err_and(|error| error.to_string().contains("was moved to")), "and so says a server that is started on it");

    app.use_database(Some(&url));
    app.simulators.behave().await?;
    app.start_server().await?;
    // Their keys and tokens are as they were.
    assert_eq!(everything(&app.admin, &["dave"]).await?[0]["notifications"], before[0]["notifications"]);
    assert_eq!(dead_letters(&app).await?, letters);
    let delivered = shop.await_status(&waiting, "sent").await?;
    one(&delivered, "Sent")?;
    assert_eq!(arrivals(&app, &waiting).await?, 1);
    // What was under way is not called failed, and not forgotten.
    until("the call under way is recorded as of unknown outcome", async || {
        Ok(shop.story(&under_way).await?.contains(&"AttemptUnknown".to_owned()).then_some(()))
    })
    .await?;
    assert_eq!((arrivals(&app, &told).await?, arrivals(&app, &erased).await?), (1, 1));
    let alice = shop.as_recipient("alice").await?;
    alice.query("mutation($read: ID!) { markRead(input: { ids: [$read] }) { position } }", json!({ "read": told })).await?;
    let off = shop.send("bob", json!({ "channels": ["EMAIL"] })).await?.id;
    assert_eq!(shop.await_status(&off, "suppressed").await?["suppressions"][0]["channel"], "EMAIL");
    let audit = app.run(&["audit"]).await?;
    assert!(audit.status.success(), "{}", said(&audit));
    let here = everything(&app.admin, &people).await?;

    let (back, key) = (app.root().join("back"), app.data().join("master.key").display().to_string());
    let (into, with_key) = (back.display().to_string(), ["--master-key-file", key.as_str()]);
    let refused = moving(&app, &url, &into, &with_key).await?;
    assert_eq!(refused.status.code(), Some(4), "a server runs: {}", said(&refused));
    app.stop().await?;
    let other = app.root().join("other.key");
    std::fs::write(&other, "5".repeat(64))?;
    let refused = moving(&app, &url, &into, &["--master-key-file", &other.display().to_string()]).await?;
    assert_eq!(refused.status.code(), Some(2), "another master key: {}", said(&refused));
    moved(&app, &url, &into, &with_key).await?;
    assert!(app.start_server().await.is_err_and(|error| error.to_string().contains("was moved to")), "the database goes on elsewhere");
    let again = moving(&app, &url, &app.root().join("third").display().to_string(), &with_key).await?;
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));

    std::fs::rename(app.data(), app.root().join("old"))?;
    std::fs::rename(back, app.data())?;
    app.use_database(None);
    let calls = app.simulators.ledger().await?.len();
    app.start_server().await?;
    assert_eq!(everything(&app.admin, &people).await?, here);
    assert_eq!(app.simulators.ledger().await?.iter().skip(calls).filter(|call| call["notification"] != *under_way).count(), 0, "nothing is sent again");
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn an_interrupted_move_is_gone_on_with_and_a_filled_target_is_left_alone() -> Result<()> {
    let mut app = App::on(Profile::Embedded).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK", "IN_APP"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    app.stop().await?;
    let (folder, url) = (app.data().display().to_string(), database().await?);
    // As a run leaves it that was killed before its end: whole, without its name, the folder marked.
    moved(&app, &folder, &url, &[]).await?;
    let mut connection = sqlx::PgConnection::connect(&url).await?;
    connection.execute("ALTER SCHEMA bongsu RENAME TO bongsu_moving").await?;
    let told = moved(&app, &folder, &url, &[]).await?;
    assert!(told["resumed_at"].as_u64().is_some_and(|at| at > 0), "{told:#}");
    // One of another log does not fit, and is thrown away.
    connection.execute("ALTER SCHEMA bongsu RENAME TO bongsu_moving; UPDATE bongsu_moving.events SET payload = '{}' WHERE position = (SELECT max(position) FROM bongsu_moving.events)").await?;
    let told = moved(&app, &folder, &url, &[]).await?;
    assert_eq!(told["resumed_at"], 0, "{told:#}");
    std::fs::remove_file(app.data().join("moved"))?;
    let filled = moving(&app, &folder, &url, &[]).await?;
    assert_eq!(filled.status.code(), Some(4), "{}", said(&filled));
    assert!(said(&filled).contains("holds an installation already") && !app.data().join("moved").exists(), "{}", said(&filled));

    app.use_database(Some(&url));
    app.start_server().await?;
    assert_eq!(shop.await_status(&sent.id, "sent").await?["id"], sent.id);
    app.stop().await?;
    // The other way: the log is there under the name that it has while it is not whole.
    let back = app.root().join("back");
    let (into, key) = (back.display().to_string(), app.data().join("master.key").display().to_string());
    let with_key = ["--master-key-file", key.as_str()];
    moved(&app, &url, &into, &with_key).await?;
    std::fs::rename(back.join("log.db"), back.join("log.moving.db"))?;
    let told = moved(&app, &url, &into, &with_key).await?;
    assert!(told["resumed_at"].as_u64().is_some_and(|at| at > 0), "{told:#}");
    let filled = moving(&app, &url, &into, &with_key).await?;
    assert_eq!(filled.status.code(), Some(4), "{}", said(&filled));
    Ok(())
}

#[tokio::test]
async fn keys_may_go_to_a_database_of_their_own_and_come_back_from_it() -> Result<()> {
    let mut app = App::on(Profile::Embedded).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    app.stop().await?;
    let (folder, log, keys) = (app.data().display().to_string(), database().await?, database().await?);
    let with_keys = ["--postgres-keys", keys.as_str()];
    moved(&app, &folder, &log, &with_keys).await?;
    let mut connection = sqlx::PgConnection::connect(&log).await?;
    let beside: Option<String> = sqlx::query_scalar("SELECT to_regclass('bongsu_keys.keys')::text").fetch_one(&mut connection).await?;
    assert_eq!(beside, None, "no key is beside the log");
    app.use_database(Some(&log));
    app.use_keys_database(&keys);
    app.start_server().await?;
    assert_eq!(shop.notification(&sent.id).await?["content"]["title"], "Hello");
    app.stop().await?;

    let (back, key) = (app.root().join("back"), app.data().join("master.key").display().to_string());
    moved(&app, &log, &back.display().to_string(), &[&with_keys[..], &["--master-key-file", &key]].concat()).await?;
    std::fs::rename(app.data(), app.root().join("old"))?;
    std::fs::rename(back, app.data())?;
    app.use_database(None);
    app.start_server().await?;
    assert_eq!(shop.notification(&sent.id).await?["content"]["title"], "Hello");
    Ok(())
}
