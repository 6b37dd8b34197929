//! Bad input: a stable code that says what to do, and nothing in the log.

use super::app::TestApp;
use crate::graphql::position::Position;
use serde_json::{Value, json};

const SEND: &str = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) { __typename ... on SendAccepted { duplicate position notification { id } } ... on Problem { code message } } }";
const SEND_LIST: &str = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results { __typename ... on SendAccepted { notification { id } } ... on Problem { code } } } }";
const UPSERT: &str = "mutation($input: UpsertRecipientInput!) { upsertRecipient(input: $input) { __typename ... on Problem { code message } } }";

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

fn good() -> Value {
    json!({ "recipient": "alice", "channels": ["IN_APP"], "content": { "body": "b" } })
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_by_name() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    app.recipient("alice").await;
    let head = app.head();
    for (more, code) in [
        (json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "'; DROP TABLE events; --" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "category": "unheard-of" }), "CATEGORY_NOT_FOUND"),
        (json!({ "category": "Not A Key" }), "CATEGORY_NOT_FOUND"),
        (json!({ "channels": [] }), "NO_CHANNELS"),
        (json!({ "idempotencyKey": "k".repeat(256) }), "IDEMPOTENCY_KEY_INVALID"),
        (json!({ "content": { "body": "b".repeat(1_000_001) } }), "TOO_LARGE"),
        (json!({ "content": { "title": "a\r\nBcc: x@example.com", "body": "b" } }), "INVALID_HEADER"),
        (json!({ "content": { "body": "b", "data": "not json" } }), "CONTENT_INVALID"),
        (json!({ "content": { "body": "b", "data": format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)) } }), "TOO_DEEP"),
        (json!({ "expiresAt": "2001-01-01T00:00:00Z" }), "EXPIRED"),
    ] {
        let answer = app.post(Some(&shop), SEND, json!({ "input": with(good(), more.clone()) })).await;
        let refused = &answer.data()["sendNotification"];
        assert_eq!(refused["code"], code, "{}", more.to_string().get(..80).unwrap_or(&more.to_string()));
        assert!(!refused["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    app.stop().await;
}

#[tokio::test]
async fn a_repeat_is_the_same_notification_and_other_content_is_a_conflict() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    app.recipient("alice").await;
    let input = with(good(), json!({ "idempotencyKey": "order-42" }));
    let first = app.post(Some(&shop), SEND, json!({ "input": input })).await;
    let again = app.post(Some(&shop), SEND, json!({ "input": input })).await;
    let (first, again) = (&first.data()["sendNotification"], &again.data()["sendNotification"]);
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!((&first["notification"], &first["position"]), (&again["notification"], &again["position"]));
    let other = app.post(Some(&shop), SEND, json!({ "input": with(input.clone(), json!({ "content": { "body": "another" } })) })).await;
    assert_eq!(other.data()["sendNotification"]["code"], "IDEMPOTENCY_CONFLICT");
    let of_bank = app.post(Some(&bank), SEND, json!({ "input": input })).await;
    assert_eq!(of_bank.data()["sendNotification"]["duplicate"], false, "keys are each sender's own");
    assert_ne!(of_bank.data()["sendNotification"]["notification"], first["notification"]);
    app.stop().await;
}

#[tokio::test]
async fn a_list_is_answered_item_by_item_in_its_order() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    app.recipient("alice").await;
    let items = json!([good(), with(good(), json!({ "category": "Not A Key" })), with(good(), json!({ "recipient": "nobody" })), good()]);
    let answer = app.post(Some(&shop), SEND_LIST, json!({ "input": { "items": items } })).await;
    let results = answer.data()["sendNotifications"]["results"].as_array().unwrap();
    let kinds: Vec<&Value> = results.iter().map(|result| if result["code"].is_null() { &result["__typename"] } else { &result["code"] }).collect();
    assert_eq!(kinds, ["SendAccepted", "CATEGORY_NOT_FOUND", "RECIPIENT_NOT_FOUND", "SendAccepted"]);

    let head = app.head();
    let items: Vec<Value> = (0..1_001).map(|_| good()).collect();
    let answer = app.post(Some(&shop), SEND_LIST, json!({ "input": { "items": items } })).await;
    assert_eq!(answer.code(), "LIST_TOO_LONG");
    assert_eq!(app.head(), head);
    app.stop().await;
}

