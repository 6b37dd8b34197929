//! What waits for a moment: not seen before, asked again then, sent once, and taken back while it waits.

use super::deciding::{SEOUL, ahead, await_that, cancel, delivered, happened, history, in_seoul, leave_alone, moment, preview, request, waiting, written};
use super::explaining::{explain, says, step};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

const PUSH: [&str; 1] = ["ANDROID_PUSH"];

async fn start() -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    Ok((app, shop))
}

fn rules(notification: &Value) -> Vec<&str> {
    notification["suppressions"].as_array().into_iter().flatten().filter_map(|one| one["rule"].as_str()).collect()
}

#[tokio::test]
async fn do_not_disturb_defers_until_its_end_and_then_it_goes_out_once() -> Result<()> {
    let (app, shop) = start().await?;
    let end = ahead(3_000);
    leave_alone(&shop, "alice", end).await?;
    let both = json!({ "channels": ["ANDROID_PUSH", "IN_APP"] });
    let foretold = preview(&app, &shop, &[request("alice", &both)]).await?;
    assert_eq!((&foretold[0]["outcome"], &foretold[0]["rule"]), (&json!("DEFER"), &json!("do_not_disturb")), "{foretold:#?}");

    let sent = shop.send("alice", both).await?;
    let deferred = waiting(&shop, &sent.id).await?;
    assert_eq!((&deferred["status"], &deferred["waitsBy"], &deferred["waitsUntil"]), (&json!("deferred"), &json!("do_not_disturb"), &foretold[0]["until"]));
    assert_eq!(moment(&deferred["waitsUntil"])?.timestamp_millis(), end.timestamp_millis());
    assert_eq!(deferred["deliveries"], json!([]));
    assert_eq!(history(&shop, "alice", &sent.position).await?, Vec::<String>::new());
    let told = explain(&shop, &sent.id).await?;
    assert_eq!((&told["outcome"], &told["over"]), (&json!("deferred"), &json!(false)), "{told:#}");
    says(&told, &["Waits until 20", "the recipient is not to be disturbed", "do not disturb until 20"]);
    // What harms if it is late passes.
    let critical = shop.send("alice", json!({ "channels": PUSH, "priority": "CRITICAL" })).await?;
    shop.await_status(&critical.id, "sent").await?;
    assert!(!shop.story(&critical.id).await?.contains(&"Deferred".to_owned()));

    let over = await_that(&shop, &sent.id, "both went out", |one| {
        one["deliveries"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["status"] == "sent"))
    });
    let over = over.await?;
    assert!(happened(&over, "Released")?.context("not released")? >= end, "{over:#}");
    assert_eq!((&over["waitsUntil"], &over["waitsBy"]), (&Value::Null, &Value::Null));
    assert_eq!(delivered(&app, &sent.id).await?, 1);
    assert_eq!(history(&shop, "alice", &app.admin.head().await?).await?, [critical.id, sent.id.clone()]);
    says(step(&explain(&shop, &sent.id).await?, "Released")?, &["came due and was decided anew"]);
    Ok(())
}

