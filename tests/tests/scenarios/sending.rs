//! What a sender may rely on: repeats, lists, cancelling, expiry, defaults and opt-outs.
//!
//! Work is held by a provider that asks for patience: its breaker then lets no call begin, so that
//! a delivery is owed and no provider has heard of it.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tests::client::Sent;
use tests::{App, Client, until};

/// Long enough for a few requests, short enough to wait for.
const A_WHILE: i64 = 8;
const AN_HOUR: i64 = 3_600;

/// Has the push service ask for so many seconds of patience; gives the notification that was told
/// so. What follows on this channel stays queued until then.
pub async fn hold(app: &App, by: &Client, seconds: i64) -> Result<Sent> {
    app.recipient(by, "first").await?;
    let busy = json!({ "error": { "status": 429, "reason": "QUOTA_EXCEEDED", "retry_after": seconds } });
    app.simulators.rules(json!({ "provider": "fcm", "times": 1, "action": busy })).await?;
    let first = by.send("first", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    until("the provider's wish is honoured", async || {
        let data = app.admin.query("{ status { providers { channel breaker } } }", json!({})).await?;
        let providers = data["status"]["providers"].as_array().context("no providers")?;
        Ok(providers.iter().any(|one| one["channel"] == "ANDROID_PUSH" && one["breaker"] == "throttled").then_some(()))
    })
    .await?;
    // The breaker learns before it is recorded.
    by.await_event(&first.id, "Held").await?;
    Ok(first)
}

async fn cancel(by: &Client, id: &str) -> Result<Value> {
    by.attempt("cancelNotification", "CancelNotificationInput", "... on NotificationCancelled { stopped notification { status } }", json!({ "id": id })).await
}

async fn define_category(app: &App, input: Value) -> Result<()> {
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", input).await.map(drop)
}

async fn set_subscription(by: &Client, input: Value) -> Result<Value> {
    by.attempt("setSubscription", "SetSubscriptionInput", "", input).await
}

/// The answers to a list, as code or `accepted`.
async fn outcomes(by: &Client, items: Value) -> Result<Vec<String>> {
    let query = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results {
        ... on SendAccepted { notification { id } duplicate } ... on Problem { code message } } } }";
    let data = by.query(query, json!({ "input": { "items": items } })).await?;
    let results = data["sendNotifications"]["results"].as_array().context("no results")?;
    Ok(results.iter().map(|result| result["code"].as_str().unwrap_or("accepted").to_owned()).collect())
}

/// Channels of the deliveries, in order.
fn channels(notification: &Value) -> Vec<&str> {
    notification["deliveries"].as_array().into_iter().flatten().filter_map(|delivery| delivery["channel"].as_str()).collect()
}

fn count(story: &[String], event: &str) -> usize {
    story.iter().filter(|told| *told == event).count()
}

#[tokio::test]
async fn a_repeat_is_the_same_notification_and_is_sent_once() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let order = json!({ "channels": ["WEBHOOK"], "idempotencyKey": "order-1" });
    let first = shop.send("alice", order.clone()).await?;
    shop.await_status(&first.id, "sent").await?;
    let again = shop.send("alice", order).await?;
    assert_eq!((again.id.as_str(), again.duplicate, first.duplicate), (first.id.as_str(), true, false));
    assert_eq!(again.position, first.position);
    // Sent after the repeat was answered, so a call for the repeat would have come before it.
    let later = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    app.simulators.await_calls(&later.id, 1).await?;
    assert_eq!(app.simulators.calls_for(&first.id).await?.len(), 1);
    let story = shop.story(&first.id).await?;
    assert_eq!((count(&story, "Deduplicated"), count(&story, "AttemptStarted")), (1, 1), "{story:?}");
    Ok(())
}

#[tokio::test]
async fn a_repeat_after_a_restart_is_still_the_same_notification() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let order = json!({ "channels": ["WEBHOOK"], "idempotencyKey": "order-1" });
    let first = shop.send("alice", order.clone()).await?;
    shop.await_status(&first.id, "sent").await?;
    app.stop().await?;
    app.start_server().await?;
    let again = shop.send("alice", order).await?;
    assert_eq!((again.id, again.duplicate), (first.id.clone(), true));
    assert_eq!(app.simulators.calls_for(&first.id).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_refused() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.recipient(&shop, "bob").await?;
    let keyed = |extra: Value| {
        let mut input = json!({ "channels": ["IN_APP"], "idempotencyKey": "order-1" });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        input
    };
    shop.send("alice", keyed(json!({}))).await?;
    let head = app.admin.head().await?;
    let others = [
        ("alice", json!({ "content": { "title": "Hello", "body": "Something else" } })),
        ("alice", json!({ "channels": ["EMAIL"] })),
        ("alice", json!({ "priority": "HIGH" })),
        ("alice", json!({ "metadata": "{\"order\":2}" })),
        ("bob", json!({})),
    ];
    for (recipient, extra) in others {
        let refused = shop.attempt_send(recipient, keyed(extra.clone())).await?;
        assert_eq!(refused["code"], "IDEMPOTENCY_CONFLICT", "{recipient} {extra}: {refused}");
    }
    assert_eq!(app.admin.head().await?, head, "a refusal records nothing");
    Ok(())
}

