//! Own tracking of mails: the picture and the links of a mail, where they lead, what is recorded of them, and
//! who switches it off.

use crate::explaining::{explain, says, step};
use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::wait::until;
use tests::{App, Client};

const BASE: &str = "https://notify.example.com";
const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0";
const HTML: &str = "<html><body><a href=\"https://shop.example.com/orders?id=42&amp;lang=ko\">Order</a> <a href=\"mailto:help@example.com\">Help</a> <a href='https://blog.example.com/'>Blog</a></body></html>";

async fn start(config: &str, environment: &[(&str, &str)]) -> Result<(App, Client)> {
    let app = App::with_environment(config, environment).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let tracking = json!({ "opens": true, "clicks": true });
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": "news", "name": "News", "tracking": tracking })).await?;
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": "orders", "name": "Orders" })).await?;
    Ok((app, shop))
}

/// Sends a mail; gives its id, and its text with the quoted-printable undone.
async fn mail(app: &App, shop: &Client, category: &str, provider: &str) -> Result<(String, String)> {
    let content = json!({ "title": "Hello", "body": "See https://shop.example.com/orders", "html": HTML });
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"], "category": category, "content": content })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let messages = app.simulators.messages(provider).await?;
    let raw = messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.contains(&sent.id)).context("no mail")?;
    let plain = raw.replace("=\r\n", "").replace("=3D", "=").replace("\\\"", "\"");
    Ok((sent.id, plain))
}

/// The paths of the links of a kind in a mail, in order.
fn paths(mail: &str, kind: char) -> Vec<String> {
    let start = format!("\"{BASE}/{kind}/");
    mail.split(&start).skip(1).filter_map(|rest| Some(format!("/{kind}/{}", rest.split('"').next()?))).collect()
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    cache: String,
    referrer: String,
    body: Vec<u8>,
}

async fn ask(app: &App, method: Method, path: &str, agent: &str) -> Result<Answer> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = client.request(method, format!("{}{path}", app.admin.base())).header("user-agent", agent).send().await?;
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let (status, location) = (answer.status(), header("location"));
    let (cache, referrer) = (header("cache-control").unwrap_or_default(), header("referrer-policy").unwrap_or_default());
    Ok(Answer { status, location, cache, referrer, body: answer.bytes().await?.to_vec() })
}

/// Whether a step of the story says that a person did it.
fn by_a_person(told: &Value, kind: &str) -> bool {
    let sentence = |step: &Value| step["sentence"].as_str().unwrap_or_default().to_owned();
    told["steps"].as_array().into_iter().flatten().any(|step| step["type"] == kind && !sentence(step).contains("by a program"))
}

/// Asks until it has been recorded that a person did: in the first seconds after the sending nobody is one.
async fn until_recorded(app: &App, shop: &Client, id: &str, path: &str, kind: &str) -> Result<Value> {
    until(&format!("{kind} by a person"), async || {
        ask(app, Method::GET, path, PERSON).await?;
        let told = explain(shop, id).await?;
        Ok(by_a_person(&told, kind).then_some(told))
    })
    .await
}

async fn opened_and_clicked(environment: &[(&str, &str)], provider: &str) -> Result<()> {
    let (app, shop) = start(LINKS, environment).await?;
    let (id, mail) = mail(&app, &shop, "news", provider).await?;
    let (links, pictures) = (paths(&mail, 'c'), paths(&mail, 'o'));
    assert_eq!((links.len(), pictures.len()), (2, 1), "{mail}");
    // The text, and what is no link over the net, stay as they are; where links lead is not in the HTML any more.
    assert!(mail.contains("See https://shop.example.com/orders") && mail.contains("mailto:help@example.com"), "{mail}");
    assert!(!mail.contains("id=42") && !mail.contains("blog.example.com"), "{mail}");

    let before = app.admin.head().await?;
    for path in links.iter().chain(&pictures) {
        ask(&app, Method::HEAD, path, PERSON).await?;
    }
    assert_eq!(app.admin.head().await?, before);

    for (path, target) in links.iter().zip(["https://shop.example.com/orders?id=42&lang=ko", "https://blog.example.com/"]) {
        let answer = ask(&app, Method::GET, path, PERSON).await?;
        assert_eq!((answer.status, answer.location.as_deref()), (StatusCode::FOUND, Some(target)));
        assert_eq!((answer.cache.as_str(), answer.referrer.as_str()), ("no-store", "no-referrer"));
    }
    let picture = ask(&app, Method::GET, &pictures[0], PERSON).await?;
    assert!(picture.status == StatusCode::OK && picture.body.starts_with(b"GIF89a") && picture.cache == "no-store");

    let told = until_recorded(&app, &shop, &id, &links[1], "Clicked").await?;
    says(step(&told, "Clicked")?, &["link"]);
    until_recorded(&app, &shop, &id, &pictures[0], "Opened").await?;
    // Once recorded, the same again is nothing new.
    let head = app.admin.head().await?;
    ask(&app, Method::GET, &links[1], PERSON).await?;
    ask(&app, Method::GET, &pictures[0], PERSON).await?;
    ask(&app, Method::GET, &links[0], PERSON).await?;
    until("the other link", async || Ok((app.admin.head().await? != head).then_some(()))).await?;
    Ok(())
}

