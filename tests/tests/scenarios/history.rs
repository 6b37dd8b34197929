//! What a recipient's app sees of its history, and what nobody else sees of it.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client, until};

/// A position that no log of a test comes to: positions are opaque, so it is spelled as given out.
const FAR_AHEAD: &str = "cDEwMDAwMDA";

const PAGE: &str = "edges { cursor node { id recipient content { body } seen read archived } } pageInfo { hasNextPage endCursor }";

/// Ids of a page, in its order.
fn ids(page: &Value) -> Vec<String> {
    page["edges"].as_array().into_iter().flatten().filter_map(|edge| edge["node"]["id"].as_str()).map(ToOwned::to_owned).collect()
}

/// A page of `notifications` or `missedNotifications`.
async fn page(client: &Client, field: &str, arguments: &str) -> Result<Value> {
    Ok(client.query(&format!("{{ {field}({arguments}) {{ {PAGE} }} }}"), json!({})).await?[field].clone())
}

/// Every id of a list, a page of `first` at a time.
async fn every_page(client: &Client, field: &str, first: usize, position: &str) -> Result<Vec<Vec<String>>> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(client, field, &format!(r#"first: {first}, {after} atLeastPosition: "{position}""#)).await?;
        pages.push(ids(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            return Ok(pages);
        }
        after = format!(r#"after: "{}","#, page["pageInfo"]["endCursor"].as_str().context("a page with more after it has no end")?);
    }
}

/// A notification for the history alone: no provider has a part in these scenarios.
async fn tell(by: &Client, recipient: &str, body: &str) -> Result<tests::client::Sent> {
    by.send(recipient, json!({ "channels": ["IN_APP"], "content": { "body": body } })).await
}

async fn unread(client: &Client, position: &str) -> Result<i64> {
    let data = client.query(&format!(r#"{{ unreadCount(atLeastPosition: "{position}") }}"#), json!({})).await?;
    data["unreadCount"].as_i64().context("no count")
}

/// Marks and gives the position from which on queries show it.
async fn mark(client: &Client, field: &str, ids: &[&str]) -> Result<String> {
    let query = format!("mutation($input: MarkInput!) {{ {field}(input: $input) {{ notifications {{ id }} position }} }}");
    let data = client.query(&query, json!({ "input": { "ids": ids } })).await?;
    data[field]["position"].as_str().map(ToOwned::to_owned).context("no position")
}

#[tokio::test]
async fn a_recipients_token_shows_its_own_notifications_and_nobody_elses() -> Result<()> {
    let app = App::start().await?;
    let (shop, bank) = (app.sender("shop").await?, app.sender("bank").await?);
    for id in ["alice", "bob"] {
        app.recipient(&shop, id).await?;
    }
    let for_alice = tell(&shop, "alice", "for alice").await?;
    let for_bob = tell(&shop, "bob", "for bob").await?;
    let (alice, bob) = (shop.as_recipient("alice").await?, shop.as_recipient("bob").await?);

    for (client, own, other) in [(&alice, &for_alice, &for_bob), (&bob, &for_bob, &for_alice)] {
        for field in ["notifications", "missedNotifications"] {
            assert_eq!(ids(&page(client, field, &format!(r#"atLeastPosition: "{}""#, for_bob.position)).await?), std::slice::from_ref(&own.id));
        }
        let one = "query($id: ID!) { notification(id: $id) { content { body } } }";
        assert!(client.query(one, json!({ "id": own.id })).await?["notification"]["content"]["body"].is_string());
        let not_own = client.ask(one, json!({ "id": other.id })).await?;
        let absent = client.ask(one, json!({ "id": "0198c0de-0000-7000-8000-000000000001" })).await?;
        assert_eq!(not_own.body, absent.body, "another's notification answers as one that never was");
    }
    // Naming somebody else does not widen what a token shows.
    let named = alice.ask(r#"{ notifications(recipient: "bob") { edges { node { id } } } }"#, json!({})).await?;
    assert!(!named.body.to_string().contains(&for_bob.id), "{}", named.body);
    // Nor does another sender's key, although it may name any recipient.
    for field in ["notifications", "missedNotifications"] {
        let seen = page(&bank, field, &format!(r#"recipient: "alice", atLeastPosition: "{}""#, for_bob.position)).await?;
        assert_eq!(ids(&seen), Vec::<String>::new());
    }
    assert_eq!(bank.notification(&for_alice.id).await?, Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_recipient_cannot_mark_what_is_anothers() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    for id in ["alice", "bob"] {
        app.recipient(&shop, id).await?;
    }
    let for_alice = tell(&shop, "alice", "for alice").await?;
    let (alice, bob) = (shop.as_recipient("alice").await?, shop.as_recipient("bob").await?);
    let head = app.admin.head().await?;
    let data =
        bob.query("mutation($input: MarkInput!) { markRead(input: $input) { notifications { id } } }", json!({ "input": { "ids": [for_alice.id] } })).await?;
    assert_eq!(data["markRead"]["notifications"], json!([]));
    assert_eq!(app.admin.head().await?, head, "nothing was recorded");
    assert_eq!(unread(&alice, &for_alice.position).await?, 1);
    Ok(())
}

#[tokio::test]
async fn pages_go_backwards_for_a_history_and_forwards_for_what_was_missed_each_one_once() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut sent = Vec::new();
    for n in 0..23 {
        sent.push(tell(&shop, "alice", &format!("number {n}")).await?);
    }
    let oldest_first: Vec<String> = sent.iter().map(|sent| sent.id.clone()).collect();
    let newest_first: Vec<String> = oldest_first.iter().rev().cloned().collect();
    let position = &sent.last().context("none sent")?.position;
    let alice = shop.as_recipient("alice").await?;

    let pages = every_page(&alice, "notifications", 5, position).await?;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
    assert_eq!(pages.concat(), newest_first);
    for first in [1, 7, 23, 100] {
        assert_eq!(every_page(&alice, "missedNotifications", first, position).await?.concat(), oldest_first, "pages of {first}");
    }
    // A client that was away goes on from the last one it has.
    let all = page(&alice, "missedNotifications", "first: 100").await?;
    let cursor = all["edges"][9]["cursor"].as_str().context("no cursor")?;
    assert_eq!(ids(&page(&alice, "missedNotifications", &format!(r#"after: "{cursor}""#)).await?), oldest_first[10..]);
    // What arrives between two pages neither repeats nor hides anything.
    let first = page(&alice, "notifications", "first: 10").await?;
    let later = tell(&shop, "alice", "in between").await?;
    let end = first["pageInfo"]["endCursor"].as_str().context("no end")?;
    let rest = page(&alice, "notifications", &format!(r#"first: 100, after: "{end}", atLeastPosition: "{}""#, later.position)).await?;
    assert_eq!([ids(&first), ids(&rest)].concat(), newest_first);
    Ok(())
}

#[tokio::test]
async fn marks_are_read_back_at_once_and_counted() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(tell(&shop, "alice", &format!("number {n}")).await?);
    }
    let alice = shop.as_recipient("alice").await?;
    let id = |n: usize| sent[n].id.as_str();
    assert_eq!(unread(&alice, &sent[3].position).await?, 4);

    let seen = mark(&alice, "markSeen", &[id(0), id(1)]).await?;
    assert_eq!(unread(&alice, &seen).await?, 4, "seen is not read");
    let read = mark(&alice, "markRead", &[id(1)]).await?;
    assert_eq!(unread(&alice, &read).await?, 3);
    let archived = mark(&alice, "archive", &[id(2)]).await?;
    assert_eq!(unread(&alice, &archived).await?, 2);

    let at = format!(r#"atLeastPosition: "{archived}""#);
    assert_eq!(ids(&page(&alice, "notifications", &at).await?), [id(3), id(1), id(0)], "what is put away is not shown");
    assert_eq!(ids(&page(&alice, "notifications", &format!("unreadOnly: true, {at}")).await?), [id(3), id(0)]);
    let everything = page(&alice, "notifications", &format!("includeArchived: true, {at}")).await?;
    let marks: Vec<_> = everything["edges"].as_array().context("no edges")?.iter().map(|edge| (&edge["node"]["read"], &edge["node"]["archived"])).collect();
    let (yes, no) = (&json!(true), &json!(false));
    assert_eq!(marks, [(no, no), (no, yes), (yes, no), (no, no)]);

    // The same mark again changes nothing, on whatever device it is made.
    let head = app.admin.head().await?;
    mark(&shop.as_recipient("alice").await?, "markRead", &[id(1)]).await?;
    assert_eq!(app.admin.head().await?, head);
    assert_eq!(unread(&alice, &archived).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_query_at_the_position_of_a_write_always_shows_it() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    // Often enough that a query which does not wait would miss one of them.
    for n in 1..=50 {
        let sent = tell(&shop, "alice", &format!("number {n}")).await?;
        let at = format!(r#"first: 1, atLeastPosition: "{}""#, sent.position);
        assert_eq!(ids(&page(&alice, "notifications", &at).await?), [sent.id]);
        assert_eq!(unread(&alice, &sent.position).await?, n);
    }
    Ok(())
}

#[tokio::test]
async fn a_position_from_the_future_is_answered_with_the_position_reached() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    tell(&shop, "alice", "hello").await?;
    let alice = shop.as_recipient("alice").await?;
    let answer = alice.ask(&format!(r#"{{ unreadCount(atLeastPosition: "{FAR_AHEAD}") }}"#), json!({})).await?;
    assert_eq!(answer.code()?, "NOT_YET", "{}", answer.body);
    let reached = answer.body["errors"][0]["extensions"]["position"].as_str().context("no position")?;
    assert_eq!(unread(&alice, reached).await?, 1, "the position reached can be asked for");
    Ok(())
}

#[tokio::test]
async fn forged_expired_and_missing_credentials_are_refused() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let sent = tell(&shop, "alice", "for alice's eyes only").await?;
    let alice = shop.as_recipient("alice").await?;
    let list = &format!(r#"{{ notifications(atLeastPosition: "{}") {{ edges {{ node {{ content {{ body }} }} }} }} }}"#, sent.position);
    assert!(alice.query(list, json!({})).await?.to_string().contains("eyes only"));

    let token = alice.credential();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { anyhow::bail!("not a token of three parts") };
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    // `{"alg":"none","typ":"JWT"}`
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for forged in [
        format!("{header}.{claims}.{flipped}{}", &signature[1..]),
        format!("{header}.{claims}."),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{header}.{}.{signature}", claims.replacen(|letter: char| letter.is_ascii_uppercase(), "x", 1)),
        format!("{token}x"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let answer = app.admin.with(&forged).ask(list, json!({})).await?;
        assert_eq!((answer.status, answer.code()?), (401, "UNAUTHENTICATED"), "{forged}: {}", answer.body);
    }

    let input = json!({ "recipient": "alice", "ttlSeconds": 1 });
    let minted = shop.mutate("mintRecipientToken", "MintRecipientTokenInput", "... on RecipientToken { token }", input).await?;
    let brief = app.admin.with(minted["token"].as_str().context("no token")?);
    let answer = until("the token has expired", async || Ok(Some(brief.ask(list, json!({})).await?).filter(|answer| answer.status != 200))).await?;
    assert_eq!((answer.status, answer.code()?), (401, "KEY_REVOKED"), "{}", answer.body);
    Ok(())
}