#[tokio::test]
async fn two_senders_may_use_the_same_key() -> Result<()> {
    let app = App::start().await?;
    let (shop, game) = (app.sender("shop").await?, app.sender("game").await?);
    app.recipient(&shop, "alice").await?;
    let keyed = json!({ "channels": ["IN_APP"], "idempotencyKey": "1" });
    let (one, other) = (shop.send("alice", keyed.clone()).await?, game.send("alice", keyed).await?);
    assert_ne!(one.id, other.id);
    assert!(!other.duplicate);
    Ok(())
}

#[tokio::test]
async fn fifty_requests_at_once_with_one_key_make_one_notification() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let asked = (0..50).map(|_| shop.send("alice", json!({ "channels": ["WEBHOOK"], "idempotencyKey": "order-1" })));
    let answers = try_join_all(asked).await?;
    assert!(answers.iter().all(|sent| sent.id == answers[0].id && sent.position == answers[0].position), "{answers:?}");
    assert_eq!(answers.iter().filter(|sent| !sent.duplicate).count(), 1, "{answers:?}");
    shop.await_status(&answers[0].id, "sent").await?;
    let later = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    app.simulators.await_calls(&later.id, 1).await?;
    assert_eq!(app.simulators.calls_for(&answers[0].id).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn each_item_of_a_list_is_accepted_or_refused_on_its_own() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let content = json!({ "body": "Hello" });
    let items = json!([
        { "recipient": "alice", "content": content },
        { "recipient": "nobody", "content": content },
        { "recipient": "alice", "content": content, "category": "no-such" },
        { "recipient": "alice", "content": { "body": " " } },
        { "recipient": "alice", "content": content, "category": "Not a key!" },
        { "recipient": "alice", "content": content, "channels": [] },
        { "recipient": "alice", "content": content, "priority": "HIGH" },
    ]);
    let expected = ["accepted", "RECIPIENT_NOT_FOUND", "CATEGORY_NOT_FOUND", "CONTENT_INVALID", "CATEGORY_NOT_FOUND", "NO_CHANNELS", "accepted"];
    assert_eq!(outcomes(&shop, items).await?, expected);
    let none: [&str; 0] = [];
    assert_eq!(outcomes(&shop, json!([])).await?, none);
    let unknown = json!({ "recipient": "nobody", "content": content });
    assert_eq!(outcomes(&shop, json!([unknown, unknown])).await?, ["RECIPIENT_NOT_FOUND"; 2]);
    Ok(())
}

