//! Links in mails: what a mail names, that looking changes nothing, that one click does, and the pages in
//! a real browser without JavaScript.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{App, Browser, Client};

const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";
const BASE: &str = "https://notify.example.com";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// A server that knows its address, a sender, and the recipient alice.
async fn start(config: &str) -> Result<(App, Client)> {
    let app = App::with(config).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    for (key, name, required) in [("news", "Weekly news", false), ("security", "Security notices", true)] {
        app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": key, "name": name, "required": required })).await?;
    }
    Ok((app, shop))
}

fn mail(category: &str) -> Value {
    json!({ "channels": ["EMAIL"], "category": category, "content": { "title": "Hello", "body": "News" } })
}

/// Sends a mail and gives its headers, in lower case, unfolded.
async fn headers(app: &App, shop: &Client, category: &str) -> Result<BTreeMap<String, String>> {
    let sent = shop.send("alice", mail(category)).await?;
    shop.await_status(&sent.id, "sent").await?;
    let messages = app.simulators.messages("smtp").await?;
    let raw = messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.contains(&sent.id)).context("no mail")?;
    let head = raw.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    Ok(lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect())
}

/// The path of the link in a mail of a category.
async fn link(app: &App, shop: &Client, category: &str) -> Result<String> {
    let headers = headers(app, shop, category).await?;
    let listed = headers.get("list-unsubscribe").with_context(|| format!("no List-Unsubscribe: {headers:?}"))?;
    let url = listed.strip_prefix('<').and_then(|rest| rest.split_once('>')).with_context(|| listed.clone())?.0;
    url.strip_prefix(BASE).map(ToOwned::to_owned).with_context(|| listed.clone())
}

/// Asks for a page as anybody may: status and text.
async fn ask(app: &App, method: Method, path: &str, form: Option<&str>) -> Result<(StatusCode, String)> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let mut request = client.request(method, format!("{}{path}", app.admin.base()));
    if let Some(form) = form {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    }
    let answer = request.send().await?;
    Ok((answer.status(), answer.text().await?))
}

/// Sends a mail that an opt-out forbids; gives the rule that it names.
async fn suppressed(shop: &Client, category: &str) -> Result<String> {
    let sent = shop.send("alice", mail(category)).await?;
    let notification = shop.await_status(&sent.id, "suppressed").await?;
    notification["suppressions"][0]["rule"].as_str().map(ToOwned::to_owned).with_context(|| format!("no rule: {notification}"))
}

#[tokio::test]
async fn a_mail_names_the_way_out_of_its_category_unless_it_is_required() -> Result<()> {
    let (app, shop) = start(LINKS).await?;
    let news = headers(&app, &shop, "news").await?;
    assert_eq!(news.get("list-unsubscribe-post").map(String::as_str), Some("List-Unsubscribe=One-Click"));
    let listed = &news["list-unsubscribe"];
    assert!(listed.starts_with("<https://notify.example.com/u/") && listed.ends_with('>') && !listed.contains("alice"), "{listed}");
    let security = headers(&app, &shop, "security").await?;
    assert!(!security.contains_key("list-unsubscribe") && !security.contains_key("list-unsubscribe-post"), "{security:?}");
    Ok(())
}

#[tokio::test]
async fn a_mailbox_is_named_beside_the_link_where_there_is_one() -> Result<()> {
    let (app, shop) = start(&format!("{LINKS}mailbox = \"leave@example.com\"\n")).await?;
    let listed = headers(&app, &shop, "news").await?["list-unsubscribe"].clone();
    let (link, mailbox) = listed.split_once(", ").with_context(|| listed.clone())?;
    let token = link.trim_matches(['<', '>']).rsplit('/').next().unwrap_or_default();
    assert_eq!(mailbox, format!("<mailto:leave@example.com?subject={token}>"));
    Ok(())
}

