//! Schedules: each occurrence fires once; what is paused, changed or cancelled does as it says.

use super::deciding::{ahead, await_that, moment, written};
use super::explaining::{explain, step};
use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tests::profile::Profile;
use tests::{App, Client, until};

const CHANGED: &str = "... on ScheduleChanged { schedule { id status nextRuns lastRun at cron timeZone content { body } } position }";
const SCHEDULE: &str = "query($id: ID!) { schedule(id: $id) { id status nextRuns lastRun at cron timeZone content { body } } }";
const REQUESTED: &str =
    "query($recipient: String!, $position: Position) { requestedNotifications(query: { recipient: $recipient }, atLeastPosition: $position) {
    notifications { id status content { body } } } }";

async fn create(by: &Client, key: &str, terms: Value) -> Result<Value> {
    let input = json!({ "recipient": "alice", "idempotencyKey": key, "terms": terms });
    Ok(by.mutate("createSchedule", "CreateScheduleInput", CHANGED, input).await?["schedule"].clone())
}

fn once(at: DateTime<Utc>, body: &str) -> Value {
    json!({ "trigger": { "at": written(at) }, "channels": ["WEBHOOK"], "content": { "body": body } })
}

fn id(schedule: &Value) -> Result<&str> {
    schedule["id"].as_str().with_context(|| format!("no schedule: {schedule}"))
}

async fn schedule(by: &Client, id: &str) -> Result<Value> {
    Ok(by.query(SCHEDULE, json!({ "id": id })).await?["schedule"].clone())
}

async fn ask(by: &Client, field: &str, id: &str) -> Result<Value> {
    Ok(by.mutate(field, "ScheduleIdInput", CHANGED, json!({ "id": id })).await?["schedule"].clone())
}

async fn await_end(by: &Client, id: &str) -> Result<Value> {
    until("the schedule has ended", async || Ok(Some(schedule(by, id).await?).filter(|one| one["status"] == "ENDED"))).await
}

/// Everything that was requested for alice.
async fn requested(admin: &Client, by: &Client) -> Result<Vec<Value>> {
    let told = by.query(REQUESTED, json!({ "recipient": "alice", "position": admin.head().await? })).await?;
    told["requestedNotifications"]["notifications"].as_array().cloned().context("no notifications")
}

async fn start() -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    Ok((app, shop))
}

#[tokio::test]
async fn once_at_a_moment_fires_once_and_ends() -> Result<()> {
    let (app, shop) = start().await?;
    let at = ahead(1_500);
    let made = create(&shop, "reminder", once(at, "Now")).await?;
    assert_eq!((&made["status"], &made["lastRun"]), (&json!("ACTIVE"), &Value::Null), "{made:#}");
    assert_eq!(moment(&made["nextRuns"][0])?.timestamp_millis(), at.timestamp_millis());
    assert_eq!(create(&shop, "reminder", once(at, "Now")).await?["id"], made["id"], "the same key is the same schedule");
    assert_eq!(requested(&app.admin, &shop).await?, Vec::<Value>::new());

    let ended = await_end(&shop, id(&made)?).await?;
    assert_eq!((moment(&ended["lastRun"])?.timestamp_millis(), &ended["nextRuns"]), (at.timestamp_millis(), &json!([])));
    let all = requested(&app.admin, &shop).await?;
    assert_eq!(all.len(), 1, "{all:#?}");
    let fired = all[0]["id"].as_str().context("no id")?;
    shop.await_status(fired, "sent").await?;
    assert_eq!(app.simulators.calls_for(fired).await?.len(), 1);
    let told = explain(&shop, fired).await?;
    let first = step(&told, "Requested")?;
    let words = first.to_string();
    assert!(words.contains("it is the occurrence of 20") && words.contains("to fire once on 20"), "{first:#}");
    Ok(())
}

