//! Several servers over one database, with a common queue in Redis and without. Runs on the cluster
//! profile whatever the other scenarios run on.

use anyhow::{Context, Result};
use base64::Engine as _;
use serde_json::{Value, json};
use std::collections::HashSet;
use tests::live::Live;
use tests::profile::Profile;
use tests::{App, Client, until};

const WEBHOOK: [&str; 1] = ["WEBHOOK"];
const FEED: &str = "subscription($after: Position) { notificationFeed(after: $after) { ... on NotificationArrived { notification { id } } } }";

/// Sends so many to one recipient, by turns of the clients; gives the ids.
async fn flood(clients: &[&Client], recipient: &str, count: usize) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for (number, client) in clients.iter().cycle().take(count).enumerate() {
        ids.push(client.send(recipient, json!({ "channels": WEBHOOK, "idempotencyKey": format!("{recipient}-{number}") })).await?.id);
    }
    Ok(ids)
}

/// A position is opaque to clients; here its order is wanted.
fn position(told: &Value) -> Result<u64> {
    let text = told["position"].as_str().with_context(|| format!("no position: {told}"))?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text)?;
    Ok(std::str::from_utf8(&bytes)?.trim_start_matches('p').parse()?)
}

/// How often each of these notifications arrived.
async fn arrivals(app: &App, ids: &[String]) -> Result<Vec<usize>> {
    let ledger = app.simulators.ledger().await?;
    Ok(ids.iter().map(|id| ledger.iter().filter(|call| call["notification"] == **id && call["delivered"] == true).count()).collect())
}

async fn all_sent(client: &Client, ids: &[String]) -> Result<()> {
    for id in ids {
        client.await_status(id, "sent").await?;
    }
    Ok(())
}

async fn every_replica_answers_alike_and_each_notification_is_sent_once(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let (second, third) = (app.replica("second", &[], &[]).await?, app.replica("third", &[], &[]).await?);
    let clients = [&shop, &second.client(&shop), &third.client(&shop)];
    let ids = flood(&clients, "alice", 60).await?;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 60);
    all_sent(clients[2], &ids).await?;
    assert_eq!(arrivals(&app, &ids).await?, vec![1; 60]);
    // A repeat elsewhere is the same notification.
    let first = clients[0].send("alice", json!({ "channels": WEBHOOK, "idempotencyKey": "once" })).await?;
    let repeats = [clients[1], clients[2]].map(|client| client.send("alice", json!({ "channels": WEBHOOK, "idempotencyKey": "once" })));
    for repeat in futures_util::future::try_join_all(repeats).await? {
        assert!(repeat.duplicate && repeat.id == first.id && repeat.position == first.position, "{repeat:?}");
    }
    // A replica reads what another one has just written.
    for (number, client) in clients.iter().enumerate() {
        let sent = client.send("alice", json!({ "channels": ["IN_APP"], "idempotencyKey": format!("read-{number}") })).await?;
        let other = clients[(number + 1) % 3];
        assert_eq!(other.notification(&sent.id).await?["id"], sent.id);
    }
    Ok(())
}

async fn the_work_of_a_killed_replica_is_done_by_the_others(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let (second, third) = (app.replica("second", &[], &[]).await?, app.replica("third", &[], &[]).await?);
    let clients = [&shop, &second.client(&shop), &third.client(&shop)];
    // Calls are under way on all of them when one dies.
    app.simulators.rule("webhook", json!({ "latency": { "ms": 3000 } })).await?;
    let ids = flood(&clients, "alice", 45).await?;
    second.kill().await?;
    app.simulators.behave().await?;
    let others = [&shop, &third.client(&shop)];
    for id in &ids {
        others[1].await_status(id, "sent").await?;
    }
    // More than once only what nobody could know of.
    let mut unknown = 0;
    for (id, arrived) in ids.iter().zip(arrivals(&app, &ids).await?) {
        let story = shop.story(id).await?;
        let attempts = story.iter().filter(|kind| *kind == "AttemptUnknown").count();
        assert!((1..=1 + attempts).contains(&arrived), "{id} arrived {arrived} times: {story:?}");
        unknown += attempts;
    }
    assert!(unknown > 0, "something of the killed one was under way");
    Ok(())
}