#[tokio::test]
async fn what_happens_while_it_waits_holds_when_it_comes_due() -> Result<()> {
    let (app, shop) = start().await?;
    for id in ["opts-out", "expires", "cancels", "erased"] {
        app.recipient(&shop, id).await?;
    }
    shop.upsert_recipient(json!({ "id": "registers", "email": "registers@example.com" })).await?;
    let end = ahead(3_000);
    for id in ["opts-out", "expires", "cancels", "erased", "registers"] {
        leave_alone(&shop, id, end).await?;
    }
    let push = json!({ "channels": PUSH });
    let opted_out = shop.send("opts-out", push.clone()).await?;
    let expires = shop.send("expires", json!({ "channels": PUSH, "expiresAt": written(ahead(1_500)) })).await?;
    let cancelled = shop.send("cancels", push.clone()).await?;
    let erased = shop.send("erased", push.clone()).await?;
    // A push alone would be decided against at once: there is no device yet.
    let registers = shop.send("registers", json!({ "channels": ["ANDROID_PUSH", "EMAIL"] })).await?;
    for sent in [&opted_out, &expires, &cancelled, &erased, &registers] {
        assert_eq!(waiting(&shop, &sent.id).await?["status"], "deferred");
    }
    shop.subscribe_channel("opts-out", "ANDROID_PUSH", false).await?;
    shop.register_device("registers", "ANDROID_PUSH", "android:new").await?;
    shop.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": "erased" })).await?;
    let answer = cancel(&shop, &cancelled.id).await?;
    assert_eq!((&answer["stoppedWaiting"], &answer["tooLate"], &answer["stopped"]), (&json!(true), &json!(false), &json!([])), "{answer}");
    assert_eq!(answer["notification"]["status"], "cancelled");
    assert_eq!(cancel(&shop, &cancelled.id).await?["tooLate"], true);

    shop.await_status(&expires.id, "expired").await?;
    says(&explain(&shop, &expires.id).await?, &["it expired before anything was queued", "before that: waits until 20", "not to be disturbed"]);
    let suppressed = shop.await_status(&opted_out.id, "suppressed").await?;
    assert_eq!(rules(&suppressed).first(), Some(&"opted_out_of_channel"), "{suppressed:#}");
    says(&explain(&shop, &opted_out.id).await?, &["the recipient switched this channel off", "Android push was switched off on 20"]);
    shop.await_status(&erased.id, "suppressed").await?;
    await_that(&shop, &registers.id, "the new device has it", |one| {
        one["deliveries"].as_array().is_some_and(|all| all.iter().any(|one| one["channel"] == "ANDROID_PUSH" && one["status"] == "sent"))
    })
    .await?;
    says(&explain(&shop, &cancelled.id).await?, &["the sender took it back while it waited", "before that: waits until 20"]);
    for sent in [&opted_out, &expires, &cancelled, &erased] {
        assert_eq!(app.simulators.calls_for(&sent.id).await?, Vec::<Value>::new());
    }
    assert_eq!(app.simulators.calls_for(&registers.id).await?.iter().filter(|call| call["provider"] == "fcm").count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_server_that_was_killed_while_it_waited_sends_it_once() -> Result<()> {
    let (mut app, shop) = start().await?;
    leave_alone(&shop, "alice", ahead(2_000)).await?;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(shop.send("alice", json!({ "channels": PUSH, "idempotencyKey": number.to_string() })).await?.id);
    }
    let at = written(ahead(2_500));
    ids.push(shop.send("alice", json!({ "channels": PUSH, "sendAt": at })).await?.id);
    app.kill().await?;
    app.start_server().await?;
    for id in &ids {
        shop.await_status(id, "sent").await?;
        assert_eq!(delivered(&app, id).await?, 1);
        let story = shop.story(id).await?;
        assert_eq!(story.iter().filter(|kind| *kind == "Released").count(), 1, "{story:?}");
    }
    Ok(())
}

#[tokio::test]
async fn it_waits_for_the_senders_moment_and_for_the_recipients_clock() -> Result<()> {
    let (app, shop) = start().await?;
    shop.upsert_recipient(json!({ "id": "alice", "timeZone": SEOUL })).await?;
    let later = ahead(2_000);
    let by_clock = in_seoul(later)?.format("%Y-%m-%dT%H:%M:%S").to_string();
    let requests = [json!({ "channels": PUSH, "sendAt": written(later) }), json!({ "channels": PUSH, "localTime": by_clock })];
    let tomorrow = json!({ "channels": PUSH, "sendAt": written(ahead(86_400_000)) });
    let mut ids = Vec::new();
    for one in &requests {
        ids.push(shop.send("alice", one.clone()).await?.id);
    }
    let far = shop.send("alice", tomorrow.clone()).await?;
    let deferred = waiting(&shop, &ids[1]).await?;
    assert_eq!((&deferred["status"], &deferred["waitsBy"]), (&json!("deferred"), &json!("not_before")), "{deferred:#}");
    assert_eq!(moment(&deferred["waitsUntil"])?.timestamp(), later.timestamp());
    says(&explain(&shop, &ids[1]).await?, &["Waits until 20", "the sender asked for a later moment"]);
    for id in &ids {
        let sent = await_that(&shop, id, "it went out", |one| one["status"] == "sent").await?;
        assert!(happened(&sent, "Queued")?.context("not queued")?.timestamp() >= later.timestamp(), "{sent:#}");
        assert_eq!(delivered(&app, id).await?, 1);
    }
    // Taken back by a query, with what is done and what waits.
    let query = "mutation($input: CancelNotificationsInput!, $position: Position) { cancelNotifications(input: $input, atLeastPosition: $position) {
        lookedAt stopped tooLate notifications { id status } cursor } }";
    let asked = json!({ "input": { "query": { "recipient": "alice" } }, "position": app.admin.head().await? });
    let answer = shop.query(query, asked).await?["cancelNotifications"].clone();
    assert_eq!((&answer["lookedAt"], &answer["stopped"], &answer["tooLate"]), (&json!(3), &json!(1), &json!(2)), "{answer:#}");
    assert_eq!(answer["notifications"], json!([{ "id": far.id, "status": "cancelled" }]));
    assert_eq!(app.simulators.calls_for(&far.id).await?, Vec::<Value>::new());

    let both = shop.attempt_send("alice", json!({ "channels": PUSH, "sendAt": written(later), "localTime": "2027-01-01T09:00" })).await?;
    let never = shop.attempt_send("alice", json!({ "channels": PUSH, "sendAt": written(ahead(400 * 86_400_000)) })).await?;
    assert!(both["code"].is_string() && never["code"].is_string(), "{both} {never}");
    Ok(())
}
