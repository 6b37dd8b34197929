//! A provider that is down or talks nonsense: its work is held, nobody else's is.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// More than the failures in a row that open a breaker.
const CROWD: usize = 40;

async fn breaker(app: &App, provider: &str) -> Result<String> {
    let data = app.admin.query("{ status { providers { name breaker } } }", json!({})).await?;
    let provider = data["status"]["providers"].as_array().into_iter().flatten().find(|found| found["name"] == provider);
    provider.and_then(|provider| provider["breaker"].as_str()).map(ToOwned::to_owned).with_context(|| format!("not there: {data}"))
}

async fn await_breaker(app: &App, provider: &str, wanted: &str) -> Result<()> {
    tests::until(&format!("the breaker of {provider} is {wanted}"), async || Ok((breaker(app, provider).await? == wanted).then_some(()))).await
}

/// People with a device and an e-mail address.
async fn crowd(shop: &Client, size: usize) -> Result<Vec<String>> {
    let mut people = Vec::new();
    for number in 0..size {
        let person = format!("person{number}");
        shop.upsert_recipient(json!({ "id": person, "email": format!("{person}@example.com") })).await?;
        shop.register_device(&person, "ANDROID_PUSH", &format!("android:{person}")).await?;
        people.push(person);
    }
    Ok(people)
}

async fn push_to(shop: &Client, people: &[String]) -> Result<Vec<String>> {
    let items: Vec<Value> = people.iter().map(|person| json!({ "recipient": person, "channels": ["ANDROID_PUSH"], "content": { "body": "Hello" } })).collect();
    Ok(shop.send_list(&items).await?.into_iter().map(|sent| sent.id).collect())
}

async fn fcm_calls(app: &App) -> Result<usize> {
    Ok(app.simulators.ledger().await?.iter().filter(|call| call["provider"] == "fcm").count())
}

/// An app whose breaker for FCM is open, and the notifications that opened it.
async fn outage() -> Result<(App, Client, Vec<String>, Vec<String>)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let people = crowd(&shop, CROWD).await?;
    app.simulators.rule("fcm", json!("outage")).await?;
    let pushed = push_to(&shop, &people).await?;
    await_breaker(&app, "fcm", "open").await?;
    Ok((app, shop, people, pushed))
}

#[tokio::test]
async fn everything_held_in_an_outage_is_delivered_exactly_once_afterwards() -> Result<()> {
    let (app, shop, people, mut pushed) = outage().await?;
    pushed.extend(push_to(&shop, &people).await?);
    app.simulators.behave().await?;
    for id in &pushed {
        shop.await_status(id, "sent").await?;
    }
    for id in &pushed {
        let calls = app.simulators.calls_for(id).await?;
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
    }
    await_breaker(&app, "fcm", "closed").await
}

#[tokio::test]
async fn while_the_breaker_is_open_one_delivery_at_a_time_tries_and_the_others_burn_no_attempt() -> Result<()> {
    let (app, shop, people, _) = outage().await?;
    let before = fcm_calls(&app).await?;
    let held = push_to(&shop, &people).await?;
    let probed = tests::until("two probes were made", async || Ok(Some(fcm_calls(&app).await?).filter(|calls| *calls >= before + 2))).await?;
    let mut attempts = 0;
    for id in &held {
        let notification = shop.notification(id).await?;
        assert_eq!(notification["status"], "pending", "{notification:#}");
        attempts += notification["deliveries"][0]["attempts"].as_u64().context("no attempts")?;
    }
    // With retries within half a second, an open door would have seen hundreds of calls by now.
    assert!(attempts <= 3, "{attempts} attempts while the provider was down");
    assert!(probed - before <= CROWD / 2, "{} calls while the breaker was open", probed - before);
    assert_eq!(breaker(&app, "fcm").await?, "open");
    Ok(())
}

