//! What well-formed requests say that cannot be.

use super::Refusals;
use anyhow::Result;
use serde_json::{Value, json};
use tests::App;

#[tokio::test]
async fn bad_notifications_are_refused_with_their_reason() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let content = |extra: Value| {
        let mut content = json!({ "title": "Hello", "body": "How are you?" });
        if let (Some(content), Some(extra)) = (content.as_object_mut(), extra.as_object()) {
            content.extend(extra.clone());
        }
        json!({ "content": content })
    };
    let cases = [
        (content(json!({ "body": "x".repeat(1_000_001) })), "TOO_LARGE"),
        (content(json!({ "body": "x".repeat(600_000), "html": "y".repeat(600_000) })), "TOO_LARGE"),
        (content(json!({ "body": "" })), "CONTENT_INVALID"),
        (content(json!({ "body": " \n\t" })), "CONTENT_INVALID"),
        (content(json!({ "body": "a\u{0}b" })), "CONTENT_INVALID"),
        (content(json!({ "html": "a\u{0}b" })), "CONTENT_INVALID"),
        (content(json!({ "title": "Hello\r\nBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\nBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\rBcc: eve@example.com" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\u{85}there" })), "INVALID_HEADER"),
        (content(json!({ "title": "Hello\u{0}" })), "INVALID_HEADER"),
        (content(json!({ "collapseKey": "a\r\napns-topic: other" })), "CONTENT_INVALID"),
        (content(json!({ "collapseKey": "k".repeat(65) })), "CONTENT_INVALID"),
        (content(json!({ "collapseKey": "" })), "CONTENT_INVALID"),
        (content(json!({ "data": "[1, 2]" })), "CONTENT_INVALID"),
        (content(json!({ "data": "{\"a\":" })), "CONTENT_INVALID"),
        (content(json!({ "data": "{} {}" })), "CONTENT_INVALID"),
        (content(json!({ "data": format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32)) })), "TOO_DEEP"),
        (json!({ "metadata": format!("{}1{}", "{\"a\":".repeat(9_000), "}".repeat(9_000)) }), "TOO_DEEP"),
        (json!({ "metadata": "no JSON" }), "CONTENT_INVALID"),
        (json!({ "metadata": "\"text\"" }), "CONTENT_INVALID"),
        (json!({ "idempotencyKey": "" }), "IDEMPOTENCY_KEY_INVALID"),
        (json!({ "idempotencyKey": "k".repeat(256) }), "IDEMPOTENCY_KEY_INVALID"),
        (json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "'; DROP TABLE events; --" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "a".repeat(100_000) }), "RECIPIENT_NOT_FOUND"),
        (json!({ "category": "no-such" }), "CATEGORY_NOT_FOUND"),
        (json!({ "category": "../../etc/passwd" }), "CATEGORY_NOT_FOUND"),
        (json!({ "category": "" }), "CATEGORY_NOT_FOUND"),
        (json!({ "channels": [] }), "NO_CHANNELS"),
        (json!({ "channels": ["PIGEON"] }), "BAD_USER_INPUT"),
        (json!({ "channels": [null] }), "BAD_USER_INPUT"),
        (json!({ "priority": "URGENT" }), "BAD_USER_INPUT"),
        (json!({ "priority": 1 }), "BAD_USER_INPUT"),
        (json!({ "content": null }), "CONTENT_INVALID"),
        (json!({ "content": "text" }), "BAD_USER_INPUT"),
        (json!({ "noSuchField": 1 }), "BAD_USER_INPUT"),
        (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "EXPIRED"),
        (json!({ "expiresAt": "tomorrow" }), "BAD_USER_INPUT"),
        (json!({ "expiresAt": 5 }), "BAD_USER_INPUT"),
    ];
    for (extra, expected) in cases {
        let mut input = json!({ "recipient": "alice", "content": { "title": "Hello", "body": "How are you?" } });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        refusals.mutation(&shop, "sendNotification", input.clone(), expected).await?;
        refusals.mutation(&shop, "sendNotifications", json!({ "items": [input] }), expected).await?;
    }
    let plain = json!({ "recipient": "alice", "content": { "body": "Hello" } });
    refusals.mutation(&shop, "sendNotifications", json!({ "items": vec![plain; 1_001] }), "LIST_TOO_LONG").await?;
    for id in ["", "nonsense", "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23", "' OR 1=1"] {
        refusals.mutation(&shop, "cancelNotification", json!({ "id": id }), "NOT_FOUND").await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn bad_recipients_are_refused_with_their_reason() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let emails = [
        "",
        "alice",
        "alice@",
        "@example.com",
        "alice@localhost",
        "alice@exa mple.com",
        "Alice <alice@example.com>",
        "alice@example.com, bob@example.com",
        "alice@example.com\r\nBcc: eve@example.com",
        "alice\r\n@example.com",
        "alice@example.com\u{0}",
        "alice@[127.0.0.1]",
    ];
    for email in emails {
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "email": email }), "INVALID_EMAIL").await?;
    }
    let many: Vec<String> = (0..500).map(|number| format!("a{number}@example.com")).collect();
    let cases = [
        (json!({ "email": many.join(",") }), "INVALID_EMAIL"),
        (json!({ "email": format!("{}@example.com", "a".repeat(300)) }), "INVALID_EMAIL"),
        (json!({ "email": 5 }), "BAD_USER_INPUT"),
        (json!({ "id": "" }), "INVALID_ID"),
        (json!({ "id": "a".repeat(256) }), "INVALID_ID"),
        (json!({ "id": "bob\r\neve" }), "INVALID_ID"),
        (json!({ "timeZone": "Mars/Olympus_Mons" }), "INVALID_TIME_ZONE"),
        (json!({ "timeZone": "+09:00" }), "INVALID_TIME_ZONE"),
        (json!({ "timeZone": "../../etc/localtime" }), "INVALID_TIME_ZONE"),
        (json!({ "locale": "Korean please" }), "INVALID_LOCALE"),
        (json!({ "locale": "" }), "INVALID_LOCALE"),
        (json!({ "attributes": "[]" }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": "{" }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": format!("{{\"a\":\"{}\"}}", "x".repeat(20_000)) }), "INVALID_ATTRIBUTES"),
        (json!({ "attributes": format!("{{\"a\":{}{}}}", "[".repeat(8_000), "]".repeat(8_000)) }), "TOO_DEEP"),
    ];
    for (extra, expected) in cases {
        let mut input = json!({ "id": "alice" });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        refusals.mutation(&shop, "upsertRecipient", input, expected).await?;
    }
    let device = |channel: &str, token: &str| json!({ "recipient": "alice", "channel": channel, "token": token });
    let cases = [
        (device("IOS_PUSH", "zz"), "INVALID_TOKEN"),
        (device("IOS_PUSH", &"a".repeat(63)), "INVALID_TOKEN"),
        (device("IOS_PUSH", &"a".repeat(202)), "INVALID_TOKEN"),
        (device("IOS_PUSH", &format!("{}/../x", "a".repeat(64))), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", ""), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", "with space"), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", "token\r\nx-header: y"), "INVALID_TOKEN"),
        (device("ANDROID_PUSH", &"a".repeat(4_097)), "INVALID_TOKEN"),
        (device("EMAIL", "alice@example.com"), "NOT_A_DEVICE_CHANNEL"),
        (device("PIGEON", "x"), "BAD_USER_INPUT"),
        (json!({ "recipient": "nobody", "channel": "ANDROID_PUSH", "token": "x" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "channel": "ANDROID_PUSH", "token": "x" }), "BAD_USER_INPUT"),
    ];
    for (input, expected) in cases {
        refusals.mutation(&shop, "registerDevice", input, expected).await?;
    }
    refusals.mutation(&shop, "removeDevice", json!({ "recipient": "alice", "device": "no-such" }), "NOT_FOUND").await?;
    refusals.mutation(&shop, "eraseRecipient", json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND").await?;
    for (input, expected) in [
        (json!({ "recipient": "nobody" }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "alice", "ttlSeconds": 0 }), "INVALID_TTL"),
        (json!({ "recipient": "alice", "ttlSeconds": 86_401 }), "INVALID_TTL"),
    ] {
        refusals.mutation(&shop, "mintRecipientToken", input, expected).await?;
    }
    for (input, expected) in [
        (json!({ "recipient": "nobody", "scope": "ALL", "subscribed": false }), "RECIPIENT_NOT_FOUND"),
        (json!({ "recipient": "alice", "scope": "CHANNEL", "subscribed": false }), "SCOPE_INVALID"),
        (json!({ "recipient": "alice", "scope": "ALL", "channel": "EMAIL", "subscribed": false }), "SCOPE_INVALID"),
        (json!({ "recipient": "alice", "scope": "CATEGORY", "category": "no-such", "subscribed": false }), "CATEGORY_NOT_FOUND"),
    ] {
        refusals.mutation(&shop, "setSubscription", input, expected).await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn webhooks_reach_no_private_address_and_no_metadata() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let secret = app.simulators.webhook_secret().await?;
    let mut refusals = Refusals::begin(&app).await?;
    // Only this machine's own addresses are allowed to scenarios.
    let blocked = [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1:8080/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
    ];
    let malformed = [
        "",
        "no URL",
        "/relative",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:25/",
        "https://example.com:22/",
        "https://",
    ];
    let cases = blocked.into_iter().map(|url| (url, "DESTINATION_BLOCKED")).chain(malformed.into_iter().map(|url| (url, "INVALID_URL")));
    for (url, expected) in cases {
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "webhook": { "url": url, "secret": secret } }), expected).await?;
    }
    for secret in ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, but long enough for it"] {
        let webhook = json!({ "url": "https://example.com/hook", "secret": secret });
        refusals.mutation(&shop, "upsertRecipient", json!({ "id": "alice", "webhook": webhook }), "INVALID_SECRET").await?;
    }
    refusals.end().await
}