#[tokio::test]
async fn a_key_twice_in_one_list_is_one_notification() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let item = json!({ "recipient": "alice", "channels": ["WEBHOOK"], "idempotencyKey": "order-1", "content": { "body": "Hello" } });
    let sent = shop.send_list(&[item.clone(), item.clone()]).await?;
    assert_eq!((sent[0].id.as_str(), sent[0].duplicate, sent[1].duplicate), (sent[1].id.as_str(), false, true));
    let mut other = item.clone();
    other["content"]["body"] = json!("Something else");
    assert_eq!(outcomes(&shop, json!([item, other])).await?, ["accepted", "IDEMPOTENCY_CONFLICT"]);
    shop.await_status(&sent[0].id, "sent").await?;
    assert_eq!(app.simulators.calls_for(&sent[0].id).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_cancelled_before_the_call_is_never_called_for() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    hold(&app, &shop, A_WHILE).await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let cancelled = cancel(&shop, &sent.id).await?;
    assert_eq!(cancelled["stopped"], json!([0]), "{cancelled}");
    let notification = shop.await_status(&sent.id, "cancelled").await?;
    assert_eq!(notification["deliveries"][0]["status"], "cancelled");
    // Queued behind the cancelled one: once it is out, the provider has been back.
    let later = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    shop.await_status(&later.id, "sent").await?;
    assert!(app.simulators.calls_for(&sent.id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn between_two_attempts_there_is_still_time_to_cancel() -> Result<()> {
    let app = App::with("[delivery.retry.webhook]\nfirst = \"1h\"\n").await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("webhook", json!("outage")).await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    until("the first attempt failed", async || Ok((shop.notification(&sent.id).await?["deliveries"][0]["status"] == "waiting").then_some(()))).await?;
    assert_eq!(cancel(&shop, &sent.id).await?["stopped"], json!([0]));
    shop.await_status(&sent.id, "cancelled").await?;
    assert_eq!(app.simulators.calls_for(&sent.id).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_out_is_not_taken_back() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    let before = shop.await_status(&sent.id, "sent").await?;
    assert_eq!(cancel(&shop, &sent.id).await?["stopped"], json!([]));
    let after = shop.notification(&sent.id).await?;
    assert_eq!((&after["status"], &after["deliveries"]), (&before["status"], &before["deliveries"]));
    Ok(())
}

#[tokio::test]
async fn what_is_over_already_is_refused() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let head = app.admin.head().await?;
    for key in [Value::Null, json!("a-new-key")] {
        let refused = shop.attempt_send("alice", json!({ "expiresAt": "2020-01-01T00:00:00Z", "idempotencyKey": key })).await?;
        assert_eq!(refused["code"], "EXPIRED", "{refused}");
    }
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}

#[tokio::test]
async fn what_expires_while_it_is_held_is_not_sent_and_its_repeat_is_still_known() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let first = hold(&app, &shop, A_WHILE).await?;
    let asked = shop.notification(&first.id).await?["events"][0]["at"].as_str().context("no moment")?.to_owned();
    let over = DateTime::parse_from_rfc3339(&asked)? + TimeDelta::seconds(A_WHILE - 1);
    let offer = json!({ "channels": ["ANDROID_PUSH"], "expiresAt": over.to_rfc3339(), "idempotencyKey": "offer" });
    let sent = shop.send("alice", offer.clone()).await?;
    let notification = shop.await_status(&sent.id, "expired").await?;
    assert_eq!((&notification["deliveries"][0]["status"], &notification["deliveries"][0]["attempts"]), (&json!("expired"), &json!(0)));
    assert!(app.simulators.calls_for(&sent.id).await?.is_empty());
    // Whoever was not answered the first time asks again, however late.
    let again = shop.send("alice", offer).await?;
    assert_eq!((again.id, again.duplicate), (sent.id, true));
    Ok(())
}

#[tokio::test]
async fn the_category_says_what_the_request_leaves_out() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    define_category(&app, json!({ "key": "orders", "name": "Orders", "defaultChannels": ["EMAIL", "IN_APP"], "priority": "HIGH" })).await?;
    let usual = shop.send("alice", json!({ "category": "orders" })).await?;
    let usual = shop.await_status(&usual.id, "sent").await?;
    assert_eq!((channels(&usual), &usual["priority"]), (vec!["IN_APP", "EMAIL"], &json!("HIGH")), "{usual:#}");
    let special = shop.send("alice", json!({ "category": "orders", "channels": ["WEBHOOK"], "priority": "LOW" })).await?;
    let special = shop.await_status(&special.id, "sent").await?;
    assert_eq!((channels(&special), &special["priority"]), (vec!["WEBHOOK"], &json!("LOW")), "{special:#}");
    let general = shop.send("alice", json!({})).await?;
    let general = shop.await_status(&general.id, "sent").await?;
    assert_eq!((channels(&general).len(), &general["priority"]), (5, &json!("NORMAL")), "{general:#}");
    Ok(())
}

#[tokio::test]
async fn a_channel_without_an_address_is_suppressed_where_it_was_asked_for() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    let asked = shop.send("alice", json!({ "channels": ["EMAIL", "IN_APP"] })).await?;
    let asked = shop.await_status(&asked.id, "sent").await?;
    assert_eq!(asked["suppressions"], json!([{ "channel": "EMAIL", "rule": "no_address" }]));
    // A default that cannot be used is no news.
    let usual = shop.send("alice", json!({})).await?;
    let usual = shop.await_status(&usual.id, "sent").await?;
    assert_eq!((channels(&usual), &usual["suppressions"]), (vec!["IN_APP"], &json!([])));
    let nowhere = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    let nowhere = shop.await_status(&nowhere.id, "suppressed").await?;
    assert_eq!(nowhere["suppressions"], json!([{ "channel": "EMAIL", "rule": "no_address" }, { "channel": null, "rule": "no_address" }]));
    Ok(())
}

