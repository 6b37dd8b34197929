//! Schedules: refusals, whose they are, and what they say of themselves.

use super::app::TestApp;
use serde_json::{Value, json};

const CREATE: &str = "mutation($input: CreateScheduleInput!) { createSchedule(input: $input) { __typename ... on ScheduleChanged { position schedule { id status nextRuns cron timeZone recipient sender content { body } } } ... on Problem { code message } } }";

fn terms(trigger: Value, more: Value) -> Value {
    let mut terms = json!({ "trigger": trigger, "content": { "body": "b" } });
    terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    terms
}

#[tokio::test]
async fn what_would_never_fire_is_refused_by_name() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    app.recipient("alice").await;
    let head = app.head();
    let daily = || json!({ "cron": { "expression": "0 9 * * *" } });
    for (recipient, terms, code) in [
        ("alice", terms(json!({ "cron": { "expression": "0 9 31 2 *" } }), json!({})), "NEVER_FIRES"),
        ("alice", terms(json!({ "cron": { "expression": "hourly" } }), json!({})), "CRON_INVALID"),
        ("alice", terms(json!({ "cron": { "expression": "0 9 * * *", "timeZone": "Mars/Olympus" } }), json!({})), "INVALID_TIME_ZONE"),
        ("alice", terms(json!({ "at": "2001-01-01T00:00:00Z" }), json!({})), "NEVER_FIRES"),
        ("alice", terms(json!({ "localTime": "2027-13-01T09:00" }), json!({})), "TIME_INVALID"),
        ("alice", terms(daily(), json!({ "ends": "2001-01-01T00:00:00Z" })), "NEVER_FIRES"),
        ("alice", terms(daily(), json!({ "catchUpSeconds": -1 })), "CATCH_UP_INVALID"),
        ("alice", terms(daily(), json!({ "channels": [] })), "NO_CHANNELS"),
        ("alice", terms(daily(), json!({ "category": "unheard-of" })), "CATEGORY_NOT_FOUND"),
        ("alice", terms(daily(), json!({ "topic": "Not A Key" })), "TOPIC_INVALID"),
        ("alice", terms(daily(), json!({ "content": { "body": "" } })), "CONTENT_INVALID"),
        ("nobody", terms(daily(), json!({})), "RECIPIENT_NOT_FOUND"),
    ] {
        let answer = app.post(Some(&shop), CREATE, json!({ "input": { "recipient": recipient, "terms": terms } })).await;
        assert_eq!(answer.data()["createSchedule"]["code"], code, "{terms}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    app.stop().await;
}

#[tokio::test]
async fn a_schedule_is_its_senders_and_is_set_up_once() {
    let app = TestApp::start().await;
    let orders = r#"mutation { defineCategory(input: {key: "orders", name: "Orders"}) { __typename } }"#;
    assert_eq!(app.ask(&app.administrator, orders).await.data()["defineCategory"]["__typename"], "CategoryChanged");
    let (shop, bank, narrow) = (app.sender("shop", "").await, app.sender("bank", "").await, app.sender("narrow", r#", categories: ["orders"]"#).await);
    let rehearsal = app.sender("shop", ", sandbox: true").await;
    app.recipient("alice").await;
    let daily = json!({ "cron": { "expression": "0  9 * * *", "timeZone": "Asia/Seoul" } });
    let input = json!({ "recipient": "alice", "idempotencyKey": "daily", "terms": terms(daily.clone(), json!({})) });
    let answer = app.post(Some(&shop), CREATE, json!({ "input": input })).await;
    let created = answer.data()["createSchedule"].clone();
    let schedule = &created["schedule"];
    assert_eq!((&schedule["status"], &schedule["cron"], &schedule["timeZone"]), (&json!("ACTIVE"), &json!("0 9 * * *"), &json!("Asia/Seoul")));
    assert_eq!((&schedule["recipient"], &schedule["sender"], &schedule["content"]["body"]), (&json!("alice"), &json!("shop"), &json!("b")));
    let runs: Vec<_> = schedule["nextRuns"].as_array().unwrap().iter().map(|run| run.as_str().unwrap().to_owned()).collect();
    assert!(runs.len() == 5 && runs.iter().all(|run| run.contains("T00:00:00")), "{runs:?}");
    let head = app.head();
    let again = app.post(Some(&shop), CREATE, json!({ "input": input })).await;
    assert_eq!(again.data()["createSchedule"]["schedule"]["id"], schedule["id"]);
    let mut other = input.clone();
    other["terms"]["content"]["body"] = json!("another");
    assert_eq!(app.post(Some(&shop), CREATE, json!({ "input": other })).await.data()["createSchedule"]["code"], "IDEMPOTENCY_CONFLICT");
    assert_eq!(app.post(Some(&narrow), CREATE, json!({ "input": input })).await.data()["createSchedule"]["code"], "CATEGORY_FORBIDDEN");
    let id = schedule["id"].as_str().unwrap();
    for stranger in [&bank, &rehearsal] {
        assert!(app.ask(stranger, &format!(r#"{{ schedule(id: "{id}") {{ id }} }}"#)).await.data()["schedule"].is_null());
        let cancel = format!(r#"mutation {{ cancelSchedule(input: {{id: "{id}"}}) {{ ... on Problem {{ code }} }} }}"#);
        assert_eq!(app.ask(stranger, &cancel).await.data()["cancelSchedule"]["code"], "NOT_FOUND");
    }
    assert_eq!(app.head(), head);
    let list =
        format!(r#"{{ schedules(recipient: "alice", atLeastPosition: {}) {{ hasNextPage edges {{ node {{ id status nextRuns }} }} }} }}"#, created["position"]);
    for (credential, count) in [(&shop, 1), (&app.administrator, 1), (&bank, 0), (&rehearsal, 0)] {
        assert_eq!(app.ask(credential, &list).await.data()["schedules"]["edges"].as_array().unwrap().len(), count);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_schedule_is_changed_paused_resumed_and_ended() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    app.recipient("alice").await;
    let input = json!({ "recipient": "alice", "terms": terms(json!({ "cron": { "expression": "0 9 * * *" } }), json!({})) });
    let answer = app.post(Some(&shop), CREATE, json!({ "input": input })).await;
    let id = answer.data()["createSchedule"]["schedule"]["id"].as_str().unwrap().to_owned();
    let act = |field: &'static str, credential: String| {
        let query =
            format!(r#"mutation {{ {field}(input: {{id: "{id}"}}) {{ ... on ScheduleChanged {{ schedule {{ status cron }} }} ... on Problem {{ code }} }} }}"#);
        let app = &app;
        async move { app.ask(&credential, &query).await.data()[field].clone() }
    };
    assert_eq!(act("pauseSchedule", app.administrator.clone()).await["schedule"]["status"], "PAUSED");
    assert_eq!(act("resumeSchedule", shop.clone()).await["schedule"]["status"], "ACTIVE");
    let change = "mutation($input: ChangeScheduleInput!) { changeSchedule(input: $input) { ... on ScheduleChanged { schedule { status cron at content { body } } } ... on Problem { code } } }";
    let input = json!({ "id": id, "terms": terms(json!({ "cron": { "expression": "30 18 * * MON" } }), json!({ "content": { "body": "new" } })) });
    let changed = app.post(Some(&shop), change, json!({ "input": input })).await.data()["changeSchedule"]["schedule"].clone();
    assert_eq!((&changed["cron"], &changed["content"]["body"]), (&json!("30 18 * * MON"), &json!("new")));
    assert_eq!(act("cancelSchedule", shop.clone()).await["schedule"]["status"], "ENDED");
    assert_eq!(act("resumeSchedule", shop.clone()).await["code"], "SCHEDULE_ENDED");
    assert_eq!(app.post(Some(&shop), change, json!({ "input": input })).await.data()["changeSchedule"]["code"], "SCHEDULE_ENDED");
    app.stop().await;
}
