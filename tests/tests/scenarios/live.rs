//! The live feed: everything once and in order, whatever happens to the connection.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tests::live::Live;
use tests::{App, Client};

const FEED: &str = "subscription($after: Position) { notificationFeed(after: $after) { __typename
    ... on NotificationArrived { cursor notification { id content { body } } }
    ... on NotificationMarked { cursor mark notification { id } } } }";

/// As many at a time as make a send and the feed's turn to it interleave.
const LIST: usize = 5;

/// What a client app keeps: the ids it has, and where it is.
#[derive(Debug, Default)]
struct Inbox {
    ids: Vec<String>,
    cursor: Option<String>,
}

impl Inbox {
    fn take(&mut self, notification: &Value, cursor: &Value) -> Result<()> {
        self.ids.push(notification["id"].as_str().context("no id")?.to_owned());
        self.cursor = Some(cursor.as_str().context("no cursor")?.to_owned());
        Ok(())
    }

    /// Pulls one page of what it has not.
    async fn pull(&mut self, client: &Client, first: usize, at_least: &str) -> Result<()> {
        let query = "query($after: Position, $first: Int!, $atLeast: Position) { missedNotifications(after: $after, first: $first, atLeastPosition: $atLeast) {
            edges { cursor node { id } } } }";
        let data = client.query(query, json!({ "after": self.cursor, "first": first, "atLeast": at_least })).await?;
        for edge in data["missedNotifications"]["edges"].as_array().context("no edges")? {
            self.take(&edge["node"], &edge["cursor"])?;
        }
        Ok(())
    }

    async fn subscribe(&self, client: &Client) -> Result<Live> {
        Live::subscribe(client, FEED, json!({ "after": self.cursor })).await
    }

    /// Takes so many from the feed.
    async fn follow(&mut self, live: &mut Live, count: usize) -> Result<()> {
        for _ in 0..count {
            let item = live.next().await?["notificationFeed"].clone();
            if item["__typename"] != "NotificationArrived" {
                bail!("not an arrival: {item}");
            }
            self.take(&item["notification"], &item["cursor"])?;
        }
        Ok(())
    }
}

/// Sends so many to alice, some at a time; gives their ids in order.
async fn tell(by: &Client, count: usize) -> Result<(Vec<String>, String)> {
    let (mut ids, mut position) = (Vec::new(), String::new());
    for start in (0..count).step_by(LIST) {
        let items: Vec<Value> = (start..count.min(start + LIST))
            .map(|n| json!({ "recipient": "alice", "channels": ["IN_APP"], "content": { "body": format!("number {n}") } }))
            .collect();
        for sent in by.send_list(&items).await? {
            ids.push(sent.id);
            position = sent.position;
        }
    }
    Ok((ids, position))
}

/// Whether the connection ends; items that were on their way come first.
async fn ends(live: &mut Live) -> bool {
    loop {
        match live.hear().await {
            Ok(message) if message["type"] == "next" => {}
            // The server may end the subscription before it closes.
            Ok(message) if message["type"] == "complete" || message["type"] == "error" => {}
            Ok(_) => return false,
            Err(error) => return error.to_string() != "nothing came",
        }
    }
}

/// The feed has nothing more: the next that comes is one that is sent now.
async fn nothing_else_came(shop: &Client, live: &mut Live) -> Result<()> {
    let (last, _) = tell(shop, 1).await?;
    assert_eq!(live.next().await?["notificationFeed"]["notification"]["id"], *last[0]);
    Ok(())
}

#[tokio::test]
async fn a_client_that_pulls_and_then_follows_while_much_is_sent_misses_none_and_repeats_none() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    let (before, position) = tell(&shop, 40).await?;

    let sending = tokio::spawn({
        let shop = shop.clone();
        async move { tell(&shop, 200).await }
    });
    let mut inbox = Inbox::default();
    inbox.pull(&alice, 30, &position).await?;
    assert_eq!(inbox.ids, before[..30], "only a part of the backlog");
    let mut live = inbox.subscribe(&alice).await?;
    inbox.follow(&mut live, 210).await?;
    let (during, _) = sending.await??;
    assert_eq!(inbox.ids, [before, during].concat());
    nothing_else_came(&shop, &mut live).await
}

