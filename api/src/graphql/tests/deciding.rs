//! Categories' rules, requests for later, previews, taking back by query, suppressed addresses.

use super::app::TestApp;
use serde_json::{Value, json};

const DEFINE: &str = "mutation($input: DefineCategoryInput!) { defineCategory(input: $input) { __typename ... on CategoryChanged { category { key version subscribedByDefault timeToLiveSeconds dedupWindowSeconds overLimit quietHours limits { most period slidingSeconds } digest { until maxItems } plan { steps { channels next { afterSeconds when } } } } } ... on Problem { code message } } }";
const SEND: &str = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) { __typename ... on SendAccepted { position notification { id status waitsUntil waitsBy topic } } ... on Problem { code message } } }";
const PREVIEW: &str = "query($input: [SendNotificationInput!]!) { previewDecision(input: $input) { __typename ... on Preview { outcome rule rulesVersion until deliveries { channel } considered { question passes rule channel words } } ... on Problem { code } } }";

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

fn request() -> Value {
    json!({ "recipient": "alice", "channels": ["IN_APP"], "content": { "body": "b" } })
}

#[tokio::test]
async fn impossible_rules_of_a_category_are_refused_by_name() {
    let app = TestApp::start().await;
    let head = app.head();
    let step = |channel: &str| json!({ "channels": [channel], "next": { "afterSeconds": 60, "when": "NOT_SEEN" } });
    for (more, code, told) in [
        (json!({ "limits": [{ "most": 0, "per": { "period": "DAY" } }] }), "LIMIT_INVALID", "the least is 1"),
        (json!({ "limits": [{ "most": -1, "per": { "slidingSeconds": 60 } }] }), "LIMIT_INVALID", "the least is 1"),
        (json!({ "limits": [{ "most": 1, "per": { "slidingSeconds": 0 } }] }), "LIMIT_INVALID", "one second"),
        (json!({ "overLimit": "DIGEST" }), "DIGEST_MISSING", "digest"),
        (json!({ "digest": { "window": { "until": "25:00" } } }), "TIME_INVALID", "25:00"),
        (json!({ "digest": { "window": { "fixedSeconds": 0 } } }), "DIGEST_INVALID", "one second"),
        (json!({ "digest": { "window": { "sliding": { "seconds": 60, "atMostSeconds": 30 } } } }), "DIGEST_INVALID", "at_most"),
        (json!({ "plan": { "steps": [step("EMAIL"), step("IOS_PUSH"), { "channels": ["EMAIL"] }] } }), "PLAN_CYCLE", "twice"),
        (json!({ "plan": { "steps": [] } }), "PLAN_INVALID", "1 to 5"),
        (json!({ "dedupWindowSeconds": 0 }), "DEDUP_WINDOW_INVALID", "leave it out"),
        (json!({ "timeToLiveSeconds": -5 }), "TIME_TO_LIVE_INVALID", "leave it out"),
        (json!({ "required": true, "subscribedByDefault": false }), "REQUIRED_CATEGORY", "required"),
    ] {
        let input = with(json!({ "key": "orders", "name": "Orders" }), more.clone());
        let answer = app.post(Some(&app.administrator), DEFINE, json!({ "input": input })).await;
        let refused = &answer.data()["defineCategory"];
        assert_eq!(refused["code"], code, "{more}");
        assert!(refused["message"].as_str().unwrap().contains(told), "{refused}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    let both = json!({ "key": "orders", "name": "Orders", "limits": [{ "most": 1, "per": { "period": "DAY", "slidingSeconds": 5 } }] });
    assert!(!app.post(Some(&app.administrator), DEFINE, json!({ "input": both })).await.body["errors"].is_null());
    app.stop().await;
}

#[tokio::test]
async fn a_category_says_its_rules_and_its_version_and_is_found() {
    let app = TestApp::start().await;
    let rules = json!({
        "key": "orders", "name": "주문 알림", "description": "What you ordered", "subscribedByDefault": false, "timeToLiveSeconds": 3600, "dedupWindowSeconds": 60,
        "overLimit": "DIGEST", "quietHours": "IGNORE", "limits": [{ "most": 3, "per": { "period": "DAY" } }, { "most": 1, "per": { "slidingSeconds": 90 } }],
        "digest": { "window": { "until": "08:00" } },
        "plan": { "steps": [{ "channels": ["IOS_PUSH"], "next": { "afterSeconds": 600, "when": "NOT_READ" } }, { "channels": ["EMAIL"] }] },
    });
    app.post(Some(&app.administrator), DEFINE, json!({ "input": { "key": "orders", "name": "Orders" } })).await.data();
    let answer = app.post(Some(&app.administrator), DEFINE, json!({ "input": rules })).await;
    let category = &answer.data()["defineCategory"]["category"];
    assert_eq!(
        *category,
        json!({
            "key": "orders", "version": 2, "subscribedByDefault": false, "timeToLiveSeconds": 3600, "dedupWindowSeconds": 60, "overLimit": "DIGEST",
            "quietHours": "IGNORE",
            "limits": [{ "most": 3, "period": "DAY", "slidingSeconds": null }, { "most": 1, "period": null, "slidingSeconds": 90 }],
            "digest": { "until": "08:00", "maxItems": 20 },
            "plan": { "steps": [
                { "channels": ["IOS_PUSH"], "next": { "afterSeconds": 600, "when": "NOT_READ" } },
                { "channels": ["EMAIL"], "next": null },
            ] },
        })
    );
    let position = crate::graphql::position::Position(app.head()).encode();
    for (arguments, keys) in [
        (r#"search: "주문""#, json!([{ "key": "orders" }])),
        (r#"search: "ORDERED""#, json!([{ "key": "orders" }])),
        (r#"search: "nothing""#, json!([])),
        (r#"after: "general", first: 1"#, json!([{ "key": "orders" }])),
    ] {
        let found = app.ask(&app.administrator, &format!(r#"{{ categories({arguments}, atLeastPosition: "{position}") {{ key }} }}"#)).await;
        assert_eq!(found.data()["categories"], keys, "{arguments}");
    }
    app.stop().await;
}

#[tokio::test]
async fn requests_for_later_are_checked_and_wait_until_they_are_taken_back() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    let head = app.head();
    for (more, code) in [
        (json!({ "sendAt": "2099-01-01T00:00:00Z" }), "TOO_FAR_AHEAD"),
        (json!({ "localTime": "tomorrow at nine" }), "TIME_INVALID"),
        (json!({ "localTime": "2027-02-30T09:00" }), "TIME_INVALID"),
        (json!({ "sendAt": "2027-01-01T00:00:00Z", "localTime": "2027-01-01T09:00" }), "TWO_TIMES"),
        (json!({ "topic": "Not A Key" }), "TOPIC_INVALID"),
        (json!({ "digestKey": "" }), "DIGEST_KEY_INVALID"),
        (json!({ "plan": { "steps": [{ "channels": ["IN_APP"] }] } }), "PLAN_AND_CHANNELS"),
        (
            json!({ "channels": null, "plan": { "steps": [{ "channels": ["EMAIL"], "next": { "afterSeconds": 5, "when": "FAILED" } }, { "channels": ["EMAIL"] }] } }),
            "PLAN_CYCLE",
        ),
    ] {
        let answer = app.post(Some(&shop), SEND, json!({ "input": with(request(), more.clone()) })).await;
        assert_eq!(answer.data()["sendNotification"]["code"], code, "{more}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");

    let later = chrono::DateTime::from_timestamp_millis(app.services.engine.clock.now() + 3_600_000).unwrap().to_rfc3339();
    let answer = app.post(Some(&shop), SEND, json!({ "input": with(request(), json!({ "sendAt": later, "topic": "team-seoul" })) })).await;
    let sent = &answer.data()["sendNotification"];
    let of = &sent["notification"];
    assert_eq!((&of["status"], &of["waitsBy"], &of["topic"]), (&json!("deferred"), &json!("not_before"), &json!("team-seoul")));
    assert!(of["waitsUntil"].is_string());
    let (id, position) = (of["id"].as_str().unwrap().to_owned(), sent["position"].as_str().unwrap().to_owned());
    // Nobody sees it but who asked.
    assert!(app.ask(&alice, &format!(r#"{{ notification(id: "{id}") {{ id }} }}"#)).await.data()["notification"].is_null());
    let listed =
        format!(r#"{{ requestedNotifications(query: {{recipient: "alice"}}, atLeastPosition: "{position}") {{ cursor notifications {{ id status }} }} }}"#);
    assert_eq!(
        app.ask(&shop, &listed).await.data()["requestedNotifications"],
        json!({ "cursor": null, "notifications": [{ "id": id, "status": "deferred" }] })
    );
    let bank = app.sender("bank", "").await;
    assert_eq!(app.ask(&bank, &listed).await.data()["requestedNotifications"]["notifications"], json!([]));
    let cancel = |query: &str| {
        format!(
            r#"mutation {{ cancelNotifications(input: {{query: {{{query}}}}}, atLeastPosition: "{position}") {{ lookedAt stopped tooLate cursor notifications {{ id status }} }} }}"#
        )
    };
    assert_eq!(app.ask(&shop, &cancel("")).await.code(), "BAD_USER_INPUT");
    assert_eq!(app.ask(&bank, &cancel(r#"recipient: "alice""#)).await.data()["cancelNotifications"]["lookedAt"], 0);
    assert_eq!(
        app.ask(&shop, &cancel(r#"recipient: "alice", category: "general""#)).await.data()["cancelNotifications"],
        json!({ "lookedAt": 1, "stopped": 1, "tooLate": 0, "cursor": null, "notifications": [{ "id": id, "status": "cancelled" }] })
    );
    assert_eq!(app.ask(&shop, &cancel(r#"recipient: "alice""#)).await.data()["cancelNotifications"]["tooLate"], 1);
    app.stop().await;
}

#[tokio::test]
async fn a_preview_says_why_and_leaves_no_trace() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    app.recipient("alice").await;
    app.recipient("bob").await;
    let off = r#"mutation { setSubscription(input: {recipient: "bob", scope: ALL, subscribed: false}) { __typename } }"#;
    assert_eq!(app.ask(&app.administrator, off).await.data()["setSubscription"]["__typename"], "SubscriptionChanged");
    let later = chrono::DateTime::from_timestamp_millis(app.services.engine.clock.now() + 3_600_000).unwrap().to_rfc3339();
    let head = app.head();
    let input = json!([
        request(),
        with(request(), json!({ "recipient": "bob" })),
        with(request(), json!({ "sendAt": later })),
        with(request(), json!({ "recipient": "nobody" })),
        with(request(), json!({ "category": "Not A Key" })),
    ]);
    let answer = app.post(Some(&shop), PREVIEW, json!({ "input": input })).await;
    let results = answer.data()["previewDecision"].as_array().unwrap();
    let said: Vec<_> =
        results.iter().map(|result| if result["code"].is_null() { (&result["outcome"], &result["rule"]) } else { (&result["code"], &Value::Null) }).collect();
    assert_eq!(
        said,
        [
            (&json!("DELIVER"), &json!("default_opt_in")),
            (&json!("SUPPRESS"), &json!("opted_out_of_all")),
            (&json!("DEFER"), &json!("not_before")),
            (&json!("RECIPIENT_NOT_FOUND"), &Value::Null),
            (&json!("CATEGORY_NOT_FOUND"), &Value::Null),
        ]
    );
    assert_eq!(results[0]["deliveries"], json!([{ "channel": "IN_APP" }]));
    assert!(results[2]["until"].is_string());
    let against = results[1]["considered"].as_array().unwrap().iter().find(|step| step["question"] == "consent").unwrap();
    assert_eq!((&against["passes"], &against["rule"], &against["channel"]), (&json!(false), &json!("opted_out_of_all"), &json!("IN_APP")));
    assert!(against["words"].as_str().unwrap().contains("switched everything off"), "{against}");
    let many: Vec<Value> = (0..101).map(|_| request()).collect();
    assert_eq!(app.post(Some(&shop), PREVIEW, json!({ "input": many })).await.code(), "LIST_TOO_LONG");
    assert_eq!(app.head(), head, "the log is as it was");
    app.stop().await;
}

#[tokio::test]
async fn nothing_goes_to_a_suppressed_address_until_it_is_reinstated() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let upsert = r#"mutation { upsertRecipient(input: {id: "alice", email: "alice@example.com"}) { __typename } }"#;
    assert_eq!(app.ask(&shop, upsert).await.data()["upsertRecipient"]["__typename"], "RecipientChanged");
    let head = app.head();
    for (field, input, code) in [
        ("suppressAddress", "of: {}", "ADDRESS_AMBIGUOUS"),
        ("suppressAddress", r#"of: {channel: EMAIL, address: "a", recipient: "alice"}"#, "ADDRESS_AMBIGUOUS"),
        ("suppressAddress", r#"of: {channel: EMAIL, recipient: "nobody"}"#, "NOT_FOUND"),
        ("reinstateAddress", r#"of: {channel: EMAIL, recipient: "alice"}, reason: " ""#, "REASON_INVALID"),
    ] {
        let answer = app.ask(&app.administrator, &format!("mutation {{ {field}(input: {{{input}}}) {{ ... on Problem {{ code }} }} }}")).await;
        assert_eq!(answer.data()[field]["code"], code, "{input}");
    }
    assert_eq!(app.head(), head);

    let preview = || app.post(Some(&shop), PREVIEW, json!({ "input": [with(request(), json!({ "channels": ["EMAIL"] }))] }));
    assert_eq!(preview().await.data()["previewDecision"][0]["outcome"], "DELIVER");
    let suppress = r#"mutation { suppressAddress(input: {of: {channel: EMAIL, address: "alice@example.com"}, note: "asked by phone"}) { ... on AddressesChanged { addresses changed position } ... on Problem { code message } } }"#;
    let answer = app.ask(&app.administrator, suppress).await;
    let done = answer.data()["suppressAddress"].clone();
    assert_eq!(done["changed"], 1, "{done}");
    let refused = preview().await;
    assert_eq!(refused.data()["previewDecision"][0]["rule"], "address_suppressed");
    let list =
        format!(r#"{{ suppressedAddresses(reason: MANUAL, atLeastPosition: {}) {{ id reason note holders {{ recipient channel }} }} }}"#, done["position"]);
    let listed = app.ask(&app.administrator, &list).await;
    assert_eq!(
        listed.data()["suppressedAddresses"],
        json!([{ "id": done["addresses"][0], "reason": "MANUAL", "note": "asked by phone", "holders": [{ "recipient": "alice", "channel": "EMAIL" }] }])
    );
    let lift = r#"mutation { reinstateAddress(input: {of: {channel: EMAIL, recipient: "alice"}, reason: "it was a mistake"}) { ... on AddressesChanged { changed } } }"#;
    assert_eq!(app.ask(&app.administrator, lift).await.data()["reinstateAddress"]["changed"], 1);
    assert_eq!(preview().await.data()["previewDecision"][0]["outcome"], "DELIVER");
    app.stop().await;
}