#[tokio::test]
async fn a_recipient_that_is_not_well_formed_is_not_created() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let head = app.head();
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for (input, code) in [
        (json!({ "id": "" }), "INVALID_ID"),
        (json!({ "id": "a\nb" }), "INVALID_ID"),
        (json!({ "id": "a", "email": "a@example.com, b@example.com" }), "INVALID_EMAIL"),
        (json!({ "id": "a", "email": "a@example.com\r\nBcc: b@example.com" }), "INVALID_EMAIL"),
        (json!({ "id": "a", "timeZone": "Mars/Olympus" }), "INVALID_TIME_ZONE"),
        (json!({ "id": "a", "locale": "?" }), "INVALID_LOCALE"),
        (json!({ "id": "a", "attributes": "[]" }), "INVALID_ATTRIBUTES"),
        (json!({ "id": "a", "attributes": format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32)) }), "TOO_DEEP"),
        (json!({ "id": "a", "webhook": { "url": "https://example.org/hook", "secret": "short" } }), "INVALID_SECRET"),
        (json!({ "id": "a", "webhook": { "url": "not a url", "secret": secret } }), "INVALID_URL"),
        (json!({ "id": "a", "webhook": { "url": "file:///etc/passwd", "secret": secret } }), "INVALID_URL"),
        (json!({ "id": "a", "webhook": { "url": "http://example.org/", "secret": secret } }), "INVALID_URL"),
        (json!({ "id": "a", "webhook": { "url": "https://u:p@example.org/", "secret": secret } }), "INVALID_URL"),
        (json!({ "id": "a", "webhook": { "url": "https://127.0.0.1/", "secret": secret } }), "DESTINATION_BLOCKED"),
        (json!({ "id": "a", "webhook": { "url": "https://[::ffff:10.0.0.1]/", "secret": secret } }), "DESTINATION_BLOCKED"),
        (json!({ "id": "a", "webhook": { "url": "https://2852039166/", "secret": secret } }), "DESTINATION_BLOCKED"),
    ] {
        let answer = app.post(Some(&shop), UPSERT, json!({ "input": input })).await;
        assert_eq!(answer.data()["upsertRecipient"]["code"], code, "{input}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    app.stop().await;
}

#[tokio::test]
async fn a_position_from_the_future_is_told_how_far_things_are() {
    let app = TestApp::start().await;
    let future = Position(1_000_000).encode();
    let answer = app.ask(&app.administrator, &format!(r#"{{ categories(atLeastPosition: "{future}") {{ key }} }}"#)).await;
    assert_eq!(answer.code(), "NOT_YET");
    assert!(answer.body["errors"][0]["extensions"]["position"].is_string());
    let forged = app.ask(&app.administrator, r#"{ categories(atLeastPosition: "17") { key } }"#).await;
    assert_eq!(forged.code(), "BAD_USER_INPUT");
    app.stop().await;
}

#[tokio::test]
async fn a_required_category_cannot_be_switched_off() {
    let app = TestApp::start().await;
    let alice = app.recipient("alice").await;
    app.ask(&app.administrator, r#"mutation { defineCategory(input: {key: "security", name: "Security", required: true}) { __typename } }"#).await.data();
    let set = |category: &str| {
        format!(
            r#"mutation {{ setSubscription(input: {{scope: CATEGORY, category: "{category}", subscribed: false}}) {{ __typename ... on Problem {{ code }} }} }}"#
        )
    };
    assert_eq!(app.ask(&alice, &set("security")).await.data()["setSubscription"]["code"], "REQUIRED_CATEGORY");
    assert_eq!(app.ask(&alice, &set("unheard-of")).await.data()["setSubscription"]["code"], "CATEGORY_NOT_FOUND");
    assert_eq!(app.ask(&alice, &set("general")).await.data()["setSubscription"]["__typename"], "SubscriptionChanged");
    let wrong = r#"mutation { setSubscription(input: {scope: ALL, category: "general", subscribed: false}) { ... on Problem { code } } }"#;
    assert_eq!(app.ask(&alice, wrong).await.data()["setSubscription"]["code"], "SCOPE_INVALID");
    let own = app.ask(&alice, "{ subscription { allOff channelsOff categoriesOff } }").await;
    assert_eq!(own.data()["subscription"], json!({ "allOff": false, "channelsOff": [], "categoriesOff": ["general"] }));
    app.stop().await;
}

#[tokio::test]
async fn a_key_is_for_categories_that_exist() {
    let app = TestApp::start().await;
    app.sender("shop", "").await;
    let create = |category: &str| {
        format!(
            r#"mutation {{ createApiKey(input: {{name: "k", role: SENDER, sender: "shop", categories: ["general", "{category}"]}}) {{ __typename ... on Problem {{ code message }} }} }}"#
        )
    };
    let head = app.head();
    let refused = app.ask(&app.administrator, &create("misspelt")).await;
    let refused = &refused.data()["createApiKey"];
    assert_eq!(refused["code"], "CATEGORY_NOT_FOUND", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("misspelt"), "{refused}");
    assert_eq!(app.head(), head);
    app.ask(&app.administrator, r#"mutation { defineCategory(input: {key: "misspelt", name: "Now it is"}) { __typename } }"#).await.data();
    assert_eq!(app.ask(&app.administrator, &create("misspelt")).await.data()["createApiKey"]["__typename"], "ApiKeyCreated");
    app.stop().await;
}

#[tokio::test]
async fn more_dead_letters_than_the_limit_are_refused_and_not_cut() {
    let app = TestApp::start().await;
    let ids = |count: usize| vec![format!("\"{}.0\"", uuid::Uuid::nil()); count].join(", ");
    for (mutation, more) in [("redriveDeadLetters", ""), ("discardDeadLetters", r#", reason: "old""#)] {
        for (count, limit) in [(3, ", limit: 2"), (101, "")] {
            let refused = app.ask(&app.administrator, &format!("mutation {{ {mutation}(input: {{ids: [{}]{limit}{more}}}) {{ count }} }}", ids(count))).await;
            assert_eq!(refused.code(), "LIST_TOO_LONG", "{}", refused.body);
        }
        let done = app.ask(&app.administrator, &format!("mutation {{ {mutation}(input: {{ids: [{}], limit: 2{more}}}) {{ count }} }}", ids(2))).await;
        assert_eq!(done.data()[mutation]["count"], 0, "those that do not exist are not counted");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_page_has_at_most_what_is_configured() {
    let app = TestApp::start().await;
    let alice = app.recipient("alice").await;
    let most = app.services.page_size;
    for (first, code) in [(0, "BAD_USER_INPUT"), (most, ""), (most + 1, "BAD_USER_INPUT")] {
        for field in ["notifications", "missedNotifications"] {
            let answer = app.ask(&alice, &format!("{{ {field}(first: {first}) {{ edges {{ cursor }} }} }}")).await;
            assert_eq!(answer.code(), code, "{field}, {first}: {}", answer.body);
        }
    }
    app.stop().await;
}
