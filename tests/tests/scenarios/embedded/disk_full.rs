//! A disk that is full: nothing is acknowledged that is not there afterwards.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{Answer, App, Client, until};

const SEND: &str = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) {
    ... on SendAccepted { notification { id } duplicate } ... on Problem { code message } } }";

fn input(key: &str) -> Value {
    json!({ "input": { "recipient": "alice", "idempotencyKey": key, "channels": ["EMAIL", "IN_APP"], "content": { "title": "Hello", "body": "How are you?" } } })
}

async fn send(shop: &Client, key: &str) -> Result<Answer> {
    shop.ask(SEND, input(key)).await
}

/// Sends one that must be accepted; gives its id and whether it was known before.
async fn accepted(shop: &Client, key: &str) -> Result<(String, bool)> {
    let data = send(shop, key).await?.data()?;
    let result = &data["sendNotification"];
    Ok((result["notification"]["id"].as_str().with_context(|| format!("not accepted: {result}"))?.to_owned(), result["duplicate"] == true))
}

async fn readiness(app: &App, status: u16) -> Result<String> {
    until(&format!("readiness is {status}"), async || {
        let (found, body) = app.admin.get("/health/ready").await?;
        Ok((found == status).then_some(body))
    })
    .await
}

#[tokio::test]
async fn a_full_disk_refuses_says_so_and_is_over_once_there_is_room() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut acknowledged = Vec::new();
    for key in ["before-1", "before-2", "before-3"] {
        acknowledged.push(accepted(&shop, key).await?.0);
    }
    for id in &acknowledged {
        shop.await_status(id, "sent").await?;
    }
    readiness(&app, 200).await?;
    let head = app.admin.head().await?;

    app.server()?.limit_file_size("1").await?;
    for key in ["refused-1", "refused-2", "refused-1"] {
        let answer = send(&shop, key).await?;
        assert_eq!(answer.code()?, "UNAVAILABLE", "{}", answer.body);
        assert!(answer.body["errors"][0]["extensions"]["retryAfter"].is_number(), "{}", answer.body);
    }
    let upsert = "mutation($input: UpsertRecipientInput!) { upsertRecipient(input: $input) { __typename } }";
    assert_eq!(shop.ask(upsert, json!({ "input": { "id": "bob", "email": "bob@example.com" } })).await?.code()?, "UNAVAILABLE");
    let reason = readiness(&app, 503).await?;
    assert!(reason.starts_with("the log cannot be written: "), "{reason}");
    assert_eq!(app.admin.get("/health/live").await?.0, 200, "a restart would not help, so nobody should order one");
    assert_eq!(app.admin.head().await?, head, "nothing half-written is visible");
    assert_eq!(shop.notification(&acknowledged[0]).await?["status"], "sent", "what is there can be read");

    app.server()?.limit_file_size("unlimited").await?;
    // Nobody sends: the server finds out by itself.
    readiness(&app, 200).await?;
    assert_eq!(app.admin.head().await?, head);
    for key in ["refused-1", "refused-2", "after"] {
        let (id, known) = accepted(&shop, key).await?;
        assert!(!known, "{key} was refused, so it is new");
        acknowledged.push(id);
    }
    for id in &acknowledged {
        shop.await_status(id, "sent").await?;
        assert_eq!(app.simulators.await_calls(id, 1).await?.len(), 1, "once");
    }

    // The disk fills up again and the power goes: what the file says counts.
    app.server()?.limit_file_size("1").await?;
    assert_eq!(send(&shop, "lost").await?.code()?, "UNAVAILABLE");
    app.kill().await?;
    app.start_server().await?;
    for id in &acknowledged {
        assert_eq!(shop.notification(id).await?["status"], "sent");
    }
    assert!(!accepted(&shop, "lost").await?.1);
    app.stop().await
}

#[tokio::test]
async fn deliveries_under_way_when_the_disk_fills_up_are_concluded_once_each() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut acknowledged = Vec::new();
    for number in 0..30 {
        acknowledged.push(accepted(&shop, &format!("under-way-{number}")).await?.0);
    }
    app.server()?.limit_file_size("1").await?;
    // Queued, recorded as begun, or called and not yet recorded as sent: each of them somewhere.
    assert_eq!(send(&shop, "refused").await?.code()?, "UNAVAILABLE");
    readiness(&app, 503).await?;
    app.server()?.limit_file_size("unlimited").await?;
    for id in &acknowledged {
        shop.await_status(id, "sent").await?;
        assert_eq!(app.simulators.await_calls(id, 1).await?.len(), 1, "the server did not forget what it had called");
    }
    app.stop().await
}
