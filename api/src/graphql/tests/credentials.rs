//! Keys and tokens as a caller sends them (threats, rows 1 to 7 and 11).

use super::app::TestApp;
use crate::graphql::position::Position;
use axum::http::StatusCode;
use serde_json::json;

const WHO: &str = "{ categories { key } }";

#[tokio::test]
async fn nothing_is_answered_without_a_credential() {
    let app = TestApp::start().await;
    for credential in [None, Some(""), Some("bongsu_live_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Some("a.b.c"), Some("Bearer")] {
        let answer = app.post(credential, WHO, json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{credential:?}");
        assert!(answer.body["data"].is_null());
    }
    app.stop().await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_from_the_next_request_on() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    assert_eq!(app.ask(&shop, WHO).await.status, StatusCode::OK);
    let head = Position(app.head()).encode();
    let keys = app.ask(&app.administrator, &format!(r#"{{ apiKeys(atLeastPosition: "{head}") {{ id sender }} }}"#)).await;
    let key = keys.data()["apiKeys"].as_array().unwrap().iter().find(|key| key["sender"] == "shop").unwrap();
    let revoke = format!(r#"mutation {{ revokeApiKey(input: {{id: {}}}) {{ __typename }} }}"#, key["id"]);
    assert_eq!(app.ask(&app.administrator, &revoke).await.data()["revokeApiKey"]["__typename"], "ApiKeyRevokedPayload");
    let answer = app.ask(&shop, WHO).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "KEY_REVOKED"));
    app.stop().await;
}

#[tokio::test]
async fn a_secret_is_nowhere_but_in_the_answer_that_made_it() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let head = Position(app.head()).encode();
    let keys = app
        .ask(&app.administrator, &format!(r#"{{ apiKeys(atLeastPosition: "{head}") {{ id name prefix role sender categories sandbox expiresAt revoked }} }}"#))
        .await;
    let text = keys.body.to_string();
    assert!(text.contains(&shop[..20]), "the prefix is public");
    assert!(!text.contains(&shop[21..]));
    app.stop().await;
}

#[tokio::test]
async fn a_key_for_some_categories_sends_in_no_other() {
    let app = TestApp::start().await;
    let define = r#"mutation { defineCategory(input: {key: "orders", name: "Orders"}) { __typename } }"#;
    app.ask(&app.administrator, define).await.data();
    let shop = app.sender("shop", r#"categories: ["orders"]"#).await;
    app.recipient("alice").await;
    let send = |category: &str| {
        format!(
            r#"mutation {{ sendNotification(input: {{recipient: "alice", category: "{category}", content: {{body: "b"}}}}) {{ __typename ... on Problem {{ code }} }} }}"#
        )
    };
    assert_eq!(app.ask(&shop, &send("orders")).await.data()["sendNotification"]["__typename"], "SendAccepted");
    let head = app.head();
    assert_eq!(app.ask(&shop, &send("general")).await.data()["sendNotification"]["code"], "CATEGORY_FORBIDDEN");
    assert_eq!(app.head(), head);
    app.stop().await;
}

#[tokio::test]
async fn the_token_of_an_erased_recipient_shows_nothing_and_changes_nothing() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    let (id, _) = app.send(&shop, "alice", "a secret body").await;
    let erase = r#"mutation { eraseRecipient(input: {recipient: "alice"}) { __typename } }"#;
    assert_eq!(app.ask(&shop, erase).await.data()["eraseRecipient"]["__typename"], "RecipientErased");

    for credential in [&alice, &shop, &app.administrator] {
        let answer = app.ask(credential, &format!(r#"{{ notification(id: "{id}") {{ recipient content {{ body }} }} }}"#)).await;
        assert!(!answer.body.to_string().contains("a secret body"), "{}", answer.body);
        assert!(answer.data()["notification"]["content"].is_null());
    }
    let head = app.head();
    let device = r#"mutation { registerDevice(input: {channel: ANDROID_PUSH, token: "t"}) { ... on Problem { code } } }"#;
    assert_eq!(app.ask(&alice, device).await.data()["registerDevice"]["code"], "RECIPIENT_ERASED");
    let mint = r#"mutation { mintRecipientToken(input: {recipient: "alice"}) { ... on Problem { code } } }"#;
    assert!(app.ask(&shop, mint).await.data()["mintRecipientToken"]["code"].is_string());
    assert_eq!(app.head(), head);
    app.stop().await;
}