#[tokio::test]
async fn a_client_that_connects_anew_again_and_again_goes_on_from_its_cursor() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    // The first connection has a cursor too: without one a feed starts wherever it is by then.
    let (mut sent, position) = tell(&shop, 1).await?;
    let mut inbox = Inbox::default();
    inbox.pull(&alice, 1, &position).await?;

    let sending = tokio::spawn({
        let shop = shop.clone();
        async move { tell(&shop, 200).await }
    });
    for _ in 0..20 {
        let mut live = inbox.subscribe(&alice).await?;
        inbox.follow(&mut live, 10).await?;
        // Dropped with whatever is already on its way: the cursor alone counts.
    }
    sent.extend(sending.await??.0);
    assert_eq!(inbox.ids, sent);
    let mut live = inbox.subscribe(&alice).await?;
    nothing_else_came(&shop, &mut live).await
}

#[tokio::test]
async fn a_feed_goes_on_over_a_restart_and_over_a_crash() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let alice = shop.as_recipient("alice").await?;
    let (mut sent, position) = tell(&shop, 10).await?;
    let mut inbox = Inbox::default();
    inbox.pull(&alice, 4, &position).await?;
    for crash in [false, true] {
        let mut live = inbox.subscribe(&alice).await?;
        inbox.follow(&mut live, 3).await?;
        if crash {
            app.kill().await?;
        } else {
            app.stop().await?;
        }
        assert!(ends(&mut live).await, "the connection ends with the server");
        app.start_server().await?;
        sent.extend(tell(&shop, 10).await?.0);
    }
    let mut live = inbox.subscribe(&alice).await?;
    inbox.follow(&mut live, 20).await?;
    assert_eq!(inbox.ids, sent);
    nothing_else_came(&shop, &mut live).await
}

#[tokio::test]
async fn a_mark_on_one_device_is_told_to_the_others_and_nobody_else_hears_anything() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    for id in ["alice", "bob"] {
        app.recipient(&shop, id).await?;
    }
    let (phone, laptop, bob) = (shop.as_recipient("alice").await?, shop.as_recipient("alice").await?, shop.as_recipient("bob").await?);
    let at = json!({ "after": app.admin.head().await? });
    let mut on_laptop = Live::subscribe(&laptop, FEED, at.clone()).await?;
    let mut with_bob = Live::subscribe(&bob, FEED, at).await?;
    let (sent, _) = tell(&shop, 1).await?;
    assert_eq!(on_laptop.next().await?["notificationFeed"]["notification"]["id"], *sent[0]);
    let mark = "mutation($id: ID!) { markRead(input: { ids: [$id] }) { position } }";
    let position = phone.query(mark, json!({ "id": sent[0] })).await?["markRead"]["position"].clone();
    let told = on_laptop.next().await?["notificationFeed"].clone();
    assert_eq!(told, json!({ "__typename": "NotificationMarked", "mark": "READ", "notification": { "id": sent[0] }, "cursor": position }));
    // Bob's first item is Bob's own: nothing of Alice's came before it.
    let for_bob = shop.send("bob", json!({ "channels": ["IN_APP"] })).await?;
    assert_eq!(with_bob.next().await?["notificationFeed"]["notification"]["id"], *for_bob.id);
    Ok(())
}

#[tokio::test]
async fn a_feed_is_refused_to_forged_tokens_and_to_keys_that_are_no_recipients() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let token = shop.as_recipient("alice").await?.credential().to_owned();
    let (claims, _) = token.rsplit_once('.').context("not a token")?;
    for forged in [String::new(), "nonsense".to_owned(), format!("{claims}."), format!("{token}x")] {
        let refused = Live::subscribe(&shop.with(&forged), FEED, json!({})).await;
        assert!(refused.is_err(), "{forged:?} was accepted");
    }
    // A sender's key is a good credential, and no recipient's.
    let mut live = Live::subscribe(&shop, FEED, json!({})).await?;
    let answer = live.hear().await?;
    assert!(answer.to_string().contains("FORBIDDEN"), "{answer}");
    Ok(())
}
