//! Limits and the dedup window: counted once, whoever asks at the same time.

use super::deciding::{ahead, await_that, cancel, define, delivered, happened, leave_alone, preview, request, waiting};
use super::explaining::{explain, says, step};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tests::{App, Client, until};

async fn start(category: Value) -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    define(&app, category).await?;
    Ok((app, shop))
}

fn promo(most: usize, seconds: i64, over: &str) -> Value {
    json!({ "key": "promo", "name": "Offers", "defaultChannels": ["WEBHOOK"], "overLimit": over,
        "limits": [{ "most": most, "per": { "slidingSeconds": seconds } }] })
}

/// Sends so many at the same time; the ids.
async fn at_once(by: &Client, count: usize) -> Result<Vec<String>> {
    let one = |number: usize| {
        by.send("alice", json!({ "category": "promo", "idempotencyKey": format!("n{number}"), "content": { "body": format!("offer {number}") } }))
    };
    Ok(try_join_all((0..count).map(one)).await?.into_iter().map(|sent| sent.id).collect())
}

async fn statuses(by: &Client, ids: &[String]) -> Result<Vec<String>> {
    let all = try_join_all(ids.iter().map(|id| waiting(by, id))).await?;
    Ok(all.iter().filter_map(|one| one["status"].as_str()).map(ToOwned::to_owned).collect())
}

fn count(statuses: &[String], wanted: &str) -> usize {
    statuses.iter().filter(|status| *status == wanted).count()
}

/// The place for which a notification waited; none where it did not. It never goes out before.
async fn place(by: &Client, id: &str) -> Result<Option<DateTime<Utc>>> {
    let told = await_that(by, id, "it went out", |one| !one["deliveries"].as_array().is_none_or(Vec::is_empty)).await?;
    let Some(deferred) = told["events"].as_array().into_iter().flatten().find(|event| event["type"] == "Deferred") else { return Ok(None) };
    let payload: Value = serde_json::from_str(deferred["payload"].as_str().context("no payload")?)?;
    let until = payload["until"].as_i64().with_context(|| payload.to_string())?;
    let place = DateTime::from_timestamp_millis(until).context("no moment")?;
    assert!(happened(&told, "Queued")?.context("never queued")? >= place, "{told:#}");
    Ok(Some(place))
}

/// No more than the most in any window, and none in that of those that went out at once.
fn assert_spread(mut places: Vec<DateTime<Utc>>, began: DateTime<Utc>, most: usize, seconds: i64) {
    let window = TimeDelta::seconds(seconds);
    places.sort();
    assert!(places.windows(most + 1).all(|run| run[most] - run[0] >= window), "{places:?}");
    // Replicas go by the database's clock, which they know to a few milliseconds.
    let clocks = TimeDelta::milliseconds(100);
    assert!(places.first().is_some_and(|first| *first + clocks >= began + window), "{places:?} since {began}");
}

#[tokio::test]
async fn what_is_over_a_limit_waits_for_a_free_place_and_goes_out_once() -> Result<()> {
    let (app, shop) = start(promo(3, 2, "HOLD")).await?;
    let (began, mut ids) = (ahead(0), Vec::new());
    for number in 0..8 {
        ids.push(shop.send("alice", json!({ "category": "promo", "content": { "body": format!("offer {number}") } })).await?.id);
    }
    let fourth = explain(&shop, &ids[3]).await?;
    let mut places = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        places.extend(place(&shop, id).await?);
        let sent = await_that(&shop, id, "it went out", |one| one["status"] == "sent").await?;
        assert_eq!(happened(&sent, "Deferred")?.is_some(), number >= 3, "only the first three went out at once: {sent:#}");
        assert_eq!(delivered(&app, id).await?, 1);
    }
    assert_spread(places, began, 3, 2);
    assert_eq!(fourth["outcome"], "held", "{fourth:#}");
    says(&fourth, &["for a free place under the limit of 3 in any 2 seconds", "a limit on how many the recipient gets is used up"]);
    Ok(())
}

