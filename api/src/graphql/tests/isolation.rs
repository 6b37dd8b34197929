//! What one sender, recipient or sandbox must not see of another (threats, row 10).

use super::app::TestApp;
use crate::graphql::position::Position;
use serde_json::{Value, json};

fn ids(connection: &Value) -> Vec<&str> {
    connection["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_sender_lists_its_own_notifications_only() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    let rehearsal = app.sender("shop", "sandbox: true").await;
    let alice = app.recipient("alice").await;
    let (first, _) = app.send(&shop, "alice", "paid").await;
    let (secret, _) = app.send(&bank, "alice", "overdrawn").await;
    let (last, position) = app.send(&shop, "alice", "sent").await;

    for field in ["notifications", "missedNotifications"] {
        let of = |with: &str| {
            format!(r#"{{ {field}({with} atLeastPosition: "{position}") {{ edges {{ cursor node {{ id status }} }} pageInfo {{ hasNextPage }} }} }}"#)
        };
        let named = of(r#"recipient: "alice","#);
        let expected = |mut wanted: Vec<String>| {
            if field == "notifications" {
                wanted.reverse();
            }
            wanted
        };
        let answer = app.ask(&shop, &named).await;
        assert_eq!(ids(&answer.data()[field]), expected(vec![first.clone(), last.clone()]), "{field}");
        assert!(ids(&app.ask(&rehearsal, &named).await.data()[field]).is_empty(), "{field}");
        let answer = app.ask(&bank, &named).await;
        assert_eq!(ids(&answer.data()[field]), [secret.as_str()], "{field}");
        for everything in [app.ask(&app.administrator, &named).await, app.ask(&alice, &of("")).await] {
            assert_eq!(ids(&everything.data()[field]), expected(vec![first.clone(), secret.clone(), last.clone()]), "{field}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn pages_of_a_sender_reach_every_one_of_its_own_once() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    app.recipient("alice").await;
    let mut own = Vec::new();
    let mut position = String::new();
    for n in 0..24 {
        let key = if n % 8 == 0 { &shop } else { &bank };
        let (id, at) = app.send(key, "alice", "hello").await;
        position = at;
        if n % 8 == 0 {
            own.push(id);
        }
    }
    let mut found: Vec<String> = Vec::new();
    let mut after = String::new();
    loop {
        let query = format!(
            r#"{{ missedNotifications(recipient: "alice", first: 1, {after} atLeastPosition: "{position}") {{ edges {{ node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"#
        );
        let answer = app.ask(&shop, &query).await;
        let page = &answer.data()["missedNotifications"];
        found.extend(ids(page).into_iter().map(str::to_owned));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(r#"after: "{}","#, page["pageInfo"]["endCursor"].as_str().unwrap());
    }
    assert_eq!(found, own);
    app.stop().await;
}

#[tokio::test]
async fn a_sender_among_many_of_another_comes_to_its_own_page_by_page() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    app.recipient("alice").await;
    let (own, _) = app.send(&shop, "alice", "paid").await;
    let items: Vec<Value> = (0..1_000).map(|_| json!({ "recipient": "alice", "channels": ["IN_APP"], "content": { "body": "b" } })).collect();
    let list = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results { __typename } } }";
    for _ in 0..5 {
        app.post(Some(&bank), list, json!({ "input": { "items": items } })).await.data();
    }
    let head = Position(app.head()).encode();
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let query = format!(
            r#"{{ notifications(recipient: "alice", first: 10, {after} atLeastPosition: "{head}") {{ edges {{ node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"#
        );
        let answer = app.ask(&shop, &query).await;
        let page = &answer.data()["notifications"];
        found.extend(ids(page).into_iter().map(str::to_owned));
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(r#"after: "{}","#, page["pageInfo"]["endCursor"].as_str().unwrap());
    }
    assert_eq!(found, [own]);
    assert_eq!(pages, 2, "one request looks at a bounded number of rows");
    app.stop().await;
}

#[tokio::test]
async fn unread_counts_are_for_the_recipient_and_administrators() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    let alice = app.recipient("alice").await;
    let (_, position) = app.send(&bank, "alice", "overdrawn").await;
    let named = format!(r#"{{ unreadCount(recipient: "alice", atLeastPosition: "{position}") }}"#);
    assert_eq!(app.ask(&shop, &named).await.code(), "FORBIDDEN");
    assert_eq!(app.ask(&app.administrator, &named).await.data()["unreadCount"], 1);
    assert_eq!(app.ask(&alice, &format!(r#"{{ unreadCount(atLeastPosition: "{position}") }}"#)).await.data()["unreadCount"], 1);
    app.stop().await;
}

#[tokio::test]
async fn what_is_anothers_is_as_if_it_were_not_there() {
    let app = TestApp::start().await;
    let (shop, bank) = (app.sender("shop", "").await, app.sender("bank", "").await);
    let rehearsal = app.sender("bank", "sandbox: true").await;
    let (alice, bob) = (app.recipient("alice").await, app.recipient("bob").await);
    let (id, _) = app.send(&bank, "alice", "overdrawn").await;

    let read = format!(r#"{{ notification(id: "{id}") {{ id }} }}"#);
    let absent = r#"{ notification(id: "019a0000-0000-7000-8000-000000000000") { id } }"#;
    for credential in [&shop, &rehearsal, &bob] {
        assert_eq!(app.ask(credential, &read).await.body, app.ask(credential, absent).await.body);
    }
    for credential in [&bank, &alice, &app.administrator] {
        assert_eq!(app.ask(credential, &read).await.data()["notification"]["id"], id.as_str());
    }

    let cancel = format!(r#"mutation {{ cancelNotification(input: {{id: "{id}"}}) {{ ... on Problem {{ code }} }} }}"#);
    let mark = format!(r#"mutation {{ markRead(input: {{ids: ["{id}"]}}) {{ notifications {{ id }} }} }}"#);
    let head = app.head();
    for credential in [&shop, &rehearsal] {
        assert_eq!(app.ask(credential, &cancel).await.data()["cancelNotification"]["code"], "NOT_FOUND");
    }
    assert!(app.ask(&bob, &mark).await.data()["markRead"]["notifications"].as_array().unwrap().is_empty());
    for query in [
        r#"{ notifications(recipient: "alice") { edges { cursor } } }"#,
        r#"{ recipient(id: "alice") { id } }"#,
        r#"{ subscription(recipient: "alice") { allOff } }"#,
    ] {
        assert_eq!(app.ask(&bob, query).await.code(), "FORBIDDEN", "{query}");
    }
    assert_eq!(app.head(), head, "nothing of it reached the log");
    app.stop().await;
}

#[tokio::test]
async fn the_recipient_sees_what_was_sent_but_not_its_inside() {
    let app = TestApp::start().await;
    let shop = app.sender("shop", "").await;
    let alice = app.recipient("alice").await;
    let query = r#"mutation { sendNotification(input: {recipient: "alice", channels: [IN_APP], metadata: "{\"margin\":3}", content: {body: "paid"}}) { ... on SendAccepted { notification { id } } } }"#;
    let answer = app.ask(&shop, query).await;
    let id = answer.data()["sendNotification"]["notification"]["id"].as_str().unwrap();

    let open = format!(r#"{{ notification(id: "{id}") {{ content {{ body }} metadata }} }}"#);
    let seen = app.ask(&alice, &open).await;
    assert_eq!(seen.data()["notification"]["content"]["body"], "paid");
    assert!(seen.data()["notification"]["metadata"].is_null());
    assert_eq!(app.ask(&shop, &open).await.data()["notification"]["metadata"], r#"{"margin":3}"#);

    let events = format!(r#"{{ notification(id: "{id}") {{ events {{ type payload }} }} }}"#);
    assert_eq!(app.ask(&alice, &events).await.code(), "FORBIDDEN");
    let told = app.ask(&shop, &events).await;
    assert_eq!(told.data()["notification"]["events"][0]["type"], "Requested");
    assert!(!told.body.to_string().contains("paid"), "events hold no content");
    app.stop().await;
}
