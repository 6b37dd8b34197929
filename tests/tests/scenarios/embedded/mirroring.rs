//! A server that is mirrored into KurrentDB, killed, lost, and made anew from its mirror. Against
//! the simulator, or against a real server where `BONGSU_TEST_KURRENTDB` holds its connection
//! string.

use anyhow::{Context, Result, bail};
use kurrentdb_sim::Simulator;
use kurrentdb_sim::faults::Cut;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use std::path::Path;
use tests::process::{self, Process};
use tests::{App, Client, until};

/// Every table that is the log itself; the rest of the file is made from it.
const TABLES: [&str; 4] = [
    "SELECT * FROM events ORDER BY position",
    "SELECT * FROM streams ORDER BY number",
    "SELECT * FROM commits ORDER BY position",
    "SELECT * FROM event_types ORDER BY id",
];

fn tables(path: &Path) -> Result<Vec<Vec<Vec<Cell>>>> {
    let connection = rusqlite::Connection::open(path)?;
    let mut all = Vec::new();
    for sql in TABLES {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
        all.push(rows.collect::<rusqlite::Result<_>>()?);
    }
    Ok(all)
}

/// Waits until the mirror has everything, as `bongsu status` tells it.
async fn mirrored(app: &App) -> Result<()> {
    until("the mirror has everything", async || {
        let told = app.run(&["status", "--json"]).await?;
        let status: Value = serde_json::from_slice(&told.stdout)?;
        let consumers = status["status"]["consumers"].as_array().context("no consumers")?;
        let mirror = consumers.iter().find(|consumer| consumer["name"] == "kurrentdb").context("no mirror in the status")?;
        let over = status["status"]["backlog"].as_array().is_some_and(|backlog| backlog.iter().all(|row| row["deliveries"] == 0.0));
        Ok((over && mirror["lag"] == 0.0).then_some(()))
    })
    .await
}

async fn lists(client: &Client) -> Result<Value> {
    let query = r#"query($at: Position!) { notifications(recipient: "alice", first: 100, atLeastPosition: $at) {
        edges { node { id content { title body } status deliveries { number channel status attempts } events { position type payload } } } } }"#;
    client.query(query, json!({ "at": client.head().await? })).await
}

#[tokio::test]
async fn a_server_that_was_lost_comes_back_from_its_mirror() -> Result<()> {
    let named = std::env::var("BONGSU_TEST_KURRENTDB").ok();
    let simulator = if named.is_some() { None } else { Some(Simulator::start().await?) };
    let connection = named.or_else(|| simulator.as_ref().map(Simulator::connection_string)).context("no server")?;
    let prefix = format!("scenario{}", std::process::id());
    let mut app = App::with_environment("", &[("BONGSU_MIRROR__KURRENTDB", &connection), ("BONGSU_MIRROR__PREFIX", &prefix)]).await?;
    if let Some(simulator) = &simulator {
        simulator.faults().cut_at(4, Cut::After);
    }
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    for _ in 0..5 {
        shop.send("alice", json!({ "channels": ["ANDROID_PUSH", "EMAIL", "IN_APP"] })).await?;
    }
    // In the middle of its work, wherever that is.
    app.kill().await?;
    app.start_server().await?;
    for _ in 0..5 {
        let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
        shop.await_status(&sent.id, "sent").await?;
    }
    mirrored(&app).await?;
    let before = lists(&app.admin).await?;
    let admin = app.admin.credential().to_owned();
    let calls = app.simulators.ledger().await?.len();
    app.stop().await?;

    let (old, new) = (app.data(), app.root().join("anew"));
    let (keys, master, data) = (old.display().to_string(), old.join("master.key").display().to_string(), new.display().to_string());
    let arguments = ["restore", "--data", &data, "--keys", &keys, "--master-key-file", &master, "--prefix", &prefix];
    let restored = process::run(&arguments, app.root(), &[("BONGSU_RESTORE_FROM", &connection)]).await?;
    if !restored.status.success() {
        bail!("{}", String::from_utf8_lossy(&restored.stderr));
    }
    let (whole, made) = (tables(&old.join("log.db"))?, tables(&new.join("log.db"))?);
    assert_eq!(whole[0].len(), made[0].len(), "events");
    assert!(whole == made, "the logs differ");

    let ready = app.root().join("anew.ready");
    let config = app.config().display().to_string();
    let arguments = ["serve", "--data", &data, "--listen", "127.0.0.1:0", "--config", &config, "--ready-file", &ready.display().to_string()];
    let mut server = Process::start(&arguments, app.root(), &[], &app.root().join("anew.log"))?;
    let told: Value = serde_json::from_str(&server.ready(&ready).await?)?;
    let client = Client::new(&format!("http://{}", told["listen"].as_str().context("no address")?), &admin)?;
    let after = lists(&client).await?;
    assert!(after == before, "the same is told, opened with the same keys: {after:#}\nbefore: {before:#}");
    assert_eq!(app.simulators.ledger().await?.len(), calls, "and nothing is sent again");
    server.signal("TERM").await?;
    server.ended().await?;
    Ok(())
}
