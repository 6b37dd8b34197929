//! Digests: many items, one message, each item in exactly one of them.

use super::deciding::{SEOUL, await_that, cancel, define};
use super::explaining::{explain, says, step};
use super::templates::{ask, publish};
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::{App, Client, until};

async fn start(window: Value) -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    define(&app, json!({ "key": "likes", "name": "Likes", "defaultChannels": ["EMAIL"], "digest": { "window": window, "maxItems": 1000 } })).await?;
    Ok((app, shop))
}

fn item(name: &str, key: Option<&str>) -> Value {
    json!({ "category": "likes", "digestKey": key, "idempotencyKey": name, "content": { "body": format!("<{name}>") } })
}

/// The notification that a mail tells.
fn told(mail: &Value) -> Result<&str> {
    let head = mail["raw"].as_str().and_then(|raw| raw.split_once("Message-ID: <")).context("no Message-ID")?.1;
    Ok(head.split_once('.').context("no notification in its Message-ID")?.0)
}

/// The summaries that name each item. A mail may have arrived twice after an unknown outcome; it is one summary.
async fn summaries(app: &App, items: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mails = app.simulators.messages("smtp").await?;
    let mut found: BTreeMap<String, BTreeSet<String>> = items.iter().map(|item| (item.clone(), BTreeSet::new())).collect();
    for mail in mails {
        let text = mail["raw"].as_str().context("no text")?.replace("=\r\n", "");
        let summary = told(&mail)?;
        for (item, summaries) in &mut found {
            if text.contains(&format!("<{item}>")) {
                summaries.insert(summary.to_owned());
            }
        }
    }
    Ok(found)
}

/// Waits until every item stands in a summary; then each must stand in one, and each summary have arrived once,
/// but for outcomes that were recorded as unknown. Gives how many summaries there are.
async fn each_in_one(app: &App, items: &[String]) -> Result<usize> {
    let mut last = BTreeMap::new();
    let all = until("each item is in a mail", async || {
        last = summaries(app, items).await?;
        Ok(last.values().all(|of| !of.is_empty()).then_some(()))
    });
    let all = all.await;
    let missing: Vec<&String> = last.iter().filter(|(_, of)| of.is_empty()).map(|(item, _)| item).collect();
    all.with_context(|| format!("{missing:?} are in none"))?;
    assert!(last.values().all(|of| of.len() == 1), "{last:?}");
    let summaries: BTreeSet<&String> = last.values().flatten().collect();
    for summary in &summaries {
        let mails = app.simulators.messages("smtp").await?;
        let arrived = mails.iter().filter(|mail| told(mail).is_ok_and(|id| id == *summary)).count();
        let story = app.admin.story(summary).await?;
        let unknown = story.iter().filter(|kind| *kind == "AttemptUnknown").count();
        assert!((1..=1 + unknown).contains(&arrived), "{summary} arrived {arrived} times: {story:?}");
    }
    Ok(summaries.len())
}

#[tokio::test]
async fn several_keys_side_by_side_make_one_mail_each() -> Result<()> {
    let (app, shop) = start(json!({ "fixedSeconds": 2 })).await?;
    let keys = [None, Some("photo"), Some("video")];
    let (mut items, mut ids) = (Vec::new(), Vec::new());
    for number in 0..9 {
        let (key, name) = (keys[number % 3], format!("item{number}"));
        ids.push(shop.send("alice", item(&name, key)).await?.id);
        items.push(name);
    }
    let back = shop.send("alice", item("taken-back", Some("photo"))).await?;
    let told = explain(&shop, &ids[0]).await?;
    assert_eq!((&told["outcome"], &told["over"]), (&json!("digested"), &json!(false)), "{told:#}");
    says(&told, &["Collected by a digest: the category collects its notifications into a digest", "holds 3 items now, and closes on 20"]);
    let answer = cancel(&shop, &back.id).await?;
    assert_eq!((&answer["stoppedWaiting"], &answer["notification"]["status"]), (&json!(true), &json!("cancelled")), "{answer}");

    assert_eq!(each_in_one(&app, &items).await?, 3);
    assert_eq!(summaries(&app, &["taken-back".to_owned()]).await?["taken-back"], BTreeSet::new());
    for mail in app.simulators.messages("smtp").await? {
        assert!(mail["raw"].as_str().is_some_and(|raw| raw.contains("Likes: 3 notifications")), "{mail:#}");
    }
    let told = explain(&shop, &ids[0]).await?;
    assert_eq!(told["over"], true, "{told:#}");
    says(&told, &["closed on 20", "with 3 items; its summary is notification "]);
    says(&explain(&shop, &back.id).await?, &["the sender took it back", "before that: collected by a digest"]);
    assert_eq!(cancel(&shop, &ids[0]).await?["tooLate"], true, "it was told already");

    // What comes late opens the next.
    let late = shop.send("alice", item("late", Some("photo"))).await?;
    assert_eq!(shop.notification(&late.id).await?["status"], "digested");
    items.push("late".to_owned());
    assert_eq!(each_in_one(&app, &items).await?, 4);
    Ok(())
}