#[tokio::test]
async fn without_an_address_for_links_there_are_none_and_check_says_so() -> Result<()> {
    let (app, shop) = start("").await?;
    assert!(!headers(&app, &shop, "news").await?.contains_key("list-unsubscribe"));
    let query = "{ preferenceLink(recipient: \"alice\") { ... on Problem { code } } }";
    assert_eq!(shop.query(query, json!({})).await?["preferenceLink"]["code"], "LINKS_OFF");
    let (config, data) = (app.config().display().to_string(), app.data().display().to_string());
    let checked = app.run(&["check", "--offline", "--json", "--config", &config, "--data", &data]).await?;
    let findings: Vec<Value> = serde_json::from_slice(&checked.stdout)?;
    let links = findings.iter().find(|finding| finding["what"] == "links").with_context(|| format!("nothing on links: {findings:?}"))?;
    assert_eq!(links["verdict"], "warning", "{links}");
    Ok(())
}

#[tokio::test]
async fn a_scanner_changes_nothing_one_click_does_and_it_can_be_undone() -> Result<()> {
    let (app, shop) = start(LINKS).await?;
    let path = link(&app, &shop, "news").await?;
    let before = app.admin.head().await?;
    for _ in 0..10 {
        let (status, page) = ask(&app, Method::GET, &path, None).await?;
        assert!(status == StatusCode::OK && page.contains("Weekly news"), "{status}: {page}");
    }
    assert_eq!(ask(&app, Method::HEAD, &path, None).await?.0, StatusCode::OK);
    assert_eq!(app.admin.head().await?, before);

    assert_eq!(ask(&app, Method::POST, &path, Some(ONE_CLICK)).await?, (StatusCode::OK, "unsubscribed\n".to_owned()));
    assert_eq!(suppressed(&shop, "news").await?, "opted_out_of_category");
    headers(&app, &shop, "security").await?;

    let (status, page) = ask(&app, Method::POST, &path, Some("scope=category&action=resubscribe")).await?;
    assert!(status == StatusCode::OK && page.contains("again"), "{status}: {page}");
    link(&app, &shop, "news").await?;

    ask(&app, Method::POST, &path, Some("scope=all&action=unsubscribe")).await?;
    assert_eq!(suppressed(&shop, "news").await?, "opted_out_of_all");
    headers(&app, &shop, "security").await?;
    Ok(())
}

