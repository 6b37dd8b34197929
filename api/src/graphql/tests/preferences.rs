//! Switches of every scope, hours, imports of consents, and what they come to.

use super::app::TestApp;
use serde_json::{Value, json};

const IMPORT: &str = "mutation($input: ImportConsentsInput!) { importConsents(input: $input) { results { __typename ... on ConsentImported { changed } ... on Problem { code } } } }";

async fn set(app: &TestApp, credential: &str, input: &str) -> Value {
    let query = format!(
        "mutation {{ setSubscription(input: {{{input}}}) {{ ... on SubscriptionChanged {{ subscription {{ allOff switches {{ scope channel category topic subscribed }} }} }} ... on Problem {{ code message }} }} }}"
    );
    app.ask(credential, &query).await.data()["setSubscription"].clone()
}

async fn define(app: &TestApp, more: &str) {
    let query = format!("mutation {{ defineCategory(input: {{{more}}}) {{ __typename }} }}");
    assert_eq!(app.ask(&app.administrator, &query).await.data()["defineCategory"]["__typename"], "CategoryChanged");
}

#[tokio::test]
async fn scopes_want_their_parts_and_required_categories_stay_on() {
    let app = TestApp::start().await;
    let alice = app.recipient("alice").await;
    define(&app, r#"key: "security", name: "Security", required: true"#).await;
    let head = app.head();
    for (input, code) in [
        (r#"scope: CATEGORY_CHANNEL, category: "general", subscribed: false"#, "SCOPE_INVALID"),
        (r#"scope: DEVICE, subscribed: false"#, "SCOPE_INVALID"),
        (r#"scope: TOPIC, channel: EMAIL, topic: "a", subscribed: false"#, "SCOPE_INVALID"),
        (r#"scope: TOPIC, topic: "Not A Key", subscribed: false"#, "TOPIC_INVALID"),
        (r#"scope: DEVICE, device: "x", subscribed: false"#, "NOT_FOUND"),
        (r#"scope: DEVICE, device: "00000000-0000-0000-0000-000000000001", subscribed: false"#, "NOT_FOUND"),
        (r#"scope: CATEGORY_CHANNEL, category: "unheard-of", channel: EMAIL, subscribed: false"#, "CATEGORY_NOT_FOUND"),
        (r#"scope: CATEGORY_CHANNEL, category: "security", channel: EMAIL, subscribed: false"#, "REQUIRED_CATEGORY"),
        (r#"scope: CATEGORY, category: "security", subscribed: false"#, "REQUIRED_CATEGORY"),
    ] {
        let answer = set(&app, &alice, input).await;
        assert_eq!(answer["code"], code, "{input}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    set(&app, &alice, r#"scope: TOPIC, topic: "team-seoul", subscribed: false"#).await;
    let answer = set(&app, &alice, r#"scope: CATEGORY_CHANNEL, category: "general", channel: EMAIL, subscribed: false"#).await;
    assert_eq!(
        answer["subscription"]["switches"],
        json!([
            { "scope": "CATEGORY_CHANNEL", "channel": "EMAIL", "category": "general", "topic": null, "subscribed": false },
            { "scope": "TOPIC", "channel": null, "category": null, "topic": "team-seoul", "subscribed": false },
        ])
    );
    app.stop().await;
}

#[tokio::test]
async fn impossible_hours_are_refused_by_name() {
    let app = TestApp::start().await;
    let alice = app.recipient("alice").await;
    let head = app.head();
    let all = "[MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY]";
    for (field, input, code) in [
        ("setQuietHours", String::new(), "HOURS_INVALID"),
        ("setQuietHours", "quietHours: []".to_owned(), "HOURS_INVALID"),
        ("setQuietHours", r#"quietHours: [{days: [], from: "22:00", to: "07:00"}]"#.to_owned(), "HOURS_INVALID"),
        ("setQuietHours", r#"quietHours: [{days: [MONDAY], from: "22:00", to: "22:00"}]"#.to_owned(), "HOURS_INVALID"),
        ("setQuietHours", r#"quietHours: [{days: [MONDAY], from: "24:00", to: "07:00"}]"#.to_owned(), "TIME_INVALID"),
        (
            "setQuietHours",
            format!(r#"quietHours: [{{days: {all}, from: "00:00", to: "12:00"}}, {{days: {all}, from: "12:00", to: "00:00"}}]"#),
            "HOURS_INVALID",
        ),
        (
            "setQuietHours",
            format!(r#"quietHours: [{{days: {all}, from: "08:00", to: "20:00"}}], allowed: [{{days: [MONDAY], from: "09:00", to: "17:00"}}]"#),
            "HOURS_INVALID",
        ),
        ("setDoNotDisturb", r#"until: "2001-01-01T00:00:00Z""#.to_owned(), "UNTIL_INVALID"),
        ("setDoNotDisturb", r#"until: "2099-01-01T00:00:00Z""#.to_owned(), "UNTIL_INVALID"),
    ] {
        let query = format!("mutation {{ {field}(input: {{{input}}}) {{ __typename ... on Problem {{ code message }} }} }}");
        assert_eq!(app.ask(&alice, &query).await.data()[field]["code"], code, "{input}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    app.stop().await;
}

#[tokio::test]
async fn preferences_name_the_rule_that_won() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    define(&app, r#"key: "security", name: "Security", required: true, defaultChannels: [EMAIL, IN_APP]"#).await;
    define(&app, r#"key: "news", name: "News", subscribedByDefault: false, defaultChannels: [EMAIL]"#).await;
    define(&app, r#"key: "orders", name: "Orders", defaultChannels: [EMAIL, IN_APP]"#).await;
    set(&app, &alice, r#"scope: CATEGORY_CHANNEL, category: "orders", channel: EMAIL, subscribed: false"#).await;
    for change in [
        r#"setQuietHours(input: {quietHours: [{days: [SATURDAY, SUNDAY], from: "22:00", to: "07:30"}]}) { __typename }"#,
        r#"setDoNotDisturb(input: {}) { __typename }"#,
        "setPreferredChannels(input: {channels: [IN_APP]}) { __typename }",
    ] {
        assert!(app.ask(&alice, &format!("mutation {{ {change} }}")).await.body["errors"].is_null(), "{change}");
    }
    let position = crate::graphql::position::Position(app.head()).encode();
    assert!(app.ask(&app.administrator, &format!(r#"{{ categories(atLeastPosition: "{position}") {{ key }} }}"#)).await.body["errors"].is_null());
    let answer = app
        .ask(&shop, r#"{ preferences(recipient: "alice") { timeZone preferredChannels quietHours { days from to } doNotDisturbUntil categories { category required allowed rule channels { channel allowed rule } } } }"#)
        .await;
    let preferences = &answer.data()["preferences"];
    assert_eq!((&preferences["timeZone"], &preferences["preferredChannels"]), (&json!("UTC"), &json!(["IN_APP"])));
    assert_eq!(preferences["quietHours"], json!([{ "days": ["SATURDAY", "SUNDAY"], "from": "22:00", "to": "07:30" }]));
    let of = |key: &str| preferences["categories"].as_array().unwrap().iter().find(|of| of["category"] == key).unwrap().clone();
    assert_eq!((&of("news")["allowed"], &of("news")["rule"]), (&json!(false), &json!("not_opted_in")));
    assert_eq!((&of("security")["required"], &of("security")["rule"]), (&json!(true), &json!("required_category")));
    assert_eq!(
        of("orders")["channels"],
        json!([
            { "channel": "EMAIL", "allowed": false, "rule": "opted_out_of_category_channel" },
            { "channel": "IN_APP", "allowed": true, "rule": "default_opt_in" },
        ])
    );
    set(&app, &alice, "scope: ALL, subscribed: false").await;
    let answer = app.ask(&alice, "{ preferences { categories { category allowed rule } } }").await;
    let left: Vec<_> =
        answer.data()["preferences"]["categories"].as_array().unwrap().iter().filter(|of| of["allowed"] == true).map(|of| &of["category"]).collect();
    assert_eq!(left, ["security"]);
    app.stop().await;
}

#[tokio::test]
async fn consents_are_taken_one_by_one_in_order_and_newer_choices_stand() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    let alice = app.recipient("alice").await;
    app.recipient("bob").await;
    define(&app, r#"key: "security", name: "Security", required: true"#).await;
    define(&app, r#"key: "news", name: "News", subscribedByDefault: false"#).await;
    let news = |who: &str, subscribed: bool, at: &str| json!({ "recipient": who, "scope": "CATEGORY", "category": "news", "subscribed": subscribed, "at": at, "evidence": { "text": "paper form 12" } });
    let items = json!([
        news("alice", true, "2024-01-01T00:00:00Z"),
        news("nobody", true, "2024-01-01T00:00:00Z"),
        news("alice", true, "2024-01-01T00:00:00Z"),
        { "recipient": "alice", "scope": "CATEGORY", "category": "security", "subscribed": false },
        news("bob", false, "2099-01-01T00:00:00Z"),
        { "recipient": "bob", "scope": "CATEGORY", "category": "unheard-of", "subscribed": true },
        { "recipient": "bob", "scope": "ALL", "category": "news", "subscribed": true },
        news("alice", false, "2023-06-01T00:00:00Z"),
        news("bob", true, "2025-01-01T00:00:00Z"),
    ]);
    let codes = |answer: &Value| -> Vec<Value> {
        let results = answer["importConsents"]["results"].as_array().unwrap();
        results.iter().map(|result| if result["code"].is_null() { result["changed"].clone() } else { result["code"].clone() }).collect()
    };
    let answer = app.post(Some(&shop), IMPORT, json!({ "input": { "items": items } })).await;
    assert_eq!(
        codes(answer.data()),
        [
            json!(true),
            json!("RECIPIENT_NOT_FOUND"),
            json!(false),
            json!("REQUIRED_CATEGORY"),
            json!("CONSENT_IN_FUTURE"),
            json!("CATEGORY_NOT_FOUND"),
            json!("SCOPE_INVALID"),
            json!("NEWER_CHOICE"),
            json!(true),
        ]
    );
    // Who has unsubscribed is not subscribed anew by the same list.
    set(&app, &alice, r#"scope: CATEGORY, category: "news", subscribed: false"#).await;
    let head = app.head();
    let answer = app.post(Some(&shop), IMPORT, json!({ "input": { "items": [news("alice", true, "2025-01-01T00:00:00Z")] } })).await;
    assert_eq!(codes(answer.data()), [json!("NEWER_CHOICE")]);
    let many: Vec<Value> = (0..1_001).map(|_| news("alice", true, "2024-01-01T00:00:00Z")).collect();
    assert_eq!(app.post(Some(&shop), IMPORT, json!({ "input": { "items": many } })).await.code(), "LIST_TOO_LONG");
    assert_eq!(app.head(), head);

    let history = r#"{ consentHistory(recipient: "alice") { by source actor givenAt evidence { text } switched { category subscribed } cursor } }"#;
    for (who, credential, sees, named) in
        [("administrator", &app.administrator, true, true), ("shop", &shop, true, true), ("bank", &bank, false, true), ("alice", &alice, true, false)]
    {
        let answer = app.ask(credential, history).await;
        let changes = answer.data()["consentHistory"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "{who}");
        assert_eq!((&changes[0]["by"], &changes[0]["switched"]["subscribed"]), (&json!("RECIPIENT"), &json!(false)));
        assert_eq!(
            (&changes[1]["by"], &changes[1]["source"], &changes[1]["givenAt"]),
            (&json!("IMPORT"), &json!("IMPORT"), &json!("2024-01-01T00:00:00+00:00"))
        );
        assert_eq!(changes[1]["evidence"].is_object(), sees, "{who}: {}", changes[1]);
        assert_eq!(changes[1]["actor"].is_string(), named, "{who}");
    }
    let first = app.ask(&alice, "{ consentHistory(first: 1) { cursor } }").await;
    let older = app.ask(&alice, &format!("{{ consentHistory(after: {}) {{ by }} }}", first.data()["consentHistory"][0]["cursor"])).await;
    assert_eq!(older.data()["consentHistory"], json!([{ "by": "IMPORT" }]));
    app.stop().await;
}
