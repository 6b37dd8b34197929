//! A sandbox key rehearses: what would reach real people is refused.

use super::app::TestApp;

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
        r#"setSubscription(input: {recipient: "alice", scope: CHANNEL, channel: EMAIL, subscribed: true}) { __typename }"#,
    ] {
        let answer = app.ask(&rehearsal, &format!("mutation {{ {mutation} }}")).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{mutation}: {}", answer.body);
        assert!(answer.body.to_string().contains("live key"), "{}", answer.body);
    }
    assert_eq!(app.head(), head, "nothing is in the log");
    app.send(&rehearsal, "alice", "a rehearsal").await;
    app.stop().await;
}
