//! The commands as people type them: what they print, how they end, what they say when wrong.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::process::Output;
use tests::process::run;
use tests::{App, until};

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs without any server, in a folder of its own.
async fn alone(arguments: &[&str]) -> Result<Output> {
    let folder = tempfile::tempdir()?;
    run(arguments, folder.path(), &[]).await
}

/// As an operator on the server's machine, who names no key: the data folder has one.
async fn beside(app: &App, arguments: &[&str]) -> Result<Output> {
    let data = app.data().display().to_string();
    run(arguments, app.root(), &[("BONGSU_SERVER", app.admin.base()), ("BONGSU_STORAGE__DATA_DIR", &data)]).await
}

/// Names of the commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Names stand two columns in; explanations that go on stand further in.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_demo_tells_every_story_and_ends_well() -> Result<()> {
    // Any free port: others may run a server on the usual one.
    let output = alone(&["demo", "--exit", "--listen", "127.0.0.1:0"]).await?;
    assert_eq!(output.status.code(), Some(0), "{}{}", printed(&output), said(&output));
    assert!(printed(&output).contains("as it should be"), "{}", printed(&output));
    Ok(())
}

#[tokio::test]
async fn every_command_explains_itself_by_an_example() -> Result<()> {
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let output = alone(&arguments).await?;
        let help = printed(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(help.contains("Examples:\n  ") && help.contains("bongsu"), "{arguments:?} has no example:\n{help}");
        for name in commands(&help) {
            open.push(path.iter().cloned().chain([name]).collect());
        }
        seen += 1;
    }
    assert!(seen > 25, "only {seen} commands were found");
    Ok(())
}

#[tokio::test]
async fn a_notification_is_sent_and_its_story_told() -> Result<()> {
    let app = App::start().await?;
    app.recipient(&app.sender("shop").await?, "alice").await?;
    let send = ["send", "--to", "alice", "--title", "Parcel", "--body", "It is here", "--channel", "email,in_app", "--idempotency-key", "parcel-17"];
    let sent = beside(&app, &send).await?;
    assert_eq!(sent.status.code(), Some(0), "{}", said(&sent));
    // Nothing but the id on stdout, for scripts.
    let id = printed(&sent).trim().to_owned();
    app.admin.await_status(&id, "sent").await?;

    let again = beside(&app, &[&send[..], &["--json"]].concat()).await?;
    let again: Value = serde_json::from_slice(&again.stdout)?;
    assert_eq!((&again["notification"]["id"], &again["duplicate"]), (&json!(id), &json!(true)));

    let story = beside(&app, &["explain", &id]).await?;
    assert_eq!(story.status.code(), Some(0), "{}", said(&story));
    for part in [id.as_str(), "over email", "attempt 1 by smtp", "sent: "] {
        assert!(printed(&story).contains(part), "no {part:?} in\n{}", printed(&story));
    }
    assert_eq!(printed(&beside(&app, &["trace", &id]).await?), printed(&story), "trace is its other name");
    let followed = beside(&app, &["trace", &id, "--follow"]).await?;
    assert_eq!(followed.status.code(), Some(0), "a story that is over ends by itself: {}", said(&followed));
    let raw: Value = serde_json::from_slice(&beside(&app, &["explain", &id, "--json"]).await?.stdout)?;
    assert!(raw["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{raw}");
    Ok(())
}

#[tokio::test]
async fn failures_end_with_the_status_that_the_help_promises() -> Result<()> {
    let app = App::start().await?;
    app.recipient(&app.sender("shop").await?, "alice").await?;
    let key = ["--idempotency-key", "k"];
    let send = |to: &'static str, body: &'static str| [&["send", "--to", to, "--title", "t", "--body", body][..], &key].concat();
    assert_eq!(beside(&app, &send("alice", "b")).await?.status.code(), Some(0));
    for (arguments, status) in [
        (vec!["status"], 0),
        (vec!["send", "--to", "alice"], 2),
        (vec!["statsu"], 2),
        (send("nobody", "b"), 3),
        (vec!["explain", "0198c0de-0000-7000-8000-000000000001"], 3),
        (send("alice", "another text under the same key"), 4),
        (vec!["status", "--server", "http://127.0.0.1:1"], 5),
    ] {
        let output = beside(&app, &arguments).await?;
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", said(&output));
        if status != 0 {
            assert!(said(&output).contains("error: "), "{arguments:?} says nothing of what is wrong");
            assert!(printed(&output).is_empty(), "{arguments:?}: errors are no output");
        }
    }
    // For programs the same on request.
    let output = beside(&app, &[&send("nobody", "b")[..], &["--json"]].concat()).await?;
    let told: Value = serde_json::from_str(&format!("{}{}", printed(&output), said(&output)))?;
    assert_eq!((&told["error"]["exit"], &told["error"]["code"]), (&json!(3), &json!("RECIPIENT_NOT_FOUND")));
    Ok(())
}

#[tokio::test]
async fn the_status_tells_of_providers_backlog_and_readers() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("outage")).await?;
    shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    until("the backlog shows what waits", async || {
        let told: Value = serde_json::from_slice(&app.run(&["status", "--json"]).await?.stdout)?;
        assert_eq!(told["ready"], true);
        let rows = told["status"]["backlog"].as_array().context("no backlog")?;
        Ok(rows.iter().any(|row| row["channel"] == "ANDROID_PUSH" && row["deliveries"].as_f64() == Some(1.0)).then_some(()))
    })
    .await?;
    let text = printed(&app.run(&["status", "--all"]).await?);
    for part in ["ready", "Owed", "android_push", "Providers", "fcm", "Readers of the log", "notifications", "bongsu_log_head"] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_made_here_works_and_is_nowhere_stored() -> Result<()> {
    let app = App::start().await?;
    let made = app.run(&["key", "create", "--name", "the bakery", "--sender", "bakery"]).await?;
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let key = printed(&made).trim().to_owned();
    let bakery = app.admin.with(&key);
    app.recipient(&bakery, "alice").await?;
    let sent = bakery.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    assert_eq!(bakery.notification(&sent.id).await?["sender"], "bakery");
    let list = format!(r#"{{ apiKeys(atLeastPosition: "{}") {{ name sender prefix }} }}"#, sent.position);
    let known = app.admin.query(&list, json!({})).await?.to_string();
    assert!(known.contains("the bakery") && !known.contains(&key), "{known}");

    // A sender's key is not enough to make keys, and the command says so.
    let environment = [("BONGSU_KEY", key.as_str()), ("BONGSU_SERVER", app.admin.base())];
    let refused = run(&["key", "create", "--name", "x", "--admin"], app.root(), &environment).await?;
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));

    let minted = app.run(&["token", "create", "--recipient", "alice"]).await?;
    let alice = app.admin.with(printed(&minted).trim());
    let unread = format!(r#"{{ unreadCount(atLeastPosition: "{}") }}"#, sent.position);
    assert_eq!(alice.query(&unread, json!({})).await?["unreadCount"], 1);
    Ok(())
}

