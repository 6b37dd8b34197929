//! A disk whose fsync fails: what was not synced is not acknowledged, and nothing is lost.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::{Answer, App, Client, until};

const SEND: &str = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) {
    ... on SendAccepted { notification { id } duplicate } ... on Problem { code message } } }";

async fn send(shop: &Client, key: &str) -> Result<Answer> {
    let input =
        json!({ "recipient": "alice", "idempotencyKey": key, "channels": ["EMAIL", "IN_APP"], "content": { "title": "Hello", "body": "How are you?" } });
    shop.ask(SEND, json!({ "input": input })).await
}

async fn accepted(shop: &Client, key: &str) -> Result<Value> {
    let data = send(shop, key).await?.data()?;
    let result = data["sendNotification"].clone();
    ensure!(result["notification"]["id"].is_string(), "not accepted: {result}");
    Ok(result)
}

fn id(accepted: &Value) -> &str {
    accepted["notification"]["id"].as_str().unwrap_or_default()
}

async fn readiness(app: &App, status: u16) -> Result<String> {
    until(&format!("readiness is {status}"), async || {
        let (found, body) = app.admin.get("/health/ready").await?;
        Ok((found == status).then_some(body))
    })
    .await
}

/// The shim, compiled by the machine's C compiler.
async fn shim(folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shims/failing_fsync.c");
    let library = folder.join("failing_fsync.so");
    let done = tokio::process::Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").output().await;
    let done = done.context("a C compiler is needed")?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(library)
}

#[tokio::test]
async fn what_cannot_be_synced_is_refused_and_nothing_is_lost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let library = shim(folder.path()).await?;
    let failing = folder.path().join("failing");
    let environment = [("LD_PRELOAD", library.to_str().context("a path")?), ("FSYNC_FAILS_WHILE", failing.to_str().context("a path")?)];
    let mut app = App::with_environment("", &environment).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut acknowledged = Vec::new();
    for key in ["before-1", "before-2"] {
        acknowledged.push(accepted(&shop, key).await?);
    }
    for one in &acknowledged {
        shop.await_status(id(one), "sent").await?;
    }
    let head = app.admin.head().await?;

    std::fs::write(&failing, "")?;
    for key in ["refused-1", "refused-2", "refused-1"] {
        let answer = send(&shop, key).await?;
        assert_eq!(answer.code()?, "UNAVAILABLE", "{}", answer.body);
    }
    let reason = readiness(&app, 503).await?;
    assert!(reason.starts_with("the log cannot be written: "), "{reason}");
    assert_eq!(app.admin.head().await?, head, "what was not synced is not there");

    std::fs::remove_file(&failing)?;
    readiness(&app, 200).await?;
    for key in ["refused-1", "after"] {
        acknowledged.push(accepted(&shop, key).await?);
    }
    for one in &acknowledged {
        shop.await_status(id(one), "sent").await?;
    }
    assert_eq!(acknowledged.iter().filter(|one| one["duplicate"] == true).count(), 0, "what was refused left nothing");

    // Killed while it fails: what was acknowledged is there, and what was refused can be sent again.
    std::fs::write(&failing, "")?;
    assert_eq!(send(&shop, "refused-2").await?.code()?, "UNAVAILABLE");
    app.kill().await?;
    std::fs::remove_file(&failing)?;
    app.start_server().await?;
    for one in &acknowledged {
        shop.await_status(id(one), "sent").await?;
        assert_eq!(app.simulators.await_calls(id(one), 1).await?.len(), 1, "once");
    }
    accepted(&shop, "refused-2").await?;
    app.stop().await
}