#[tokio::test]
async fn a_link_works_after_a_restart_and_not_when_it_is_forged_or_for_something_else() -> Result<()> {
    let (mut app, shop) = start(LINKS).await?;
    let path = link(&app, &shop, "news").await?;
    app.stop().await?;
    app.start_server().await?;
    let preferences = shop.query("{ preferenceLink(recipient: \"alice\") { ... on PreferenceLink { url } } }", json!({})).await?;
    let preferences = preferences["preferenceLink"]["url"].as_str().and_then(|url| url.strip_prefix(BASE)).context("no link")?.to_owned();
    let token = path.trim_start_matches("/u/");
    let forged = format!("/u/{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
    let before = app.admin.head().await?;
    for (path, code) in [(forged, "LINK_INVALID"), (format!("/p/{token}"), "LINK_OTHER_PURPOSE"), (preferences.replacen("/p/", "/u/", 1), "LINK_OTHER_PURPOSE")]
    {
        for (method, form) in [(Method::GET, None), (Method::POST, Some(ONE_CLICK)), (Method::POST, Some("scope=all&action=unsubscribe"))] {
            let (status, page) = ask(&app, method, &path, form).await?;
            assert!(status == StatusCode::BAD_REQUEST && page.contains(code), "{path}: {status} {page}");
        }
    }
    assert_eq!(app.admin.head().await?, before);
    assert_eq!(ask(&app, Method::POST, &path, Some(ONE_CLICK)).await?.0, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn what_is_queued_is_not_sent_once_the_click_is_answered() -> Result<()> {
    let (app, shop) = start(LINKS).await?;
    let path = link(&app, &shop, "news").await?;
    app.simulators.rule("smtp", json!("outage")).await?;
    let waiting = shop.send("alice", mail("news")).await?;
    assert_eq!(ask(&app, Method::POST, &path, Some(ONE_CLICK)).await?.0, StatusCode::OK);
    app.simulators.behave().await?;
    shop.await_status(&waiting.id, "suppressed").await?;
    let messages = app.simulators.messages("smtp").await?;
    assert!(!messages.iter().any(|message| message["raw"].as_str().is_some_and(|raw| raw.contains(&waiting.id))), "sent all the same");
    Ok(())
}

async fn preference_url(app: &App, shop: &Client) -> Result<String> {
    let made = shop.query("{ preferenceLink(recipient: \"alice\") { ... on PreferenceLink { url } } }", json!({})).await?;
    let url = made["preferenceLink"]["url"].as_str().with_context(|| format!("no link: {made}"))?;
    Ok(url.replacen(BASE, app.admin.base(), 1))
}

#[tokio::test]
async fn in_a_browser_without_script_preferences_are_seen_changed_and_kept() -> Result<()> {
    let (app, shop) = start(LINKS).await?;
    let url = preference_url(&app, &shop).await?;
    let page = async |browser: &Browser, title: &str, saved: &str, label: &str, on: bool| {
        browser.visit(&url).await?;
        ensure!(browser.text("h1").await? == title, "{}", browser.text("h1").await?);
        ensure!(browser.label("input[value='channel:email']").await? == label, "an input without a name for screen readers");
        ensure!(browser.property("input[type=checkbox][value='category:news']", "checked").await? == on, "the switch is not as it was left");
        ensure!(browser.property("input[disabled]", "checked").await? == true, "required notices cannot be unticked");
        browser.click("input[type=checkbox][value='category:news']").await?;
        browser.type_into("input[name=quiet_from]", "10:00PM").await?;
        browser.type_into("input[name=quiet_to]", "07:30AM").await?;
        let from = browser.property("input[name=quiet_from]", "value").await?;
        ensure!(from != "", "the time was not taken");
        browser.click("select[name=pause] option[value='1w']").await?;
        browser.click("form[method=post] button").await?;
        browser.says("[role=status]", saved).await?;
        ensure!(browser.property("input[type=checkbox][value='category:news']", "checked").await? != on, "not saved");
        ensure!(browser.property("input[name=quiet_from]", "value").await? == from, "quiet hours were not saved");
        Ok(())
    };
    Browser::with(app.root(), "en-US,en", async |browser| {
        browser.runs_no_script().await?;
        page(browser, "Your notification settings", "Your settings are saved.", "E-mail", true).await
    })
    .await?;
    let off = shop.query("{ subscription(recipient: \"alice\") { categoriesOff } }", json!({})).await?;
    assert_eq!(off["subscription"]["categoriesOff"], json!(["news"]));
    Browser::with(app.root(), "ko-KR,ko", async |browser| page(browser, "알림 설정", "설정을 저장했습니다.", "이메일", false).await).await?;
    let on = shop.query("{ subscription(recipient: \"alice\") { categoriesOff } }", json!({})).await?;
    assert_eq!(on["subscription"]["categoriesOff"], json!([]));
    Ok(())
}

#[tokio::test]
async fn in_a_browser_without_script_one_unsubscribes_and_undoes_it_in_one_s_own_language() -> Result<()> {
    let (app, shop) = start(LINKS).await?;
    let url = format!("{}{}", app.admin.base(), link(&app, &shop, "news").await?);
    // Their own language, whatever the browser's.
    shop.upsert_recipient(json!({ "id": "alice", "locale": "ko-KR" })).await?;
    Browser::with(app.root(), "en-US,en", async |browser| {
        browser.visit(&url).await?;
        ensure!(browser.text("h1").await? == "수신 거부", "{}", browser.text("main").await?);
        ensure!(browser.label("input[value=category]").await?.contains("Weekly news"), "a choice without a name");
        browser.click("button[value=unsubscribe]").await?;
        browser.says("[role=status]", "Weekly news").await?;
        if suppressed(&shop, "news").await? != "opted_out_of_category" {
            bail!("still subscribed");
        }
        browser.click("button[value=resubscribe]").await?;
        browser.says("[role=status]", "다시").await?;
        Ok(())
    })
    .await?;
    link(&app, &shop, "news").await.map(drop)
}
