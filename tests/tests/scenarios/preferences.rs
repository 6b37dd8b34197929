//! What people want and what categories ask of it, end to end: who opted out is not called, what waits
//! is listed and can be taken back, a suppressed address gets nothing, schedules outlive a restart.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

async fn define(app: &App, input: Value) -> Result<()> {
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", input).await.map(drop)
}

async fn set(by: &Client, input: Value) -> Result<()> {
    by.mutate("setSubscription", "SetSubscriptionInput", "", input).await.map(drop)
}

/// Status and the rule by which it waits or was decided against.
async fn standing(by: &Client, id: &str) -> Result<(String, String)> {
    let data = by.query("query($id: ID!) { notification(id: $id) { status waitsBy suppressions { rule } } }", json!({ "id": id })).await?;
    let of = &data["notification"];
    let rule = of["waitsBy"].as_str().or_else(|| of["suppressions"][0]["rule"].as_str()).unwrap_or_default();
    Ok((of["status"].as_str().context("no status")?.to_owned(), rule.to_owned()))
}

#[tokio::test]
async fn whoever_opted_out_in_particular_is_not_called_and_hears_of_the_rest() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    set(&alice, json!({ "scope": "CATEGORY_CHANNEL", "category": "general", "channel": "WEBHOOK", "subscribed": false })).await?;
    set(&alice, json!({ "scope": "TOPIC", "topic": "offers", "subscribed": false })).await?;
    let off = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    assert_eq!(standing(&shop, &off.id).await?, ("suppressed".to_owned(), "opted_out_of_category_channel".to_owned()));
    let offer = shop.send("alice", json!({ "channels": ["EMAIL"], "topic": "offers" })).await?;
    assert_eq!(standing(&shop, &offer.id).await?, ("suppressed".to_owned(), "opted_out_of_topic".to_owned()));
    set(&alice, json!({ "scope": "CATEGORY_CHANNEL", "category": "general", "channel": "WEBHOOK", "subscribed": true })).await?;
    let on = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    shop.await_status(&on.id, "sent").await?;
    app.simulators.await_calls(&on.id, 1).await?;
    for id in [&off.id, &offer.id] {
        assert!(app.simulators.calls_for(id).await?.is_empty());
    }
    let data = alice.query("{ consentHistory { by switched { scope subscribed } } }", json!({})).await?;
    assert_eq!(data["consentHistory"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn what_waits_is_shown_to_its_sender_only_and_is_taken_back_by_query() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    define(&app, json!({ "key": "news", "name": "News", "defaultChannels": ["WEBHOOK"], "limits": [{ "most": 1, "per": { "period": "MONTH" } }] })).await?;
    let first = shop.send("alice", json!({ "category": "news", "content": { "body": "first" } })).await?;
    shop.await_status(&first.id, "sent").await?;
    let second = shop.send("alice", json!({ "category": "news", "content": { "body": "second" } })).await?;
    assert_eq!(standing(&shop, &second.id).await?, ("held".to_owned(), "over_limit".to_owned()));
    let until = crate::deciding::ahead(86_400_000).to_rfc3339();
    alice.mutate("setDoNotDisturb", "SetDoNotDisturbInput", "", json!({ "until": until })).await?;
    let third = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    assert_eq!(standing(&shop, &third.id).await?, ("deferred".to_owned(), "do_not_disturb".to_owned()));

    let mine = "query($at: Position) { notifications(atLeastPosition: $at) { edges { node { id } } } }";
    let data = alice.query(mine, json!({ "at": third.position })).await?;
    assert_eq!(data["notifications"]["edges"], json!([{ "node": { "id": first.id } }]));
    let asked = "query($at: Position) { requestedNotifications(query: { recipient: \"alice\" }, atLeastPosition: $at) { notifications { id status } } }";
    let data = shop.query(asked, json!({ "at": third.position })).await?;
    let listed = json!([{ "id": first.id, "status": "sent" }, { "id": second.id, "status": "held" }, { "id": third.id, "status": "deferred" }]);
    assert_eq!(data["requestedNotifications"]["notifications"], listed);

    let cancel =
        "mutation($input: CancelNotificationsInput!) { cancelNotifications(input: $input) { lookedAt stopped tooLate cursor notifications { id status } } }";
    let data = shop.query(cancel, json!({ "input": { "query": { "recipient": "alice" } } })).await?;
    let stopped = json!([{ "id": second.id, "status": "cancelled" }, { "id": third.id, "status": "cancelled" }]);
    assert_eq!(data["cancelNotifications"], json!({ "lookedAt": 3, "stopped": 2, "tooLate": 1, "cursor": null, "notifications": stopped }));
    assert!(app.simulators.calls_for(&second.id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing_until_an_administrator_says_why() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let of = json!({ "channel": "WEBHOOK", "recipient": "alice" });
    let done = "... on AddressesChanged { addresses changed position }";
    let suppressed = app.admin.mutate("suppressAddress", "SuppressAddressInput", done, json!({ "of": of, "note": "it does not answer" })).await?;
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    assert_eq!(standing(&shop, &sent.id).await?.0, "suppressed");
    let list = "query($at: Position) { suppressedAddresses(atLeastPosition: $at) { id reason note holders { recipient channel } } }";
    let data = app.admin.query(list, json!({ "at": suppressed["position"] })).await?;
    let held = json!([{ "id": suppressed["addresses"][0], "reason": "MANUAL", "note": "it does not answer", "holders": [{ "recipient": "alice", "channel": "WEBHOOK" }] }]);
    assert_eq!(data["suppressedAddresses"], held);
    let lifted = app.admin.mutate("reinstateAddress", "ReinstateAddressInput", done, json!({ "of": of, "reason": "it answers again" })).await?;
    let data = app.admin.query(list, json!({ "at": lifted["position"] })).await?;
    assert_eq!(data["suppressedAddresses"], json!([]));
    let sent = shop.send("alice", json!({ "channels": ["WEBHOOK"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    Ok(())
}

#[tokio::test]
async fn schedules_are_listed_with_their_next_runs_after_a_restart_too() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let terms = json!({ "trigger": { "cron": { "expression": "0 9 1 1 *", "timeZone": "Asia/Seoul" } }, "content": { "body": "A happy new year" } });
    let ask = "... on ScheduleChanged { position schedule { id nextRuns } }";
    let input = json!({ "recipient": "alice", "idempotencyKey": "new-year", "terms": terms });
    let created = shop.mutate("createSchedule", "CreateScheduleInput", ask, input.clone()).await?;
    let again = shop.mutate("createSchedule", "CreateScheduleInput", ask, input).await?;
    assert_eq!(created["schedule"], again["schedule"]);
    assert_eq!(created["schedule"]["nextRuns"].as_array().map(Vec::len), Some(5));
    app.stop().await?;
    app.start_server().await?;
    let shop = app.admin.with(shop.credential());
    let list = "query($at: Position) { schedules(recipient: \"alice\", atLeastPosition: $at) { edges { node { id status nextRuns content { body } } } } }";
    let data = shop.query(list, json!({ "at": created["position"] })).await?;
    let node =
        json!({ "id": created["schedule"]["id"], "status": "ACTIVE", "nextRuns": created["schedule"]["nextRuns"], "content": { "body": "A happy new year" } });
    assert_eq!(data["schedules"]["edges"], json!([{ "node": node }]));
    Ok(())
}