#[tokio::test]
async fn a_tracked_mail_tells_who_opened_it_and_which_link_was_followed() -> Result<()> {
    opened_and_clicked(&[], "smtp").await
}

#[tokio::test]
async fn a_tracked_mail_by_sendgrid_is_the_same() -> Result<()> {
    opened_and_clicked(&[("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "true")], "sendgrid").await
}

#[tokio::test]
async fn a_tracked_mail_by_mailgun_is_the_same() -> Result<()> {
    opened_and_clicked(&[("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__MAILGUN__ENABLED", "true")], "mailgun").await
}

#[tokio::test]
async fn a_scanner_is_counted_apart_and_a_forged_link_leads_nowhere() -> Result<()> {
    let (app, shop) = start(LINKS, &[]).await?;
    let (id, mail) = mail(&app, &shop, "news", "smtp").await?;
    let links = paths(&mail, 'c');
    ask(&app, Method::GET, &links[0], "Barracuda Sentinel (EE)").await?;
    let told = until("what the scanner did", async || {
        let told = explain(&shop, &id).await?;
        Ok(step(&told, "Clicked").is_ok().then_some(told))
    })
    .await?;
    says(step(&told, "Clicked")?, &["link 1 followed by a program"]);
    assert!(!by_a_person(&told, "Clicked"));

    let token = links[0].trim_start_matches("/c/");
    let forged = format!("{}{}", if token.starts_with('B') { 'A' } else { 'B' }, &token[1..]);
    for path in [format!("/c/{forged}"), format!("/u/{token}"), format!("/o/{token}").replacen("/o/", "/p/", 1), "/c/https://evil.example/".to_owned()] {
        let answer = ask(&app, Method::GET, &path, PERSON).await?;
        ensure!(answer.status.is_client_error() && answer.location.is_none(), "{path}: {}", answer.status);
    }
    // A picture that is none looks like one, and is nothing.
    let head = app.admin.head().await?;
    let picture = ask(&app, Method::GET, &format!("/o/{forged}"), PERSON).await?;
    assert!(picture.status == StatusCode::OK && picture.body.starts_with(b"GIF89a"));
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}

#[tokio::test]
async fn nobody_is_tracked_who_is_not_to_be_and_nothing_that_nobody_asked_for() -> Result<()> {
    let (app, shop) = start(LINKS, &[]).await?;
    assert!(mail(&app, &shop, "orders", "smtp").await?.1.contains("https://blog.example.com/"));
    let alice = shop.as_recipient("alice").await?;
    alice.mutate("setSubscription", "SetSubscriptionInput", "", json!({ "scope": "TRACKING", "subscribed": false })).await?;
    let (_, left) = mail(&app, &shop, "news", "smtp").await?;
    assert!(left.contains("https://blog.example.com/") && paths(&left, 'o').is_empty(), "{left}");
    alice.mutate("setSubscription", "SetSubscriptionInput", "", json!({ "scope": "TRACKING", "subscribed": true })).await?;
    assert_eq!(paths(&mail(&app, &shop, "news", "smtp").await?.1, 'c').len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_installation_can_do_without() -> Result<()> {
    let (app, shop) = start(&format!("{LINKS}tracking = false\n"), &[]).await?;
    assert!(mail(&app, &shop, "news", "smtp").await?.1.contains("https://blog.example.com/"));
    Ok(())
}

#[tokio::test]
async fn after_an_erasure_a_link_leads_nowhere_and_says_so() -> Result<()> {
    let (app, shop) = start(LINKS, &[]).await?;
    let (_, mail) = mail(&app, &shop, "news", "smtp").await?;
    app.admin.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": "alice" })).await?;
    let head = app.admin.head().await?;
    let answer = ask(&app, Method::GET, &paths(&mail, 'c')[0], PERSON).await?;
    assert_eq!((answer.status, answer.location), (StatusCode::GONE, None));
    assert!(String::from_utf8_lossy(&answer.body).contains("LINK_TARGET_GONE"));
    ask(&app, Method::GET, &paths(&mail, 'o')[0], PERSON).await?;
    assert_eq!(app.admin.head().await?, head);
    Ok(())
}