#[tokio::test]
async fn an_opt_out_suppresses_and_names_its_rule() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    define_category(&app, json!({ "key": "offers", "name": "Offers" })).await?;
    let switch = |scope: &str, on: bool| {
        let mut input = json!({ "recipient": "alice", "scope": scope, "subscribed": on });
        match scope {
            "CHANNEL" => input["channel"] = json!("EMAIL"),
            "CATEGORY" => input["category"] = json!("offers"),
            _ => {}
        }
        input
    };
    for (scope, rule) in [("CHANNEL", "opted_out_of_channel"), ("CATEGORY", "opted_out_of_category"), ("ALL", "opted_out_of_all")] {
        set_subscription(&shop, switch(scope, false)).await?;
        let sent = shop.send("alice", json!({ "category": "offers", "channels": ["EMAIL"] })).await?;
        let notification = shop.await_status(&sent.id, "suppressed").await?;
        assert_eq!(notification["suppressions"], json!([{ "channel": "EMAIL", "rule": rule }, { "channel": null, "rule": rule }]));
        set_subscription(&shop, switch(scope, true)).await?;
    }
    // Only the switch that was turned counts.
    set_subscription(&shop, switch("CHANNEL", false)).await?;
    let other_channel = shop.send("alice", json!({ "category": "offers", "channels": ["EMAIL", "WEBHOOK"] })).await?;
    let other_channel = shop.await_status(&other_channel.id, "sent").await?;
    assert_eq!((channels(&other_channel), &other_channel["suppressions"][0]["rule"]), (vec!["WEBHOOK"], &json!("opted_out_of_channel")));
    assert!(app.simulators.messages("smtp").await?.is_empty(), "no mail went out at all");
    set_subscription(&shop, switch("CHANNEL", true)).await?;
    let wanted = shop.send("alice", json!({ "category": "offers", "channels": ["EMAIL"] })).await?;
    shop.await_status(&wanted.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn a_required_category_cannot_be_switched_off() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    define_category(&app, json!({ "key": "security", "name": "Security", "required": true })).await?;
    let refused = set_subscription(&shop, json!({ "recipient": "alice", "scope": "CATEGORY", "category": "security", "subscribed": false })).await?;
    assert_eq!(refused["code"], "REQUIRED_CATEGORY", "{refused}");
    let done = set_subscription(&shop, json!({ "recipient": "alice", "scope": "ALL", "subscribed": false })).await?;
    assert_eq!(done["code"], Value::Null, "{done}");
    let sent = shop.send("alice", json!({ "category": "security", "channels": ["EMAIL"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    app.simulators.await_calls(&sent.id, 1).await?;
    let other = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&other.id, "suppressed").await?;
    Ok(())
}

#[tokio::test]
async fn an_opt_out_reaches_what_is_already_queued() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    hold(&app, &shop, A_WHILE).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let phone = shop.as_recipient("alice").await?;
    set_subscription(&phone, json!({ "scope": "CATEGORY", "category": "general", "subscribed": false })).await?;
    assert_eq!(shop.notification(&sent.id).await?["status"], "pending", "it was held when the switch was turned");
    let notification = shop.await_status(&sent.id, "suppressed").await?;
    assert_eq!((&notification["deliveries"][0]["status"], &notification["deliveries"][0]["attempts"]), (&json!("suppressed"), &json!(0)));
    assert!(notification["events"].to_string().contains("opted_out_of_category"), "{notification:#}");
    assert!(app.simulators.calls_for(&sent.id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_opt_out_during_an_outage_is_honoured_when_the_provider_is_back() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("fcm", json!("outage")).await?;
    let sent = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    app.simulators.await_calls(&sent.id, 1).await?;
    shop.subscribe_channel("alice", "ANDROID_PUSH", false).await?;
    app.simulators.behave().await?;
    shop.await_status(&sent.id, "suppressed").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert!(calls.iter().all(|call| call["delivered"] == false), "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn an_hour_of_patience_is_shown_and_nothing_is_called() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    hold(&app, &shop, AN_HOUR).await?;
    let held = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"], "priority": "CRITICAL" })).await?;
    // Another channel's provider is not delayed by it.
    let other = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&other.id, "sent").await?;
    let held_now = shop.notification(&held.id).await?;
    assert_eq!((&held_now["status"], &held_now["deliveries"][0]["status"]), (&json!("pending"), &json!("queued")));
    assert!(app.simulators.calls_for(&held.id).await?.is_empty());
    Ok(())
}