async fn a_replica_that_stood_still_finds_that_others_have_gone_on(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let second = app.replica("second", &[], &[]).await?;
    let on_second = second.client(&shop);
    all_sent(&shop, &flood(&[&shop, &on_second], "alice", 10).await?).await?;
    app.server()?.signal("STOP").await?;
    // Whatever the stopped one ran goes on here, consumers included.
    let while_stopped = on_second.send("alice", json!({ "channels": WEBHOOK, "idempotencyKey": "stopped" })).await?;
    on_second.await_status(&while_stopped.id, "sent").await?;
    until("the other replica runs everything", async || {
        let status = on_second.with(app.admin.credential()).query("{ status { replicas { name } consumers { name lag } } }", json!({})).await?;
        let alone = status["status"]["replicas"].as_array().context("no replicas")?.len() == 1;
        let lags = status["status"]["consumers"].as_array().context("no consumers")?;
        Ok((alone && lags.iter().all(|consumer| consumer["lag"] == 0.0)).then_some(()))
    })
    .await?;
    app.server()?.signal("CONT").await?;
    let ids = flood(&[&shop, &on_second], "alice", 10).await?;
    all_sent(&shop, &ids).await?;
    let fresh = shop.send("alice", json!({ "channels": WEBHOOK, "idempotencyKey": "after" })).await?;
    shop.await_status(&fresh.id, "sent").await?;
    on_second.await_status(&fresh.id, "sent").await?;
    let all: Vec<String> = ids.into_iter().chain([while_stopped.id, fresh.id]).collect();
    assert!(arrivals(&app, &all).await?.iter().all(|arrived| *arrived == 1));
    Ok(())
}

async fn once_an_opt_out_is_answered_on_one_replica_no_other_begins_a_call(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    let second = app.replica("second", &[], &[]).await?;
    let on_second = second.client(&shop);
    let mut stopped = 0;
    for round in 0..12 {
        let recipient = format!("r{round}");
        app.recipient(&shop, &recipient).await?;
        let opt_out = json!({ "recipient": recipient, "scope": "CHANNEL", "channel": "WEBHOOK", "subscribed": false });
        let clients = [&shop, &on_second];
        let (ids, opted) = tokio::join!(flood(&clients, &recipient, 6), async {
            // In the middle of the others.
            app.simulators.ledger().await?;
            let answer = on_second.mutate("setSubscription", "SetSubscriptionInput", "... on SubscriptionChanged { position }", opt_out).await?;
            Ok::<_, anyhow::Error>((position(&answer)?, app.simulators.ledger().await?.len()))
        });
        let (ids, (opted, seen)) = (ids?, opted?);
        let late = shop.send(&recipient, json!({ "channels": WEBHOOK, "idempotencyKey": format!("{recipient}-late") })).await?;
        shop.await_status(&late.id, "suppressed").await?;
        for id in &ids {
            let over = async || {
                let notification = shop.notification(id).await?;
                Ok((notification["status"] == "sent" || notification["status"] == "suppressed").then_some(notification))
            };
            let notification = until("it is over", over).await?;
            let events = notification["events"].as_array().context("no events")?;
            let started: Vec<u64> = events.iter().filter(|event| event["type"] == "AttemptStarted").map(position).collect::<Result<_>>()?;
            assert!(started.iter().all(|started| *started < opted), "an attempt stands after the opt-out at {opted}: {notification:#}");
            stopped += usize::from(started.is_empty());
        }
        // What was recorded before may still be arriving; nothing else may.
        let arrived = app.simulators.ledger().await?.len();
        assert!(arrived <= seen + ids.len());
    }
    assert!(stopped > 0, "the opt-outs came in time for some");
    Ok(())
}

