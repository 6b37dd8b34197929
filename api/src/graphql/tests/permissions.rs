//! Every query and mutation against every kind of caller. A field that is added to the schema
//! without a line here fails the test.

use super::app::TestApp;
use crate::graphql::schema;
use axum::http::StatusCode;
use std::collections::BTreeSet;

/// A field, a use of it, and whether an administrator, a sender and a recipient may.
type Row = (&'static str, &'static str, [bool; 3]);

const ADMINISTRATOR: [bool; 3] = [true, false, false];
const SENDER: [bool; 3] = [false, true, false];
const RECIPIENT: [bool; 3] = [false, false, true];
const STAFF: [bool; 3] = [true, true, false];
const ALL: [bool; 3] = [true, true, true];

const MUTATIONS: &[Row] = &[
    ("sendNotification", r#"(input: {recipient: "alice", content: {body: "b"}}) { __typename }"#, SENDER),
    ("sendNotifications", r#"(input: {items: [{recipient: "alice", content: {body: "b"}}]}) { __typename }"#, SENDER),
    ("createAttachmentUpload", r#"(input: {fileName: "a.pdf", contentType: "application/pdf", bytes: 1}) { __typename }"#, SENDER),
    ("cancelNotification", r#"(input: {id: "x"}) { __typename }"#, STAFF),
    ("cancelNotifications", r#"(input: {query: {recipient: "alice"}}) { lookedAt }"#, STAFF),
    ("createSchedule", r#"(input: {recipient: "alice", terms: {trigger: {at: "2001-01-01T00:00:00Z"}, content: {body: "b"}}}) { __typename }"#, SENDER),
    ("changeSchedule", r#"(input: {id: "x", terms: {trigger: {at: "2001-01-01T00:00:00Z"}, content: {body: "b"}}}) { __typename }"#, SENDER),
    ("pauseSchedule", r#"(input: {id: "x"}) { __typename }"#, STAFF),
    ("resumeSchedule", r#"(input: {id: "x"}) { __typename }"#, STAFF),
    ("cancelSchedule", r#"(input: {id: "x"}) { __typename }"#, STAFF),
    ("suppressAddress", r#"(input: {of: {channel: EMAIL, address: "x@example.com"}}) { __typename }"#, ADMINISTRATOR),
    ("reinstateAddress", r#"(input: {of: {channel: EMAIL, address: "x@example.com"}, reason: "r"}) { __typename }"#, ADMINISTRATOR),
    ("saveTemplate", r#"(input: {key: "a", source: {name: "A", locales: []}}) { __typename }"#, STAFF),
    ("publishTemplate", r#"(key: "a") { __typename }"#, STAFF),
    ("rollBackTemplate", r#"(key: "a", toVersion: 1) { __typename }"#, STAFF),
    ("promoteVariant", r#"(key: "a", variant: "warm") { __typename }"#, STAFF),
    ("archiveTemplate", r#"(key: "a") { __typename }"#, STAFF),
    ("unarchiveTemplate", r#"(key: "a") { __typename }"#, STAFF),
    ("setTemplateAccess", r#"(key: "a", access: {}) { __typename }"#, ADMINISTRATOR),
    ("sendTemplateTest", r#"(input: {key: "a", recipient: "alice", channel: EMAIL}) { __typename }"#, STAFF),
    ("upsertRecipient", r#"(input: {id: "bob"}) { __typename }"#, STAFF),
    ("registerDevice", r#"(input: {recipient: "alice", channel: ANDROID_PUSH, token: "t"}) { __typename }"#, ALL),
    ("removeDevice", r#"(input: {recipient: "alice", device: "t"}) { __typename }"#, ALL),
    ("eraseRecipient", r#"(input: {recipient: "nobody"}) { __typename }"#, STAFF),
    ("mintRecipientToken", r#"(input: {recipient: "alice"}) { __typename }"#, STAFF),
    ("setSubscription", r#"(input: {recipient: "alice", scope: ALL, subscribed: true}) { __typename }"#, ALL),
    ("setQuietHours", r#"(input: {recipient: "alice", quietHours: []}) { __typename }"#, ALL),
    ("clearQuietHours", r#"(input: {recipient: "alice"}) { __typename }"#, ALL),
    ("setDoNotDisturb", r#"(input: {recipient: "alice"}) { __typename }"#, ALL),
    ("setPreferredChannels", r#"(input: {recipient: "alice", channels: []}) { __typename }"#, ALL),
    ("importConsents", "(input: {items: []}) { results { __typename } }", STAFF),
    ("markSeen", "(input: {ids: []}) { __typename }", RECIPIENT),
    ("markRead", "(input: {ids: []}) { __typename }", RECIPIENT),
    ("archive", "(input: {ids: []}) { __typename }", RECIPIENT),
    ("registerSender", r#"(input: {key: "bank", name: "Bank"}) { __typename }"#, ADMINISTRATOR),
    ("createApiKey", r#"(input: {name: "k", role: ADMINISTRATOR}) { __typename }"#, ADMINISTRATOR),
    ("revokeApiKey", r#"(input: {id: "x"}) { __typename }"#, ADMINISTRATOR),
    ("defineCategory", r#"(input: {key: "orders", name: "Orders"}) { __typename }"#, ADMINISTRATOR),
    ("redriveDeadLetters", "(input: {}) { count }", ADMINISTRATOR),
    ("discardDeadLetters", r#"(input: {reason: "old"}) { count }"#, ADMINISTRATOR),
    ("rebuildProjection", r#"(input: {name: "none"}) { name }"#, ADMINISTRATOR),
];

const QUERIES: &[Row] = &[
    ("notification", r#"(id: "x") { id }"#, ALL),
    ("notifications", r#"(recipient: "alice") { edges { cursor } }"#, ALL),
    ("missedNotifications", r#"(recipient: "alice") { edges { cursor } }"#, ALL),
    ("requestedNotifications", r#"(query: {recipient: "alice"}) { cursor }"#, STAFF),
    ("previewDecision", r#"(input: [{recipient: "alice", content: {body: "b"}}]) { __typename }"#, SENDER),
    ("schedule", r#"(id: "x") { id }"#, STAFF),
    ("schedules", "{ hasNextPage }", STAFF),
    ("suppressedAddresses", "{ id }", ADMINISTRATOR),
    ("preferences", r#"(recipient: "alice") { timeZone }"#, ALL),
    ("consentHistory", r#"(recipient: "alice") { cursor }"#, ALL),
    ("unreadCount", r#"(recipient: "alice")"#, [true, false, true]),
    ("recipient", r#"(id: "alice") { id }"#, ALL),
    ("preferenceLink", r#"(recipient: "alice") { __typename }"#, STAFF),
    ("subscription", r#"(recipient: "alice") { allOff }"#, ALL),
    ("categories", "{ key }", ALL),
    ("template", r#"(key: "a") { key }"#, STAFF),
    ("templates", "{ key }", STAFF),
    ("templateDiff", r#"(key: "a") { from }"#, STAFF),
    ("templateHistory", r#"(key: "a") { by }"#, STAFF),
    ("experimentResults", r#"(key: "a") { experiment }"#, STAFF),
    ("previewTemplate", r#"(input: {key: "a", channel: EMAIL}) { __typename }"#, STAFF),
    ("senders", "{ key }", ADMINISTRATOR),
    ("apiKeys", "{ id }", ADMINISTRATOR),
    ("deadLetters", "{ id }", ADMINISTRATOR),
    ("status", "{ version }", ADMINISTRATOR),
    ("reconciliation", r#"(day: "2026-11-21") { more }"#, ADMINISTRATOR),
    ("explain", r#"(notificationId: "x") { outcome }"#, STAFF),
    ("explainAbsence", r#"(recipientId: "alice", from: "2026-01-01T00:00:00Z") { sentence }"#, STAFF),
];

/// The names of a type's fields in the schema.
fn fields(of: &str) -> BTreeSet<String> {
    let sdl = schema::sdl();
    let start = format!("type {of} {{\n");
    let (_, rest) = sdl.split_once(&start).unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let mut described = false;
    body.lines()
        .filter_map(|line| {
            let line = line.strip_prefix('\t')?;
            if line == "\"\"\"" {
                described = !described;
                return None;
            }
            let name: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
            (!described && !name.is_empty()).then_some(name)
        })
        .collect()
}

#[test]
fn no_field_is_without_a_line() {
    assert_eq!(fields("LiveQuery"), BTreeSet::from(["notificationFeed".to_owned()]));
    for (kind, rows) in [("Mutation", MUTATIONS), ("Query", QUERIES)] {
        assert_eq!(fields(kind), rows.iter().map(|row| row.0.to_owned()).collect(), "{kind}");
    }
}

#[tokio::test]
async fn each_field_is_for_those_it_is_for() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    let callers = [("administrator", app.administrator.clone()), ("sender", shop), ("recipient", alice)];
    for (kind, rows) in [("query", QUERIES), ("mutation", MUTATIONS)] {
        for (field, usage, allowed) in rows {
            let query = format!("{kind} {{ {field}{usage} }}");
            let stranger = app.post(None, &query, serde_json::json!({})).await;
            assert_eq!((stranger.status, stranger.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{field} without a credential");
            for ((who, credential), allowed) in callers.iter().zip(allowed) {
                let answer = app.ask(credential, &query).await;
                if *allowed {
                    assert!(!matches!(answer.code(), "FORBIDDEN" | "UNAUTHENTICATED" | "INTERNAL"), "{field} by {who}: {}", answer.body);
                } else {
                    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{field} by {who}");
                }
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn who_may_not_changes_nothing() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    let credentials = [app.administrator.clone(), shop, alice];
    let before = app.head();
    for (field, usage, allowed) in MUTATIONS {
        for (credential, _) in credentials.iter().zip(allowed).filter(|(_, allowed)| !**allowed) {
            app.ask(credential, &format!("mutation {{ {field}{usage} }}")).await;
        }
        app.post(None, &format!("mutation {{ {field}{usage} }}"), serde_json::json!({})).await;
    }
    assert_eq!(app.head(), before);
    app.stop().await;
}

#[tokio::test]
async fn a_recipients_token_reaches_nobody_else() {
    let app = TestApp::start().await;
    let (alice, _) = (app.recipient("alice").await, app.recipient("bob").await);
    let before = app.head();
    for query in [
        r#"mutation { registerDevice(input: {recipient: "bob", channel: ANDROID_PUSH, token: "t"}) { __typename } }"#,
        r#"mutation { removeDevice(input: {recipient: "bob", device: "t"}) { __typename } }"#,
        r#"mutation { setSubscription(input: {recipient: "bob", scope: ALL, subscribed: false}) { __typename } }"#,
        r#"{ missedNotifications(recipient: "bob") { edges { cursor } } }"#,
        r#"{ unreadCount(recipient: "bob") }"#,
    ] {
        assert_eq!(app.ask(&alice, query).await.code(), "FORBIDDEN", "{query}");
    }
    assert_eq!(app.head(), before);
    app.stop().await;
}

#[tokio::test]
async fn the_live_feed_is_for_recipients() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    for credential in [&shop, &app.administrator] {
        let told = app.stream(credential, "subscription { notificationFeed { __typename } }").await;
        assert!(told.contains("FORBIDDEN"), "{told}");
    }
    app.stop().await;
}