#[tokio::test]
async fn a_cron_expression_is_read_by_the_clock_of_its_zone() -> Result<()> {
    let (app, shop) = start().await?;
    let weekdays = |zone: &str| json!({ "trigger": { "cron": { "expression": "30 9 * * MON-FRI", "timeZone": zone } }, "content": { "body": "Good morning" } });
    let made = create(&shop, "mornings", weekdays("Asia/Seoul")).await?;
    let runs = |told: &Value| -> Result<Vec<DateTime<Utc>>> { told["nextRuns"].as_array().context("no runs")?.iter().map(moment).collect() };
    let five = runs(&made)?;
    assert_eq!(five.len(), 5);
    assert!(five.iter().all(|run| (run.hour(), run.minute()) == (0, 30) && !matches!(run.weekday(), Weekday::Sat | Weekday::Sun)), "{five:?}");
    assert!(five.is_sorted() && five[0] > ahead(0));

    assert_eq!(ask(&shop, "pauseSchedule", id(&made)?).await?["status"], "PAUSED");
    let change = json!({ "id": made["id"], "terms": weekdays("UTC") });
    let changed = shop.mutate("changeSchedule", "ChangeScheduleInput", CHANGED, change).await?["schedule"].clone();
    assert_eq!((&changed["status"], &changed["timeZone"]), (&json!("PAUSED"), &json!("UTC")), "what was paused stays so: {changed:#}");
    let resumed = ask(&shop, "resumeSchedule", id(&made)?).await?;
    assert_eq!(resumed["status"], "ACTIVE");
    assert!(runs(&resumed)?.iter().all(|run| (run.hour(), run.minute()) == (9, 30)), "{resumed:#}");
    let listed = shop
        .query(
            "query($position: Position) { schedules(recipient: \"alice\", atLeastPosition: $position) { edges { node { id status } } hasNextPage } }",
            json!({ "position": app.admin.head().await? }),
        )
        .await?;
    assert_eq!(listed["schedules"]["edges"], json!([{ "node": { "id": made["id"], "status": "ACTIVE" } }]));
    let cancelled = ask(&shop, "cancelSchedule", id(&made)?).await?;
    assert_eq!((&cancelled["status"], &cancelled["nextRuns"]), (&json!("ENDED"), &json!([])));

    for cron in [json!({ "expression": "0 0 30 2 *" }), json!({ "expression": "every day" }), json!({ "expression": "0 9 * * *", "timeZone": "Mars/Olympus" })]
    {
        let input = json!({ "recipient": "alice", "terms": { "trigger": { "cron": cron }, "content": { "body": "never" } } });
        let answer = shop.attempt("createSchedule", "CreateScheduleInput", CHANGED, input).await?;
        assert!(answer["code"].is_string(), "{cron}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn who_moves_to_another_time_zone_is_told_by_the_clock_there() -> Result<()> {
    let (app, shop) = start().await?;
    let moves_to = async |zone: &str| shop.upsert_recipient(json!({ "id": "alice", "timeZone": zone })).await;
    moves_to("America/New_York").await?;
    // In a moment of the clock in Seoul, which New York's shows half a day later.
    let soon = (ahead(4_000) + chrono::TimeDelta::hours(9)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let made = create(&shop, "there", json!({ "trigger": { "localTime": soon }, "channels": ["WEBHOOK"], "content": { "body": "there" } })).await?;
    assert!(moment(&made["nextRuns"][0])? > ahead(3_600_000), "{made:#}");
    let morning = json!({ "trigger": { "cron": { "expression": "0 9 * * *" } }, "channels": ["WEBHOOK"], "content": { "body": "morning" } });
    let morning = create(&shop, "morning", morning).await?;
    moves_to("Asia/Seoul").await?;
    let next = moment(&schedule(&shop, id(&morning)?).await?["nextRuns"][0])?;
    assert_eq!((next.hour(), next.minute()), (0, 0), "nine in Seoul");
    await_end(&shop, id(&made)?).await?;
    let bodies: Vec<Value> = requested(&app.admin, &shop).await?.iter().map(|one| one["content"]["body"].clone()).collect();
    assert!(bodies.contains(&json!("there")), "{bodies:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_paused_cancelled_or_changed_does_not_fire_as_it_was() -> Result<()> {
    let (app, shop) = start().await?;
    let soon = ahead(1_500);
    let paused = create(&shop, "paused", once(soon, "paused")).await?;
    let mut missed = once(soon, "missed");
    missed["catchUpSeconds"] = json!(0);
    let missed = create(&shop, "missed", missed).await?;
    let cancelled = create(&shop, "cancelled", once(soon, "cancelled")).await?;
    let changed = create(&shop, "changed", once(soon, "before")).await?;
    let plain = create(&shop, "plain", once(soon, "plain")).await?;
    for one in [&paused, &missed] {
        ask(&shop, "pauseSchedule", id(one)?).await?;
    }
    ask(&shop, "cancelSchedule", id(&cancelled)?).await?;
    let later = json!({ "id": changed["id"], "terms": once(ahead(2_500), "after") });
    shop.mutate("changeSchedule", "ChangeScheduleInput", CHANGED, later).await?;
    await_end(&shop, id(&plain)?).await?;
    await_end(&shop, id(&changed)?).await?;
    for one in [&paused, &missed] {
        assert_eq!(schedule(&shop, id(one)?).await?["status"], "PAUSED");
        ask(&shop, "resumeSchedule", id(one)?).await?;
        await_end(&shop, id(one)?).await?;
    }
    let mut bodies: Vec<String> = requested(&app.admin, &shop).await?.iter().filter_map(|one| one["content"]["body"].as_str().map(ToOwned::to_owned)).collect();
    bodies.sort();
    assert_eq!(bodies, ["after", "paused", "plain"]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_was_killed_before_fires_each_once() -> Result<()> {
    let (mut app, shop) = start().await?;
    let mut ids = Vec::new();
    for (number, millis) in [600_i64, 900, 1_200, 1_500, 2_500].into_iter().enumerate() {
        ids.push(id(&create(&shop, &format!("s{number}"), once(ahead(millis), &format!("s{number}"))).await?)?.to_owned());
    }
    app.kill().await?;
    app.start_server().await?;
    for id in &ids {
        await_end(&shop, id).await?;
    }
    assert_fired_once(&app, &app.admin, &shop, ids.len()).await
}

#[tokio::test]
async fn with_two_replicas_each_fires_once() -> Result<()> {
    let app = App::on(Profile::Cluster).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let second = app.replica("second", &[], &[]).await?;
    let clients = [shop.clone(), second.client(&shop)];
    let at = ahead(2_000);
    let made = (0..10).map(|number| {
        let client = &clients[number % 2];
        async move { create(client, &format!("s{number}"), once(at, &format!("s{number}"))).await }
    });
    let made = try_join_all(made).await?;
    // The one whose turn it may be is gone before they are due.
    let on_second = clients[1].clone();
    app.server()?.signal("STOP").await?;
    for one in &made {
        await_end(&on_second, id(one)?).await?;
    }
    app.server()?.signal("CONT").await?;
    assert_fired_once(&app, &second.admin, &on_second, made.len()).await
}

async fn assert_fired_once(app: &App, admin: &Client, by: &Client, count: usize) -> Result<()> {
    let all = requested(admin, by).await?;
    assert_eq!(all.len(), count, "{all:#?}");
    for one in &all {
        let id = one["id"].as_str().context("no id")?;
        await_that(by, id, "it went out", |one| one["status"] == "sent").await?;
        assert_eq!(app.simulators.calls_for(id).await?.len(), 1);
    }
    Ok(())
}