async fn roles_are_divided_among_replicas(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let accepts = app.replica("accepts", &["--roles", "api"], &[]).await?;
    let works = app.replica("works", &["--roles", "workers,projections"], &[]).await?;
    let (status, _) = works.admin.get("/health/ready").await?;
    assert_eq!(status, 200);
    assert_eq!(works.admin.get("/graphql").await?.0, 404, "it answers no requests");
    // The one that delivers nothing puts what it accepts into the common queue all the same.
    if profile == Profile::Cluster {
        until("it uses the common queue", async || {
            let status = accepts.admin.query("{ status { sharedQueue } }", json!({})).await?;
            Ok((status["status"]["sharedQueue"] == true).then_some(()))
        })
        .await?;
    }
    drop(app.server()?.signal("TERM").await);
    let client = accepts.client(&shop);
    until("the one that only accepts is served by the one that works", async || {
        let status = accepts.admin.query("{ status { replicas { roles } } }", json!({})).await?;
        Ok((status["status"]["replicas"].as_array().map(Vec::len) == Some(2)).then_some(()))
    })
    .await?;
    let ids = flood(&[&client], "alice", 5).await?;
    all_sent(&client, &ids).await?;
    assert_eq!(arrivals(&app, &ids).await?, vec![1; 5]);
    Ok(())
}

async fn what_one_replica_accepts_is_heard_on_another(profile: Profile) -> Result<()> {
    let app = App::on(profile).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let (second, third) = (app.replica("second", &[], &[]).await?, app.replica("third", &[], &[]).await?);
    let in_app = |name: String| json!({ "channels": ["IN_APP"], "idempotencyKey": name });
    let alice = shop.as_recipient("alice").await?;
    let mut live = Live::subscribe(&alice, FEED, json!({ "after": app.admin.head().await? })).await?;

    // Sent on another one, until that is killed in the middle of it.
    let (told, mut answers) = tokio::sync::mpsc::channel(1_000);
    let on_second = second.client(&shop);
    let sending = tokio::spawn(async move {
        for number in 0..1_000 {
            match on_second.send("alice", in_app(format!("second-{number}"))).await {
                Ok(sent) => drop(told.send(sent.id).await),
                Err(_) => return,
            }
        }
    });
    let mut sent = Vec::new();
    while sent.len() < 20 {
        sent.push(answers.recv().await.context("sending ended too early")?);
    }
    second.kill().await?;
    sending.await?;
    while let Some(id) = answers.recv().await {
        sent.push(id);
    }
    let on_third = third.client(&shop);
    for number in 0..10 {
        sent.push(on_third.send("alice", in_app(format!("third-{number}"))).await?.id);
    }
    // One may be there whose answer was lost with its replica.
    let mut heard: Vec<String> = Vec::new();
    while heard.last() != sent.last() {
        let item = live.next().await?["notificationFeed"].clone();
        heard.push(item["notification"]["id"].as_str().with_context(|| format!("not an arrival: {item}"))?.to_owned());
    }
    assert!(heard.len() <= sent.len() + 1, "{heard:?} instead of {sent:?}");
    let known: HashSet<_> = sent.iter().collect();
    heard.retain(|id| known.contains(id));
    assert_eq!(heard, sent);
    Ok(())
}

macro_rules! on_both {
    ($($scenario:ident)+) => {
        mod with_redis {
            $(#[tokio::test]
            async fn $scenario() -> anyhow::Result<()> {
                super::$scenario(tests::profile::Profile::Cluster).await
            })+
        }
        mod without_redis {
            $(#[tokio::test]
            async fn $scenario() -> anyhow::Result<()> {
                super::$scenario(tests::profile::Profile::ClusterWithoutRedis).await
            })+
        }
    };
}
on_both! {
    every_replica_answers_alike_and_each_notification_is_sent_once
    the_work_of_a_killed_replica_is_done_by_the_others
    a_replica_that_stood_still_finds_that_others_have_gone_on
    once_an_opt_out_is_answered_on_one_replica_no_other_begins_a_call
    roles_are_divided_among_replicas
    what_one_replica_accepts_is_heard_on_another
}