#[tokio::test]
async fn other_channels_go_on_during_an_outage() -> Result<()> {
    let (app, shop, _, pushed) = outage().await?;
    let sent = shop.send("person1", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    assert_eq!(shop.notification(&pushed[1]).await?["status"], "pending");
    assert_eq!((breaker(&app, "fcm").await?.as_str(), breaker(&app, "smtp").await?.as_str()), ("open", "closed"));
    Ok(())
}

#[tokio::test]
async fn work_held_in_an_outage_outlives_a_restart() -> Result<()> {
    let (mut app, shop, people, mut pushed) = outage().await?;
    pushed.extend(push_to(&shop, &people).await?);
    app.stop().await?;
    app.simulators.behave().await?;
    app.start_server().await?;
    for id in &pushed {
        shop.await_status(id, "sent").await?;
        let calls = app.simulators.calls_for(id).await?;
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_answer_of_every_provider_costs_nothing_but_a_repeat() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    // A webhook's receiver says yes by any 2xx, so nonsense with 200 is none there.
    for (provider, channel) in [("fcm", "ANDROID_PUSH"), ("apns", "IOS_PUSH"), ("smtp", "EMAIL")] {
        app.simulators.rules(json!({ "provider": provider, "times": 1, "action": "garbage" })).await?;
        let sent = shop.send("alice", json!({ "channels": [channel] })).await?;
        let notification = shop.await_status(&sent.id, "sent").await?;
        assert_eq!(notification["deliveries"][0]["attempts"], 2, "{notification:#}");
        let calls = app.simulators.await_calls(&sent.id, 1).await?;
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
    }
    Ok(())
}

#[tokio::test]
async fn wrong_credentials_hold_the_work_and_say_so() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.simulators.rule("apns", json!({ "error": { "status": 403, "reason": "InvalidProviderToken" } })).await?;
    let sent = shop.send("alice", json!({ "channels": ["IOS_PUSH"] })).await?;
    await_breaker(&app, "apns", "misconfigured").await?;
    let notification = tests::until("it is held", async || {
        let notification = shop.notification(&sent.id).await?;
        Ok((notification["deliveries"][0]["status"] == "waiting").then_some(notification))
    })
    .await?;
    assert_eq!(notification["status"], "pending", "{notification:#}");
    let story = shop.story(&sent.id).await?;
    assert!(story.contains(&"Held".to_owned()) && !story.contains(&"AttemptFailed".to_owned()), "{story:?}");
    Ok(())
}

#[tokio::test]
async fn mails_and_webhooks_outlast_an_outage_too() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    // Apple is left out: its 503 asks for a minute's patience.
    for (provider, channel) in [("smtp", "EMAIL"), ("webhook", "WEBHOOK")] {
        app.simulators.rule(provider, json!("outage")).await?;
        let sent = shop.send("alice", json!({ "channels": [channel] })).await?;
        tests::until("it failed twice", async || {
            let failed = shop.story(&sent.id).await?.iter().filter(|event| *event == "AttemptFailed").count();
            Ok((failed >= 2).then_some(()))
        })
        .await?;
        app.simulators.behave().await?;
        shop.await_status(&sent.id, "sent").await?;
        let calls = app.simulators.calls_for(&sent.id).await?;
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_quota_of_the_whole_provider_holds_everything_for_it_and_nothing_else() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let quota = json!({ "error": { "status": 429, "reason": "QUOTA_EXCEEDED", "retry_after": 3600 } });
    app.simulators.rule("fcm", quota).await?;
    let first = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    await_breaker(&app, "fcm", "throttled").await?;
    let second = shop.send("alice", json!({ "channels": ["ANDROID_PUSH"] })).await?;
    let mail = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&mail.id, "sent").await?;
    let pushes = app.simulators.ledger().await?.iter().filter(|call| call["provider"] == "fcm").count();
    assert_eq!(pushes, 1, "called again though it asked for an hour");
    for held in [first, second] {
        assert_eq!(shop.notification(&held.id).await?["status"], "pending");
    }
    Ok(())
}