#[tokio::test]
async fn who_is_taken_back_while_it_waits_leaves_its_place_to_the_next() -> Result<()> {
    let (_app, shop) = start(promo(1, 3_600, "HOLD")).await?;
    let offer = async |number: usize| {
        let sent = shop.send("alice", json!({ "category": "promo", "content": { "body": format!("offer {number}") } })).await?;
        anyhow::Ok((waiting(&shop, &sent.id).await?["waitsUntil"].clone(), sent.id))
    };
    let (at_once, _) = offer(0).await?;
    let ((second, taken_back), (third, _)) = (offer(1).await?, offer(2).await?);
    assert!(at_once.is_null() && !second.is_null() && second != third, "{second} {third}");
    assert_eq!(cancel(&shop, &taken_back).await?["stoppedWaiting"], true);
    assert_eq!(cancel(&shop, &taken_back).await?["tooLate"], true);
    let (fourth, id) = offer(3).await?;
    assert_eq!(fourth, second, "the place is free again");
    let told = explain(&shop, &id).await?["sentence"].to_string();
    assert!(told.contains("the limit of 1 in any 1 hour was used up by places on"), "{told}");
    let (fifth, _) = offer(4).await?;
    assert_ne!(fifth, third, "who waited behind keeps its own");
    Ok(())
}

