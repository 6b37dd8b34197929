//! A sandbox key rehearses: what would reach real people is refused.

use super::app::TestApp;
use serde_json::json;

const UPSERT: &str = "mutation($input: UpsertRecipientInput!) { upsertRecipient(input: $input) { __typename } }";
const REGISTER: &str = "mutation($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename } }";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[tokio::test]
async fn a_sandbox_key_cannot_erase_impersonate_or_unsubscribe_anybody() {
    let app = TestApp::start().await;
    let rehearsal = app.sender("shop", ", sandbox: true").await;
    app.recipient("alice").await;
    let head = app.head();
    for mutation in [
        r#"eraseRecipient(input: {recipient: "alice"}) { __typename }"#,
        r#"mintRecipientToken(input: {recipient: "alice"}) { __typename }"#,
        r#"setSubscription(input: {recipient: "alice", scope: ALL, subscribed: false}) { __typename }"#,
        r#"removeDevice(input: {recipient: "alice", device: "t"}) { __typename }"#,
        r#"setSubscription(input: {recipient: "alice", scope: CHANNEL, channel: EMAIL, subscribed: true}) { __typename }"#,
    ] {
        let answer = app.ask(&rehearsal, &format!("mutation {{ {mutation} }}")).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{mutation}: {}", answer.body);
        assert!(answer.body.to_string().contains("a key without `sandbox`"), "{}", answer.body);
    }
    assert_eq!(app.head(), head, "nothing is in the log");
    app.send(&rehearsal, "alice", "a rehearsal").await;
    app.stop().await;
}

#[tokio::test]
async fn a_sandbox_key_adds_people_and_first_addresses_and_changes_nothing_that_is_there() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let rehearsal = app.sender("shop", ", sandbox: true").await;
    let alice = json!({ "id": "alice", "email": "alice@example.com", "locale": "ko-KR", "webhook": { "url": "https://example.org/hook", "secret": SECRET } });
    let phone = |who: &str, token: &str| json!({ "recipient": who, "channel": "ANDROID_PUSH", "token": token });
    let tablet = json!({ "recipient": "alice", "channel": "IOS_PUSH", "token": "a".repeat(64) });

    // What is new, and then the same again.
    for again in [false, true] {
        let head = app.head();
        for (query, input) in [(UPSERT, alice.clone()), (UPSERT, json!({ "id": "bob" })), (REGISTER, phone("alice", "hers")), (REGISTER, tablet.clone())] {
            let answer = app.post(Some(&rehearsal), query, json!({ "input": input })).await;
            assert!(answer.body.to_string().contains("RecipientChanged"), "{input}: {}", answer.body);
        }
        assert_eq!(app.head() == head, again, "only what is new is recorded");
    }

    let head = app.head();
    for (query, input) in [
        (UPSERT, json!({ "id": "alice", "email": "mallory@example.com" })),
        (UPSERT, json!({ "id": "alice", "email": null })),
        (UPSERT, json!({ "id": "alice", "webhook": null })),
        (UPSERT, json!({ "id": "alice", "webhook": { "url": "https://example.org/other", "secret": SECRET } })),
        (UPSERT, json!({ "id": "alice", "webhook": { "url": "https://example.org/hook", "secret": SECRET.replace('C', "D") } })),
        (UPSERT, json!({ "id": "alice", "locale": "en" })),
        (UPSERT, json!({ "id": "alice", "locale": null })),
        (UPSERT, json!({ "id": "alice", "attributes": "{}" })),
        (REGISTER, phone("alice", "mallorys")),
        (REGISTER, phone("bob", "hers")),
    ] {
        let answer = app.post(Some(&rehearsal), query, json!({ "input": input })).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{input}: {}", answer.body);
        assert!(answer.body.to_string().contains("a key without `sandbox`"), "{}", answer.body);
        assert_eq!(app.head(), head, "{input} is not in the log");
    }
    for (query, input) in [(UPSERT, json!({ "id": "alice", "email": "alice@example.org" })), (REGISTER, phone("bob", "hers"))] {
        let answer = app.post(Some(&shop), query, json!({ "input": input })).await;
        assert!(answer.body.to_string().contains("RecipientChanged"), "{}", answer.body);
    }
    app.stop().await;
}
