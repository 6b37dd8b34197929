//! Who may ask why, and what is answered.

use super::app::TestApp;
use serde_json::json;

const EXPLAIN: &str =
    "query($id: ID!) { explain(notificationId: $id) { outcome sentence over steps { type rule facts { of sequence by source sentence notification } } } }";
const ABSENCE: &str = "query($recipient: String!, $category: String, $from: DateTime!, $to: DateTime) { explainAbsence(recipientId: $recipient, category: $category, from: $from, to: $to) { sentence more reasons { kind sentence } notifications { id outcome sentence } } }";

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_for_its_sender_and_administrators() {
    let app = TestApp::start().await;
    let (shop, other) = (app.sender("shop", "").await, app.sender("other", "").await);
    let alice = app.recipient("alice").await;
    let (id, _) = app.send(&shop, "alice", "Hello").await;
    let asked = json!({ "id": id });
    for key in [&shop, &app.administrator] {
        let answer = app.post(Some(key), EXPLAIN, asked.clone()).await;
        let told = &answer.data()["explain"];
        assert_eq!((&told["outcome"], &told["over"]), (&json!("sent"), &json!(true)), "{told:#}");
        assert!(told["sentence"].as_str().unwrap().starts_with("Shown in the app's inbox on"), "{told:#}");
        assert_eq!(told["steps"][1]["rule"], "default_opt_in", "{told:#}");
        assert_eq!(told["steps"][1]["facts"][0]["of"], "category", "{told:#}");
        assert!(!told.to_string().contains("Hello"));
    }
    assert!(app.post(Some(&other), EXPLAIN, asked.clone()).await.data()["explain"].is_null());
    assert_eq!(app.post(Some(&alice), EXPLAIN, asked).await.code(), "FORBIDDEN");
    assert!(app.post(Some(&shop), EXPLAIN, json!({ "id": "no id" })).await.data()["explain"].is_null());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_explained_and_a_sender_sees_its_own_only() {
    let app = TestApp::start().await;
    let (shop, other) = (app.sender("shop", "").await, app.sender("other", "").await);
    let alice = app.recipient("alice").await;
    let (id, _) = app.send(&shop, "alice", "Hello").await;
    let asked = |more: serde_json::Value| {
        let mut asked = json!({ "recipient": "alice", "from": "2020-01-01T00:00:00Z" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    let told = app.post(Some(&shop), ABSENCE, asked(json!({}))).await;
    assert_eq!(told.data()["explainAbsence"]["notifications"][0]["id"], id.as_str(), "{}", told.body);
    let told = app.post(Some(&other), ABSENCE, asked(json!({}))).await;
    assert_eq!(told.data()["explainAbsence"]["notifications"], json!([]), "{}", told.body);
    assert_eq!(told.data()["explainAbsence"]["reasons"][0]["kind"], "none_requested", "{}", told.body);
    let nobody = app.post(Some(&shop), ABSENCE, json!({ "recipient": "nobody", "from": "2020-01-01T00:00:00Z", "category": "general" })).await;
    assert!(nobody.data()["explainAbsence"]["reasons"].to_string().contains("unknown_recipient"), "{}", nobody.body);
    assert_eq!(app.post(Some(&alice), ABSENCE, asked(json!({}))).await.code(), "FORBIDDEN");
    for wrong in [json!({ "to": "2019-01-01T00:00:00Z" }), json!({ "category": "not a key!" })] {
        assert_eq!(app.post(Some(&shop), ABSENCE, asked(wrong)).await.code(), "BAD_USER_INPUT");
    }
    app.stop().await;
}
