//! Taking back while a provider is being called: what was stopped, what was on its way, and that nothing follows.

use super::deciding::{ahead, written};
use super::told::{killed_and_back, under_way};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{App, Client, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const CANCELLED: &str = "... on NotificationCancelled { stopped underWay sent tooLate notification { status } }";

async fn cancel(by: &Client, id: &str) -> Result<Value> {
    by.mutate("cancelNotification", "CancelNotificationInput", CANCELLED, json!({ "id": id })).await
}

/// The numbers of a field of an answer.
fn numbers(answer: &Value, field: &str) -> Vec<u64> {
    answer[field].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// Reads a whole request, so that only its answer is missing.
async fn heard(connection: &mut TcpStream) -> Result<()> {
    let mut request = Vec::new();
    loop {
        let mut some = [0; 4_096];
        let read = connection.read(&mut some).await?;
        request.extend_from_slice(some.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::trim).and_then(|text| text.parse().ok()));
            if body.len() >= length.unwrap_or(0) {
                return Ok(());
            }
        }
    }
}

#[tokio::test]
async fn a_call_under_way_is_said_to_be_and_is_not_followed_by_a_retry() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let receiver = TcpListener::bind("127.0.0.1:0").await?;
    let webhook = json!({ "url": format!("http://{}/hook", receiver.local_addr()?), "secret": app.simulators.webhook_secret().await? });
    shop.upsert_recipient(json!({ "id": "alice", "webhook": webhook })).await?;
    for (answer, status) in [("503 Service Unavailable", "cancelled"), ("200 OK", "sent")] {
        let sent = shop.send("alice", json!({ "channels": ["IN_APP", "WEBHOOK"] })).await?;
        let (mut connection, _) = receiver.accept().await?;
        heard(&mut connection).await?;
        let deliveries = shop.notification(&sent.id).await?["deliveries"].clone();
        let number = deliveries.as_array().into_iter().flatten().find(|one| one["channel"] == "WEBHOOK").and_then(|one| one["number"].as_u64());
        let number = number.context("no webhook")?;
        for _ in 0..2 {
            let told = cancel(&shop, &sent.id).await?;
            assert_eq!((numbers(&told, "stopped"), numbers(&told, "underWay"), &told["tooLate"]), (vec![], vec![number], &json!(true)), "{told}");
            assert_eq!(numbers(&told, "sent").len(), 1, "what was shown in the app is not taken back: {told}");
        }
        connection.write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let standing = async || {
            let deliveries = shop.notification(&sent.id).await?["deliveries"].clone();
            let stands = deliveries.as_array().into_iter().flatten().any(|one| one["channel"] == "WEBHOOK" && one["status"] == status);
            Ok(stands.then_some(()))
        };
        until(&format!("it is {status} after {answer}"), standing).await?;
        let story = shop.story(&sent.id).await?;
        let count = |kind: &str| story.iter().filter(|told| *told == kind).count();
        assert_eq!((count("AttemptStarted"), count("CancelRequested"), count("RetryScheduled")), (1, 1, 0), "{story:?}");
        assert_eq!(count("Cancelled"), usize::from(status == "cancelled"), "{story:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_may_have_arrived_when_it_was_taken_back_is_not_repeated_after_a_kill() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    let sent = under_way(&app, &shop).await?;
    assert_eq!(numbers(&cancel(&shop, &sent).await?, "underWay"), [0]);
    killed_and_back(&mut app).await?;
    // Without being taken back it would be repeated: a device can tell a repeat.
    shop.await_status(&sent, "dead_lettered").await?;
    assert_eq!(shop.story(&sent).await?.iter().filter(|kind| *kind == "AttemptStarted").count(), 1);
    assert_eq!(app.simulators.calls_for(&sent).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn taking_back_by_query_says_it_of_each() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("hang")).await?;
    let calling = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&calling.id, 1).await?;
    let waits = shop.send("alice", json!({ "channels": ["EMAIL"], "sendAt": written(ahead(3_600_000)) })).await?;
    let query = "mutation($input: CancelNotificationsInput!, $position: Position) { cancelNotifications(input: $input, atLeastPosition: $position) {
        lookedAt stopped tooLate results { notification { id } stopped stoppedWaiting underWay } } }";
    let asked = json!({ "input": { "query": { "recipient": "alice" } }, "position": waits.position });
    let told = shop.query(query, asked).await?["cancelNotifications"].clone();
    assert_eq!((&told["lookedAt"], &told["stopped"], &told["tooLate"]), (&json!(2), &json!(1), &json!(1)), "{told}");
    let expected = json!([
        { "notification": { "id": calling.id }, "stopped": [], "stoppedWaiting": false, "underWay": [0] },
        { "notification": { "id": waits.id }, "stopped": [], "stoppedWaiting": true, "underWay": [] },
    ]);
    assert_eq!(told["results"], expected);
    Ok(())
}
