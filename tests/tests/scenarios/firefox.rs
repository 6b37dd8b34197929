//! Web push in a real browser: Firefox subscribes, decrypts, shows, and opens what it is about.
//!
//! Everything between is the real thing but the push service, which is Mozilla's protocol played by
//! `tests/autopush-sim`: Firefox lets a preference choose its push service, and other browsers do not.

use crate::told::{fails_at_once, sent_over};
use anyhow::{Context, Result};
use autopush_sim::PushService;
use serde_json::{Value, json};
use tests::{App, Client, Firefox, until};

/// What the browser acknowledges a message with that it decrypted and handed to the service worker.
const DELIVERED: u64 = 100;
/// With what it acknowledges one that it cannot decrypt.
const UNREADABLE: u64 = 101;

/// A person who allowed notifications, and whose browser has this push service.
fn preferences(service: &PushService) -> [(&'static str, Value); 5] {
    [
        ("dom.push.serverURL", json!(service.url())),
        ("dom.push.testing.allowInsecureServerURL", json!(true)),
        // Off where a browser is driven, unless it is asked for.
        ("dom.push.connection.enabled", json!(true)),
        ("permissions.default.desktop-notification", json!(1)),
        ("alerts.useSystemBackend", json!(false)),
    ]
}

/// Subscribes as a person would on the page to try it, and gives what that says.
async fn subscribes(firefox: &Firefox, app: &App, recipient: &Client) -> Result<Value> {
    firefox.visit(&format!("{}/push/try", app.admin.base())).await?;
    let token = json!(recipient.credential());
    firefox.run(&format!("(document.getElementById('token').value = {token}, document.getElementById('subscribe').click())")).await?;
    let told = firefox.until("the page says what came of it", "document.getElementById('result').textContent || null").await?;
    let told = told.as_str().context("no text")?;
    serde_json::from_str(told).with_context(|| told.to_owned())
}

/// The notifications that are to be seen.
async fn shown(firefox: &Firefox) -> Result<Vec<Value>> {
    let shown = "navigator.serviceWorker.getRegistration('/push/').then(async (registration) =>
        (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, data })))";
    Ok(firefox.run(shown).await?.as_array().context("no list")?.clone())
}

/// The page hears what the service worker tells it from now on.
async fn listens(firefox: &Firefox) -> Result<()> {
    firefox.run("void (globalThis.heard = [], navigator.serviceWorker.onmessage = ({ data }) => heard.push(data))").await.map(drop)
}

/// A person clicks the notification that says this, in the window in which the browser shows it.
async fn clicks(firefox: &Firefox, body: &str) -> Result<()> {
    let body = json!(body);
    let click = format!(
        "[...Services.wm.getEnumerator('alert:alert')].filter((shown) => shown.document.getElementById('alertTextLabel').textContent === {body})
            .map((shown) => shown.document.getElementById('alertBox').click()).length"
    );
    until("the notification's window is there", async || Ok((firefox.run_inside(&click).await? == 1).then_some(()))).await
}

#[tokio::test]
async fn firefox_decrypts_shows_and_opens_what_was_sent() -> Result<()> {
    let app = App::with_environment("", &[("BONGSU_PROVIDERS__WEB_PUSH__TRY_PAGE", "true")]).await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice" })).await?;
    let alice = shop.as_recipient("alice").await?;
    let service = PushService::start().await?;
    let page = format!("{}/push/try", app.admin.base());
    let delivered = async |count: usize| {
        let all = || service.messages().iter().filter(|message| message.ack == Some(DELIVERED)).count() == count;
        until(&format!("{count} messages are acknowledged"), async || Ok(all().then_some(()))).await.with_context(|| format!("{:?}", service.messages()))
    };
    Firefox::with(app.root(), &preferences(&service), async |firefox| {
        let told = subscribes(firefox, &app, &alice).await?;
        assert_eq!(told["registered"]["data"]["registerDevice"]["__typename"], "RecipientChanged", "{told:#}");
        assert_eq!(service.subscriptions(), 1);
        // Loaded anew: a page that was there before the service worker is none of its own.
        firefox.visit(&page).await?;
        listens(firefox).await?;

        // Somebody in between can neither read nor change it: the browser drops what was changed.
        service.spoil_next();
        sent_over(&shop, "alice", "WEB_PUSH", "sent").await?;
        let dropped = async || Ok(service.messages().iter().any(|message| message.ack == Some(UNREADABLE)).then_some(()));
        until("the browser cannot read it", dropped).await.with_context(|| format!("{:?}", service.messages()))?;
        assert_eq!(shown(firefox).await?, Vec::<Value>::new());

        // What is sent is decrypted, shown with all letters, and told to the page.
        let content = |body: &str| json!({ "title": "주문이 출발했어요", "body": body, "data": json!({ "url": "/push/try?order=42" }).to_string(), "collapseKey": "order-42" });
        let sent = shop.send("alice", json!({ "channels": ["WEB_PUSH"], "content": content("Order 42 😀") })).await?;
        shop.await_status(&sent.id, "sent").await?;
        delivered(1).await?;
        let heard = firefox.until("the page is told", "heard.find(({ type }) => type === 'bongsu:push')").await?;
        assert_eq!((&heard["message"]["nid"], &heard["message"]["body"]), (&json!(sent.id), &json!("Order 42 😀")), "{heard}");
        let seen = shown(firefox).await?;
        let (url, words) = (format!("{page}?order=42"), ["주문이 출발했어요", "Order 42 😀", "order-42"]);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!([&seen[0]["title"], &seen[0]["body"], &seen[0]["tag"]], words, "{seen:?}");
        assert_eq!((&seen[0]["data"]["nid"], &seen[0]["data"]["url"]), (&json!(sent.id), &json!(url)), "{seen:?}");

        // The next about the same takes its place.
        let next = shop.send("alice", json!({ "channels": ["WEB_PUSH"], "content": content("It is there.") })).await?;
        delivered(2).await?;
        let replaced = async || Ok(Some(shown(firefox).await?).filter(|seen| seen.iter().any(|one| one["body"] == "It is there.")));
        let seen = until("the next is shown", replaced).await?;
        assert_eq!((seen.len(), &seen[0]["data"]["nid"]), (1, &json!(next.id)), "{seen:?}");

        // A click takes it away, opens its address, and is told to the page.
        clicks(firefox, "It is there.").await?;
        until("its address is open", async || Ok(firefox.addresses().await?.contains(&url).then_some(()))).await?;
        let heard = firefox.until("the page is told of the click", "heard.find(({ type }) => type === 'bongsu:click')").await?;
        assert_eq!((&heard["nid"], &heard["url"]), (&json!(next.id), &json!(url)), "{heard}");
        assert_eq!(shown(firefox).await?, Vec::<Value>::new());

        // A subscription that was given up is told by the push service, and nothing is sent there any more.
        firefox.run("document.getElementById('unsubscribe').click()").await?;
        until("it is given up", async || Ok((service.subscriptions() == 0).then_some(()))).await?;
        fails_at_once(&shop, "alice", "WEB_PUSH", "410").await?;
        let suppressed = sent_over(&shop, "alice", "WEB_PUSH", "suppressed").await?;
        assert_eq!(suppressed["suppressions"][0]["rule"], "no_address", "{suppressed:#}");
        Ok(())
    })
    .await
}