#[tokio::test]
async fn the_configuration_shows_where_each_value_came_from() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("bongsu.toml"), "[log]\nlevel = \"warn\"\n[server]\nlisten = \"127.0.0.1:7001\"\n")?;
    let show = ["config", "show", "--origin"];
    let output = run(&show, folder.path(), &[("BONGSU_SERVER__LISTEN", "127.0.0.1:7002"), ("BONGSU_MASTER_KEY", "not to be shown")]).await?;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = printed(&output);
    let line = |key: &str| text.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or_default().to_owned();
    assert!(line("server.listen").contains("127.0.0.1:7002") && line("server.listen").contains("BONGSU_SERVER__LISTEN"), "{text}");
    assert!(line("log.level").contains("warn") && line("log.level").contains("bongsu.toml"), "{text}");
    assert!(line("log.format").contains("default"), "{text}");
    assert!(!text.contains("not to be shown"));
    Ok(())
}

#[tokio::test]
async fn a_mistyped_key_of_the_configuration_is_an_error_that_names_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("bongsu.toml"), "[server]\nlisen = \"127.0.0.1:0\"\n")?;
    for arguments in [&["serve", "--data", "data"][..], &["config", "show"], &["check", "--offline"]] {
        let output = run(arguments, folder.path(), &[]).await?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        for part in ["server.lisen", "bongsu.toml line 2", "server.listen"] {
            assert!(said(&output).contains(part), "{arguments:?} without {part:?}: {}", said(&output));
        }
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
    let output = run(&["config", "show"], tempfile::tempdir()?.path(), &[("BONGSU_SERVER__LISEN", "x")]).await?;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("BONGSU_SERVER__LISEN"), "{}", said(&output));
    Ok(())
}

#[tokio::test]
async fn the_reference_of_the_configuration_is_the_documentation() -> Result<()> {
    let output = alone(&["config", "reference"]).await?;
    let stored = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md"))?;
    assert!(printed(&output).trim_end() == stored.trim_end(), "docs/configuration.md is stale");
    // The file to start from is one that works as it is.
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("bongsu.toml"), alone(&["config", "reference", "--toml"]).await?.stdout)?;
    let output = run(&["config", "show"], folder.path(), &[]).await?;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    Ok(())
}