#[tokio::test]
async fn fifty_at_once_are_counted_right_and_what_is_over_is_recorded() -> Result<()> {
    let (app, shop) = start(promo(3, 3_600, "SUPPRESS")).await?;
    let ids = at_once(&shop, 50).await?;
    for id in &ids {
        await_that(&shop, id, "it is over", |one| one["status"] == "sent" || one["status"] == "suppressed").await?;
    }
    let all = statuses(&shop, &ids).await?;
    assert_eq!((count(&all, "sent"), count(&all, "suppressed")), (3, 47), "{all:?}");
    assert_eq!(app.simulators.ledger().await?.len(), 3);
    let position = all.iter().position(|status| status == "suppressed").context("none")?;
    let told = explain(&shop, &ids[position]).await?;
    says(&told, &["Not sent at all: a limit on how many the recipient gets is used up", "3 places of this category were taken"]);
    assert_eq!(waiting(&shop, &ids[position]).await?["suppressions"][0]["rule"], "over_limit");
    // Critical ones pass and take no place.
    let critical = shop.send("alice", json!({ "category": "promo", "priority": "CRITICAL" })).await?;
    shop.await_status(&critical.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn places_are_given_once_to_fifty_that_wait_for_them() -> Result<()> {
    let (app, shop) = start(promo(20, 2, "HOLD")).await?;
    let began = ahead(0);
    let ids = at_once(&shop, 50).await?;
    let mut places = Vec::new();
    for id in &ids {
        places.extend(place(&shop, id).await?);
        await_that(&shop, id, "it went out", |one| one["status"] == "sent").await?;
        assert_eq!(delivered(&app, id).await?, 1);
    }
    assert_eq!(places.len(), 30);
    assert_spread(places, began, 20, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_over_a_limit_can_be_collected_instead() -> Result<()> {
    let mut category = promo(2, 4, "DIGEST");
    category["digest"] = json!({ "window": { "fixedSeconds": 1 } });
    let (app, shop) = start(category).await?;
    let ids = at_once(&shop, 5).await?;
    let all = statuses(&shop, &ids).await?;
    assert_eq!((count(&all, "digested"), all.len()), (3, 5), "{all:?}");
    let collected = all.iter().position(|status| status == "digested").context("none")?;
    says(&explain(&shop, &ids[collected]).await?, &["Collected by a digest: a limit on how many the recipient gets is used up"]);
    // The summary is one message of the category, and waits for a place as any other.
    let told = until("the digest is closed", async || Ok(Some(explain(&shop, &ids[collected]).await?).filter(|told| told["over"] == true))).await?;
    says(&told, &["with 3 items; its summary is notification "]);
    let summary = step(&told, "Digested")?["facts"].as_array().into_iter().flatten().find_map(|fact| fact["notification"].as_str()).context("no summary")?;
    let summary = await_that(&shop, summary, "the summary went out", |one| one["status"] == "sent").await?;
    assert!(happened(&summary, "Deferred")?.is_some(), "{summary:#}");
    let messages = app.simulators.messages("webhook").await?;
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().any(|message| message.to_string().contains("Offers: 3 notifications")), "{messages:#?}");
    Ok(())
}

#[tokio::test]
async fn the_same_content_is_told_once_within_the_window() -> Result<()> {
    let (app, shop) = start(json!({ "key": "promo", "name": "Offers", "defaultChannels": ["WEBHOOK"], "dedupWindowSeconds": 4 })).await?;
    let same = json!({ "category": "promo", "content": { "body": "Half price" } });
    let other = json!({ "category": "promo", "content": { "body": "Full price" } });
    // Ten at the same time, of which one is told.
    let sent = try_join_all((0..10).map(|_| shop.send("alice", same.clone()))).await?;
    let ids: Vec<String> = sent.into_iter().map(|sent| sent.id).collect();
    let different = shop.send("alice", other.clone()).await?;
    shop.await_status(&different.id, "sent").await?;
    for id in &ids {
        await_that(&shop, id, "it is over", |one| one["status"] == "sent" || one["status"] == "suppressed").await?;
    }
    let foretold = preview(&app, &shop, &[request("alice", &same)]).await?;
    let all = statuses(&shop, &ids).await?;
    assert_eq!((count(&all, "sent"), count(&all, "suppressed")), (1, 9), "{all:?}");
    assert_eq!((&foretold[0]["outcome"], &foretold[0]["rule"]), (&json!("SUPPRESS"), &json!("duplicate_content")), "{foretold:#?}");
    let repeat = all.iter().position(|status| status == "suppressed").context("none")?;
    let told = explain(&shop, &ids[repeat]).await?;
    assert_eq!(told["outcome"], "deduplicated", "{told:#}");
    says(&told, &["the recipient was told the same within the category's dedup window", "within the 4 seconds before"]);
    assert_eq!(app.simulators.ledger().await?.len(), 2);
    // After the window it is told again.
    until("the same is told again", async || {
        let again = shop.send("alice", same.clone()).await?;
        Ok((waiting(&shop, &again.id).await?["status"] != "suppressed").then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_preview_leaves_no_trace_and_says_what_a_send_then_does() -> Result<()> {
    let (app, shop) = start(promo(1, 3_600, "HOLD")).await?;
    define(&app, json!({ "key": "news", "name": "News", "digest": { "window": { "fixedSeconds": 600 } } })).await?;
    define(&app, json!({ "key": "extras", "name": "Extras", "subscribedByDefault": false })).await?;
    app.recipient(&shop, "bob").await?;
    leave_alone(&shop, "bob", ahead(600_000)).await?;
    let first = shop.send("alice", json!({ "category": "promo" })).await?;
    shop.await_status(&first.id, "sent").await?;
    let requests = [
        request("alice", &json!({ "category": "promo" })),
        request("alice", &json!({ "category": "news" })),
        request("alice", &json!({ "category": "extras" })),
        request("alice", &json!({ "channels": ["WEBHOOK"] })),
        request("bob", &json!({ "channels": ["WEBHOOK"] })),
        request("bob", &json!({ "channels": ["IN_APP"] })),
    ];
    let foretold = preview(&app, &shop, &requests).await?;
    let expected = [
        ("HOLD", "over_limit", "held"),
        ("DIGEST", "digested", "digested"),
        ("SUPPRESS", "not_opted_in", "suppressed"),
        ("DELIVER", "default_opt_in", "sent"),
        ("DEFER", "do_not_disturb", "deferred"),
        ("DELIVER", "default_opt_in", "sent"),
    ];
    for ((request, foretold), (outcome, rule, status)) in requests.iter().zip(&foretold).zip(expected) {
        assert_eq!((&foretold["outcome"], &foretold["rule"]), (&json!(outcome), &json!(rule)), "{foretold:#}");
        assert!(foretold["considered"].as_array().is_some_and(|all| !all.is_empty()), "{foretold:#}");
        let sent = shop.send(request["recipient"].as_str().context("no recipient")?, request.clone()).await?;
        let became = await_that(&shop, &sent.id, status, |one| one["status"] == status).await?;
        let waits = !became["waitsUntil"].is_null();
        assert_eq!(waits, !foretold["until"].is_null(), "{foretold:#}\n{became:#}");
        if waits {
            assert_eq!(became["waitsUntil"], foretold["until"]);
        }
        let channels = |told: &Value| -> Vec<Value> { told["deliveries"].as_array().into_iter().flatten().map(|one| one["channel"].clone()).collect() };
        assert_eq!(channels(&became), channels(foretold));
    }
    let unknown = preview(&app, &shop, &[request("nobody", &json!({})), request("alice", &json!({ "category": "missing" }))]).await?;
    assert!(unknown.iter().all(|one| one["code"].is_string()), "{unknown:#?}");
    Ok(())
}
