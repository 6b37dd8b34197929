//! Callers without a valid credential, or of another role, or of another sender.

use super::{JSON, Refusals, raw, registering};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{App, until};

#[tokio::test]
async fn nobody_gets_in_without_a_valid_key() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"] })).await?;
    let now = shop.notification(&sent.id).await?["events"][0]["at"].as_str().context("no moment")?.to_owned();
    let soon = (DateTime::parse_from_rfc3339(&now)? + TimeDelta::seconds(2)).to_rfc3339();
    let short = app.key(json!({ "name": "short", "role": "SENDER", "sender": "shop", "expiresAt": soon })).await?;
    let input = json!({ "name": "revoked", "role": "SENDER", "sender": "shop" });
    let made = app.admin.mutate("createApiKey", "CreateApiKeyInput", "... on ApiKeyCreated { secret apiKey { id } }", input).await?;
    let revoked = shop.with(made["secret"].as_str().context("no secret")?);
    let phone = shop
        .mutate("mintRecipientToken", "MintRecipientTokenInput", "... on RecipientToken { token }", json!({ "recipient": "alice", "ttlSeconds": 1 }))
        .await?;
    let phone = shop.with(phone["token"].as_str().context("no token")?);
    // Used once, so that the server has it at hand when it is revoked.
    revoked.query("{ categories { key } }", json!({})).await?;
    app.admin.mutate("revokeApiKey", "RevokeApiKeyInput", "", json!({ "id": made["apiKey"]["id"] })).await?;
    for client in [&short, &phone] {
        until("the credential has expired", async || Ok((client.ask("{ categories { key } }", json!({})).await?.status == 401).then_some(()))).await?;
    }

    let mut refusals = Refusals::begin(&app).await?;
    let other_letter = |text: &str| {
        let mut text = text.to_owned();
        let end = text.pop();
        text.push(if end == Some('a') { 'b' } else { 'a' });
        text
    };
    let valid = shop.credential();
    let forged = [
        String::new(),
        "garbage".to_owned(),
        "x".repeat(5_000),
        other_letter(valid),
        valid[..valid.len() - 1].to_owned(),
        format!("{valid}a"),
        valid.to_uppercase(),
        other_letter(phone.credential()),
        "' OR 1=1 --".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.".to_owned(),
    ];
    for credential in forged {
        let client = shop.with(&credential);
        for query in ["{ categories { key } }", "{ __schema { types { name } } }", "{ noSuchField }"] {
            let answer = client.ask(query, json!({})).await?;
            refusals.note(&format!("{credential:.20} {query}"), &answer.body, "UNAUTHENTICATED");
            assert_eq!(answer.status, 401, "{credential:.20} {query}");
        }
        let input = json!({ "recipient": "alice", "content": { "body": "Hello" } });
        refusals.mutation(&client, "sendNotification", input, "UNAUTHENTICATED").await?;
    }
    let none = || -> Result<RequestBuilder> { Ok(raw(&app.admin, Method::POST, "")?.header(CONTENT_TYPE, JSON).body(registering())) };
    refusals.request("no credential", none()?, 401, "UNAUTHENTICATED").await?;
    refusals.request("another scheme", none()?.header("authorization", "Basic YTpi"), 401, "UNAUTHENTICATED").await?;
    for client in [&short, &revoked] {
        let input = json!({ "recipient": "alice", "content": { "body": "Hello" } });
        refusals.mutation(client, "sendNotification", input, "KEY_REVOKED").await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn nobody_does_what_is_for_another_role() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    app.recipient(&shop, "bob").await?;
    let phone = shop.as_recipient("alice").await?;
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": "orders", "name": "Orders" })).await?;
    let scoped = app.key(json!({ "name": "scoped", "role": "SENDER", "sender": "shop", "categories": ["orders"] })).await?;
    let mut refusals = Refusals::begin(&app).await?;
    let send = json!({ "recipient": "alice", "content": { "body": "Hello" } });
    let administration = [
        ("registerSender", json!({ "key": "intruder", "name": "Intruder" })),
        ("createApiKey", json!({ "name": "mine", "role": "ADMINISTRATOR" })),
        ("revokeApiKey", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" })),
        ("defineCategory", json!({ "key": "mine", "name": "Mine" })),
    ];
    for (field, input) in administration {
        for client in [&shop, &phone] {
            refusals.mutation(client, field, input.clone(), "FORBIDDEN").await?;
        }
    }
    let documents = [
        "mutation { redriveDeadLetters(input: {}) { count } }",
        r#"mutation { discardDeadLetters(input: { reason: "x" }) { count } }"#,
        r#"mutation { rebuildProjection(input: { name: "registry" }) { name } }"#,
        "{ apiKeys { name } }",
        "{ senders { key } }",
        "{ deadLetters { id } }",
        r#"{ unreadCount(recipient: "bob") }"#,
    ];
    for query in documents {
        for client in [&shop, &phone] {
            refusals.document(client, query, "FORBIDDEN").await?;
        }
    }
    for client in [&app.admin, &phone] {
        refusals.mutation(client, "sendNotification", send.clone(), "FORBIDDEN").await?;
        refusals.mutation(client, "sendNotifications", json!({ "items": [send] }), "FORBIDDEN").await?;
    }
    for client in [&app.admin, &shop] {
        for field in ["markSeen", "markRead", "archive"] {
            let query = format!("mutation {{ {field}(input: {{ ids: [] }}) {{ position }} }}");
            refusals.document(client, &query, "FORBIDDEN").await?;
        }
    }
    let staff = [
        ("upsertRecipient", json!({ "id": "alice", "email": "eve@example.com" })),
        ("eraseRecipient", json!({ "recipient": "bob" })),
        ("mintRecipientToken", json!({ "recipient": "bob" })),
        ("cancelNotification", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" })),
        ("setSubscription", json!({ "recipient": "bob", "scope": "ALL", "subscribed": false })),
        ("registerDevice", json!({ "recipient": "bob", "channel": "ANDROID_PUSH", "token": "eve" })),
        ("removeDevice", json!({ "recipient": "bob", "device": "android:bob" })),
    ];
    for (field, input) in staff {
        refusals.mutation(&phone, field, input, "FORBIDDEN").await?;
    }
    for query in [
        r#"{ notifications(recipient: "bob") { edges { cursor } } }"#,
        r#"{ recipient(id: "bob") { id } }"#,
        r#"{ subscription(recipient: "bob") { allOff } }"#,
    ] {
        refusals.document(&phone, query, "FORBIDDEN").await?;
    }
    refusals.mutation(&scoped, "sendNotification", send.clone(), "CATEGORY_FORBIDDEN").await?;
    refusals.mutation(&scoped, "sendNotifications", json!({ "items": [send] }), "CATEGORY_FORBIDDEN").await?;
    refusals.end().await?;
    scoped.send("alice", json!({ "category": "orders", "channels": ["IN_APP"] })).await?;
    Ok(())
}

#[tokio::test]
async fn another_senders_notification_is_as_if_it_were_not_there() -> Result<()> {
    let app = App::start().await?;
    let (shop, game) = (app.sender("shop").await?, app.sender("game").await?);
    app.recipient(&shop, "alice").await?;
    app.recipient(&shop, "bob").await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"], "idempotencyKey": "order-1" })).await?;
    let bob = shop.as_recipient("bob").await?;
    let head = app.admin.head().await?;
    let absent = "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23";
    for client in [&game, &bob] {
        assert_eq!(client.notification(&sent.id).await?, Value::Null);
        assert_eq!(client.notification(absent).await?, Value::Null);
    }
    let cancel = async |id: &str| game.attempt("cancelNotification", "CancelNotificationInput", "", json!({ "id": id })).await;
    assert_eq!(cancel(&sent.id).await?, cancel(absent).await?, "the answer does not tell which of them exists");
    let list = format!(r#"{{ notifications(recipient: "alice", atLeastPosition: "{}") {{ edges {{ node {{ id }} }} }} }}"#, sent.position);
    assert_eq!(game.query(&list, json!({})).await?["notifications"]["edges"], json!([]));
    let marking = format!(r#"mutation {{ markRead(input: {{ ids: ["{}"] }}) {{ notifications {{ id }} }} }}"#, sent.id);
    assert_eq!(bob.query(&marking, json!({})).await?["markRead"]["notifications"], json!([]));
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}