#[tokio::test]
async fn bad_administration_is_refused_with_its_reason() -> Result<()> {
    let app = App::start().await?;
    app.sender("shop").await?;
    let mut refusals = Refusals::begin(&app).await?;
    let long = "n".repeat(1_000);
    let cases = [
        ("registerSender", json!({ "key": "Not A Key", "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "", "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "k".repeat(300), "name": "x" }), "INVALID_KEY"),
        ("registerSender", json!({ "key": "other", "name": "" }), "INVALID_NAME"),
        ("registerSender", json!({ "key": "other", "name": "line\nbreak" }), "INVALID_NAME"),
        ("registerSender", json!({ "key": "other", "name": long }), "INVALID_NAME"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER", "sender": "nobody" }), "SENDER_NOT_FOUND"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER" }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "sender": "shop" }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "sandbox": true }), "ROLE_INVALID"),
        ("createApiKey", json!({ "name": "x", "role": "GOD" }), "BAD_USER_INPUT"),
        ("createApiKey", json!({ "name": "", "role": "ADMINISTRATOR" }), "INVALID_NAME"),
        ("createApiKey", json!({ "name": "x", "role": "SENDER", "sender": "shop", "categories": ["no-such"] }), "CATEGORY_NOT_FOUND"),
        ("createApiKey", json!({ "name": "x", "role": "ADMINISTRATOR", "expiresAt": "2020-01-01T00:00:00Z" }), "EXPIRED"),
        ("revokeApiKey", json!({ "id": "nonsense" }), "NOT_FOUND"),
        ("revokeApiKey", json!({ "id": "01a1fd5e-fc4f-70b8-9664-80ef0c2d0b23" }), "NOT_FOUND"),
        ("defineCategory", json!({ "key": "Not A Key", "name": "x" }), "INVALID_KEY"),
        ("defineCategory", json!({ "key": "other", "name": "" }), "INVALID_CATEGORY"),
        ("defineCategory", json!({ "key": "other", "name": "x", "defaultChannels": [] }), "INVALID_CATEGORY"),
        ("defineCategory", json!({ "key": "other", "name": "x", "description": "d".repeat(1_001) }), "INVALID_CATEGORY"),
    ];
    for (field, input, expected) in cases {
        refusals.mutation(&app.admin, field, input, expected).await?;
    }
    let documents = [
        (r#"mutation { discardDeadLetters(input: { reason: " " }) { count } }"#, "BAD_USER_INPUT"),
        (r#"mutation { discardDeadLetters(input: { reason: "x", ids: ["nonsense"] }) { count } }"#, "BAD_USER_INPUT"),
        ("mutation { redriveDeadLetters(input: { limit: 0 }) { count } }", "BAD_USER_INPUT"),
        ("mutation { redriveDeadLetters(input: { limit: 100000 }) { count } }", "BAD_USER_INPUT"),
        (r#"mutation { rebuildProjection(input: { name: "../log" }) { name } }"#, "NOT_FOUND"),
    ];
    for (query, expected) in documents {
        refusals.document(&app.admin, query, expected).await?;
    }
    refusals.end().await
}