#[tokio::test]
async fn items_that_cross_with_the_closing_are_in_one_summary_each() -> Result<()> {
    let (app, shop) = start(json!({ "fixedSeconds": 1 })).await?;
    let mut items = Vec::new();
    // So many that windows close in the middle of them.
    until("three windows closed while items came", async || {
        let names: Vec<String> = (0..12).map(|number| format!("i{}x{number}", items.len())).collect();
        try_join_all(names.iter().map(|name| shop.send("alice", item(name, None)))).await?;
        items.extend(names);
        Ok((app.simulators.messages("smtp").await?.len() >= 3).then_some(()))
    })
    .await?;
    each_in_one(&app, &items).await?;
    Ok(())
}

#[tokio::test]
async fn a_killed_server_neither_loses_items_nor_tells_them_twice() -> Result<()> {
    let (mut app, shop) = start(json!({ "fixedSeconds": 1 })).await?;
    let mut items = Vec::new();
    for round in 0..4 {
        for key in [None, Some("photo")] {
            let names: Vec<String> = (0..5).map(|number| format!("r{round}{}n{number}", key.unwrap_or("none"))).collect();
            try_join_all(names.iter().map(|name| shop.send("alice", item(name, key)))).await?;
            items.extend(names);
        }
        if round % 2 == 1 {
            // Somewhere about the closing.
            until("a window closed", async || Ok((app.simulators.messages("smtp").await?.len() >= round).then_some(()))).await?;
        }
        app.kill().await?;
        app.start_server().await?;
    }
    each_in_one(&app, &items).await?;
    Ok(())
}

#[tokio::test]
async fn a_digest_slides_with_its_items_and_another_closes_by_the_recipients_clock() -> Result<()> {
    let (app, shop) = start(json!({ "sliding": { "seconds": 1, "atMostSeconds": 3 } })).await?;
    shop.send("alice", item("alone", None)).await?;
    assert_eq!(each_in_one(&app, &["alone".to_owned()]).await?, 1);

    define(&app, json!({ "key": "daily", "name": "Daily", "digest": { "window": { "until": "08:00" } } })).await?;
    shop.upsert_recipient(json!({ "id": "alice", "timeZone": SEOUL })).await?;
    let sent = shop.send("alice", json!({ "category": "daily" })).await?;
    await_that(&shop, &sent.id, "collected", |one| one["status"] == "digested").await?;
    says(&explain(&shop, &sent.id).await?, &["and closes on 20", " 23:00:00 UTC"]);
    Ok(())
}

const DEFINE: &str = "mutation($input: DefineCategoryInput!) { defineCategory(input: $input) { __typename ... on Refused { code message field } } }";

