//! What operators do with a server that is at work: look, rebuild, audit, back up, restart.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::Output;
use tests::process::run;
use tests::{App, Client, until};

/// Ends well, or the error tells what the command said.
fn well(output: Output) -> Result<String> {
    if !output.status.success() {
        bail!("{}: {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Everything that queries tell of alice, up to date: lists, marks, stories.
async fn everything(client: &Client) -> Result<Value> {
    let query = r#"query($at: Position!) {
        newest: notifications(recipient: "alice", first: 100, includeArchived: true, atLeastPosition: $at) { edges { cursor node { id content { title body }
            metadata seen read archived status deliveries { number channel address status attempts } events { position sequence type version at actor payload } } } }
        oldest: missedNotifications(recipient: "alice", first: 100, atLeastPosition: $at) { edges { cursor node { id } } }
        unreadCount(recipient: "alice", atLeastPosition: $at) recipient(id: "alice") { id addresses { id channel value } }
        categories(atLeastPosition: $at) { key name } senders(atLeastPosition: $at) { key } apiKeys(atLeastPosition: $at) { name prefix revoked } }"#;
    client.query(query, json!({ "at": client.head().await? })).await
}

/// Some of everything: delivered on every channel, failed and tried again, refused for good,
/// switched off, read, put away. Nothing is owed at the end.
async fn workload(app: &App) -> Result<Client> {
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let every = json!({ "channels": ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK", "IN_APP"] });
    app.simulators.rules(json!({ "provider": "fcm", "times": 2, "action": "outage" })).await?;
    app.simulators.rules(json!({ "provider": "smtp", "times": 1, "action": { "error": { "status": 550, "reason": "5.1.1" } } })).await?;
    let mut sent = Vec::new();
    for _ in 0..6 {
        sent.push(shop.send("alice", every.clone()).await?);
    }
    shop.subscribe_channel("alice", "EMAIL", false).await?;
    for _ in 0..2 {
        sent.push(shop.send("alice", every.clone()).await?);
    }
    for one in &sent {
        until("nothing of it is owed", async || {
            let notification = shop.notification(&one.id).await?;
            let over = |delivery: &Value| !["queued", "waiting", "in_flight"].iter().any(|state| delivery["status"] == *state);
            Ok(notification["deliveries"].as_array().is_some_and(|all| all.iter().all(over)).then_some(()))
        })
        .await?;
    }
    let alice = shop.as_recipient("alice").await?;
    // Only what is visible can be marked.
    until("all are visible", async || Ok((everything(&app.admin).await?["newest"]["edges"].as_array().map(Vec::len) == Some(sent.len())).then_some(())))
        .await?;
    let marks = "mutation($read: ID!, $away: ID!) { markRead(input: { ids: [$read] }) { position } archive(input: { ids: [$away] }) { position } }";
    alice.query(marks, json!({ "read": sent[0].id, "away": sent[1].id })).await?;
    Ok(shop)
}

#[tokio::test]
async fn health_and_figures_need_no_credential_and_name_nobody() -> Result<()> {
    let app = App::start().await?;
    workload(&app).await?;
    let nobody = app.admin.with("");
    for (path, word) in [("/health/live", "alive"), ("/health/ready", "ready")] {
        assert_eq!(nobody.get(path).await?, (200, format!("{word}\n")));
    }
    let (status, figures) = nobody.get("/metrics").await?;
    assert_eq!(status, 200);
    // Prometheus' text: a name, labels or none, a number; comments between.
    for line in figures.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').context("no value")?;
        assert!(name.starts_with("bongsu_"), "{line}");
        assert!(number.parse::<f64>().is_ok(), "{line}");
    }
    for wanted in ["bongsu_log_head", "bongsu_queue_depth", "bongsu_provider_breaker", "bongsu_projection_lag_events"] {
        assert!(figures.contains(wanted), "no {wanted} in\n{figures}");
    }
    for personal in ["alice", "example.com", "android:", "hooks", "How are you", "Hello"] {
        assert!(!figures.contains(personal), "{personal} in\n{figures}");
    }
    Ok(())
}

/// What `/metrics` says of pushes that wait; nothing said is none.
async fn figure_of_waiting(client: &Client) -> Result<f64> {
    let (_, figures) = client.get("/metrics").await?;
    let mut lines = figures.lines().filter(|line| line.starts_with("bongsu_backlog_deliveries{"));
    let line = lines.find(|line| line.contains(r#"channel="android_push""#) && line.contains(r#"state="waiting""#));
    line.and_then(|line| line.rsplit_once(' ')).map_or(Ok(0.0), |(_, number)| number.parse().map_err(Into::into))
}

#[tokio::test]
async fn the_figure_of_the_backlog_goes_up_and_down_again() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("outage")).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    until("a push waits", async || Ok((figure_of_waiting(&app.admin).await? > 0.0).then_some(()))).await?;
    app.simulators.behave().await?;
    shop.await_status(&sent.id, "sent").await?;
    // A figure that stayed at its last value would raise an alarm for ever.
    until("no push waits", async || Ok((figure_of_waiting(&app.admin).await? == 0.0).then_some(()))).await
}

#[tokio::test]
async fn the_status_query_shows_what_is_owed_to_administrators_only() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let query = "{ status { version head events backlog { channel state deliveries } providers { name breaker } consumers { name lag parked } window } }";
    app.simulators.rule("fcm", json!("outage")).await?;
    shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let owed = async || Ok::<_, anyhow::Error>(app.admin.query(query, json!({})).await?["status"].clone());
    let status = until("one push is owed", async || {
        let status = owed().await?;
        let rows = status["backlog"].as_array().context("no backlog")?;
        Ok(rows.iter().any(|row| row["channel"] == "ANDROID_PUSH" && row["deliveries"] == 1.0).then_some(status))
    })
    .await?;
    let mut providers: Vec<&str> = status["providers"].as_array().context("none")?.iter().filter_map(|provider| provider["name"].as_str()).collect();
    providers.sort_unstable();
    assert_eq!(providers, ["apns", "fcm", "kakao_talk", "slack", "smtp", "twilio", "twilio_voice", "web_push", "webhook"]);
    app.simulators.behave().await?;
    until("nothing is owed, nothing lags, nothing is parked", async || {
        let status = owed().await?;
        let zero = |list: &str, field: &str| status[list].as_array().is_some_and(|rows| rows.iter().all(|row| row[field].as_f64() == Some(0.0)));
        Ok((zero("backlog", "deliveries") && zero("consumers", "lag") && zero("consumers", "parked")).then_some(()))
    })
    .await?;
    let refused = shop.ask(query, json!({})).await?;
    assert_eq!(refused.code()?, "FORBIDDEN", "{}", refused.body);
    Ok(())
}

/// Names of the read models. What is owed is kept beside the log and listed too; it is none.
async fn read_models(app: &App) -> Result<Vec<String>> {
    let listed: Value = serde_json::from_str(&well(app.run(&["projection", "list", "--json"]).await?)?)?;
    let kept = |view: &&Value| {
        view["file"].as_str().is_some_and(|file| file.starts_with("views/")) || view["schema"].as_str().is_some_and(|schema| schema.starts_with("bongsu_view_"))
    };
    let views = listed.as_array().context("no list")?.iter().filter(kept);
    Ok(views.filter_map(|view| view["name"].as_str()).map(ToOwned::to_owned).collect())
}

#[tokio::test]
async fn the_audit_finds_every_notification_accounted_for() -> Result<()> {
    let mut app = App::start().await?;
    let shop = workload(&app).await?;
    well(app.run(&["audit"]).await?)?;
    // What is still owed is accounted for too, beside the server and after a crash.
    app.simulators.rule("fcm", json!("outage")).await?;
    let held = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&held.id, 1).await?;
    well(app.run(&["audit"]).await?)?;
    app.kill().await?;
    let report: Value = serde_json::from_str(&well(app.run(&["audit", "--json"]).await?)?)?;
    assert!(report.is_object(), "{report}");
    Ok(())
}

#[tokio::test]
async fn a_restart_in_order_keeps_everything_and_sends_nothing_again() -> Result<()> {
    let mut app = App::start().await?;
    let shop = workload(&app).await?;
    let before = everything(&app.admin).await?;
    let calls = app.simulators.ledger().await?.len();
    let head = app.admin.head().await?;
    for _ in 0..2 {
        app.stop().await?;
        app.start_server().await?;
        assert_eq!(everything(&app.admin).await?, before);
        assert_eq!(app.admin.head().await?, head);
    }
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    assert_eq!(app.simulators.ledger().await?.len(), calls + 1);
    Ok(())
}

#[tokio::test]
async fn the_check_tells_what_would_not_work_and_sends_nothing() -> Result<()> {
    let app = App::start().await?;
    let check = ["check", "--config", &app.config().display().to_string(), "--json"];
    let told: Value = serde_json::from_str(&well(app.run(&check).await?)?)?;
    let verdict = |told: &Value, what: &str| told.as_array().and_then(|all| all.iter().find(|one| one["what"] == what)).map(|one| one["verdict"].clone());
    for what in ["configuration", "data folder", "master key", "provider fcm", "provider apns", "provider smtp", "provider webhook"] {
        assert_eq!(verdict(&told, what), Some(json!("ok")), "{what}: {told:#}");
    }
    assert_eq!(app.simulators.ledger().await?.iter().filter(|call| call["delivered"] == true).count(), 0);

    app.simulators.rule("smtp", json!({ "error": { "status": 535, "reason": "5.7.8", "at": "auth" } })).await?;
    let failed = app.run(&check).await?;
    assert_eq!(failed.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&failed.stdout)?;
    assert_eq!((verdict(&told, "provider smtp"), verdict(&told, "provider fcm")), (Some(json!("failed")), Some(json!("ok"))), "{told:#}");
    Ok(())
}

#[tokio::test]
async fn every_read_model_is_built_anew_while_it_serves_and_nothing_is_sent_by_it() -> Result<()> {
    let app = App::start().await?;
    workload(&app).await?;
    let before = everything(&app.admin).await?;
    assert_eq!(before["newest"]["edges"].as_array().map(Vec::len), Some(8), "{before:#}");
    let calls = app.simulators.ledger().await?.len();
    let head = app.admin.head().await?;

    // Somebody reads all the while, and is never told anything else.
    let (admin, expected) = (app.admin.clone(), before.clone());
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let reading = tokio::spawn(async move {
        let mut reads = 0;
        while stopped.try_recv().is_err() {
            let seen = everything(&admin).await?;
            anyhow::ensure!(seen == expected, "{seen:#}");
            reads += 1;
        }
        Ok(reads)
    });
    let views = read_models(&app).await?;
    assert!(views.len() >= 3, "{views:?}");
    for name in &views {
        let told = well(app.run(&["projection", "rebuild", name]).await?)?;
        assert!(told.contains("rebuilt"), "{told}");
    }
    stop.send(()).map_err(|()| anyhow::anyhow!("the reader has ended"))?;
    let reads: usize = reading.await??;
    assert!(reads > 0);
    assert_eq!(everything(&app.admin).await?, before);
    assert_eq!(app.simulators.ledger().await?.len(), calls, "nothing was sent");
    assert_eq!(app.admin.head().await?, head, "nothing was recorded");

    let unknown = app.run(&["projection", "rebuild", "no-such-thing"]).await?;
    assert_eq!(unknown.status.code(), Some(3));
    let parked = well(app.run(&["projection", "parked", "--json"]).await?)?;
    assert_eq!(serde_json::from_str::<Value>(&parked)?, json!([]));
    Ok(())
}

/// By commands that read the data folder.
mod embedded {
    use super::*;

    #[tokio::test]
    async fn a_backup_of_a_server_at_work_is_restored_to_the_same_history() -> Result<()> {
        let mut app = App::start().await?;
        let shop = workload(&app).await?;
        let before = everything(&app.admin).await?;
        // Others go on sending to somebody else while the copy is made.
        app.recipient(&shop, "bob").await?;
        let sending = tokio::spawn({
            let shop = shop.clone();
            async move {
                for _ in 0..50 {
                    shop.send("bob", json!({ "channels": ["IN_APP"] })).await?;
                }
                anyhow::Ok(())
            }
        });
        let (backup, restored) = (app.root().join("backup").display().to_string(), app.root().join("restored").display().to_string());
        well(app.run(&["backup", &backup]).await?)?;
        sending.await??;
        assert!(!std::path::Path::new(&backup).join("master.key").exists(), "the master key is kept apart");

        let master = app.data().join("master.key").display().to_string();
        let keyless = run(&["restore", "--from", &backup, "--data", &restored], app.root(), &[]).await?;
        assert_eq!(keyless.status.code(), Some(2), "without the master key nothing is restored");
        well(run(&["restore", "--from", &backup, "--data", &restored, "--master-key-file", &master], app.root(), &[]).await?)?;
        well(run(&["audit", "--data", &restored], app.root(), &[]).await?)?;

        // The restored folder takes the place of the lost one.
        app.stop().await?;
        std::fs::rename(app.data(), app.root().join("lost"))?;
        std::fs::rename(&restored, app.data())?;
        app.start_server().await?;
        assert_eq!(everything(&app.admin).await?, before);
        let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
        shop.await_status(&sent.id, "sent").await?;
        Ok(())
    }
}