/// The summary of an item once it was sent: how it came about, what it says, and from which template.
async fn summary(by: &Client, item: &str) -> Result<(String, Value)> {
    let asked = "query($id: ID!) { notification(id: $id) { content(channel: EMAIL) { title body } template { key version } } }";
    let id = until("the digest closed", async || {
        let told = explain(by, item).await?;
        let (_, after) = told["sentence"].as_str().and_then(|sentence| sentence.split_once("its summary is notification ")).unzip();
        Ok(after.and_then(|after| after.split(',').next()).map(str::to_owned))
    });
    let id = id.await?;
    by.await_status(&id, "sent").await?;
    let how = step(&explain(by, &id).await?, "Requested")?["sentence"].as_str().unwrap_or_default().to_owned();
    Ok((how, by.query(asked, json!({ "id": id })).await?["notification"].clone()))
}

#[tokio::test]
async fn a_template_says_the_summary_and_no_digest_is_lost_by_it() -> Result<()> {
    let (app, shop) = start(json!({ "fixedSeconds": 1 })).await?;
    let category = |template: &str| json!({ "key": "likes", "name": "Likes", "defaultChannels": ["EMAIL"], "digest": { "window": { "fixedSeconds": 1 }, "maxItems": 2, "template": template } });
    let refused = app.admin.query(DEFINE, json!({ "input": category("weekly") })).await?["defineCategory"].clone();
    assert_eq!((&refused["code"], &refused["field"]), (&json!("TEMPLATE_NOT_FOUND"), &json!("digest.template")), "{refused}");
    let parameter = |name: &str, kind: &str, example: Value| json!({ "name": name, "type": kind, "required": true, "example": example });
    let source = |words: &str| {
        json!({
            "name": "Weekly", "defaultLocale": "en",
            "parameters": [
                parameter("count", "INTEGER", json!(3)), parameter("items", "LIST", json!([{ "title": "a" }])),
                parameter("more", "INTEGER", json!(1)), parameter("category", "STRING", json!("Likes")),
            ],
            "locales": [
                { "locale": "en", "bodies": [{ "title": "{{ category }}: {{ count }}", "text": format!("{words} {{% for item in items %}}{{{{ item.title }}}} {{% endfor %}}+{{{{ more }}}}") }] },
                { "locale": "ko", "bodies": [{ "title": "{{ category }} {{ count }}건", "text": format!("모음 {words} {{% for item in items %}}{{{{ item.title }}}} {{% endfor %}}+{{{{ more }}}}") }] },
            ],
        })
    };
    publish(&app.admin, "weekly", source("First")).await?;
    define(&app, category("weekly")).await?;
    shop.upsert_recipient(json!({ "id": "alice", "locale": "ko-KR" })).await?;
    let first = shop.send("alice", item("one", None)).await?;
    for name in ["two", "three"] {
        shop.send("alice", item(name, None)).await?;
    }
    let (how, told) = summary(&shop, &first.id).await?;
    assert_eq!(told["content"], json!({ "title": "Likes 3건", "body": "모음 First <one> <two> +1" }));
    assert_eq!(told["template"], json!({ "key": "weekly", "version": 1 }));
    assert!(how.contains("from version 1 of template weekly for readers of ko-KR"), "{how}");

    // The version that is current when it closes; and where none can be used, the words of Bongsu's own.
    publish(&app.admin, "weekly", source("Second")).await?;
    let fourth = shop.send("alice", item("four", None)).await?;
    let (_, told) = summary(&shop, &fourth.id).await?;
    assert_eq!((&told["content"]["body"], &told["template"]["version"]), (&json!("모음 Second <four> +0"), &json!(2)));
    ask(&app.admin, "archiveTemplate", "weekly", "").await?;
    let fifth = shop.send("alice", item("five", None)).await?;
    let (how, told) = summary(&shop, &fifth.id).await?;
    assert_eq!((&told["content"], &told["template"]), (&json!({ "title": "Likes: 알림 1건", "body": "<five>" }), &Value::Null));
    assert!(how.contains("template weekly could not say it: it was archived; it is in words of Bongsu's own"), "{how}");
    let refused = app.admin.query(DEFINE, json!({ "input": category("weekly") })).await?["defineCategory"].clone();
    assert_eq!(refused["code"], "TEMPLATE_ARCHIVED", "{refused}");
    Ok(())
}
