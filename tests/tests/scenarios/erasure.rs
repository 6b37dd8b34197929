//! Erasing a person: afterwards nothing of theirs is anywhere, and everything else still works.

use anyhow::{Context, Result};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use tests::{App, Client, until};

/// Whom it is about. Markers have no letter that needs escaping in JSON, URLs or SMTP, so that a
/// leak in any of them is found, and their hexadecimal form is a token for Apple.
const PERSON: &str = "zq-person-zq";
const EMAIL: &str = "zq-mail-zq@example.com";
const ANDROID: &str = "zq-android-zq";
const HOOK: &str = "zq-hook-zq";
const ATTRIBUTE: &str = "zq-attribute-zq";
const TITLE: &str = "zq-title-zq";
const BODY: &str = "zq-body-zq";
const HTML: &str = "zq-html-zq";
const DATA: &str = "zq-data-zq";
const METADATA: &str = "zq-metadata-zq";
const COLLAPSE: &str = "zq-collapse-zq";
const IDEMPOTENCY: &str = "zq-idempotency-zq";
const IOS: &str = "zq-iphone-zq";
const MARKERS: [&str; 13] = [PERSON, EMAIL, ANDROID, HOOK, ATTRIBUTE, TITLE, BODY, HTML, DATA, METADATA, COLLAPSE, IDEMPOTENCY, IOS];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |group: u32, place: u32| char::from(LETTERS[(group >> (18 - 6 * place) & 63) as usize]);
    let whole = bytes.chunks_exact(3).map(|three| u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]));
    whole.flat_map(|group| (0..4).map(move |place| letter(group, place))).collect()
}

/// Every spelling of a marker that is looked for, in lower case.
fn spellings(marker: &str) -> Vec<Vec<u8>> {
    let mut all = vec![marker.as_bytes().to_vec(), hex(marker.as_bytes()).into_bytes()];
    // In base64 a text looks different at each of three places; groups that it fills alone do not.
    for skip in 0..3 {
        let encoded = base64(&marker.as_bytes()[skip..]);
        all.push(encoded.replace('+', "-").replace('/', "_").to_ascii_lowercase().into_bytes());
        all.push(encoded.to_ascii_lowercase().into_bytes());
    }
    all
}

/// The markers that some bytes hold in whatever spelling. All are looked for in one pass.
fn markers_in(bytes: &[u8]) -> Vec<&'static str> {
    let mut by_first: Vec<Vec<(&'static str, Vec<u8>)>> = vec![Vec::new(); 256];
    for marker in MARKERS {
        for spelling in spellings(marker) {
            by_first[usize::from(spelling[0])].push((marker, spelling));
        }
    }
    let bytes = bytes.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, first) in bytes.iter().enumerate() {
        for (marker, spelling) in &by_first[usize::from(*first)] {
            if bytes[at..].starts_with(spelling) && !found.contains(marker) {
                found.push(*marker);
            }
        }
    }
    found
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Every file below a folder, raw: databases, their write-ahead logs, whatever else.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    Ok(all)
}

fn assert_clean(folder: &Path) -> Result<()> {
    let all = files(folder)?;
    assert!(all.iter().any(|(name, _)| name.ends_with("log.db")), "these are no data: {:?}", all.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, bytes) in all {
        assert_eq!(markers_in(&bytes), Vec::<&str>::new(), "in {name}");
    }
    Ok(())
}

async fn person(app: &App, by: &Client) -> Result<()> {
    by.upsert_recipient(json!({
        "id": PERSON,
        "email": EMAIL,
        "webhook": { "url": app.simulators.webhook(&format!("hooks/{HOOK}"))?, "secret": app.simulators.webhook_secret().await? },
        "attributes": json!({ "note": ATTRIBUTE }).to_string(),
    }))
    .await?;
    by.register_device(PERSON, "ANDROID_PUSH", ANDROID).await?;
    by.register_device(PERSON, "IOS_PUSH", &format!("{:0<64}", hex(IOS.as_bytes()))).await
}

fn telling(key: &str) -> Value {
    json!({
        "channels": ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK", "IN_APP"],
        "idempotencyKey": format!("{IDEMPOTENCY}-{key}"),
        "metadata": json!({ "note": METADATA }).to_string(),
        "content": { "title": TITLE, "body": BODY, "html": format!("<p>{HTML}</p>"), "data": json!({ "note": DATA }).to_string(), "collapseKey": COLLAPSE },
    })
}

async fn erase(by: &Client) -> Result<()> {
    by.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": PERSON })).await.map(drop)
}

/// One notification that went out, and one that an outage of every provider holds.
async fn told_and_held(app: &App, shop: &Client) -> Result<(String, String)> {
    person(app, shop).await?;
    app.recipient(shop, "bystander").await?;
    let told = shop.send(PERSON, telling("told")).await?.id;
    app.simulators.await_calls(&told, 4).await?;
    shop.await_status(&told, "sent").await?;
    for provider in ["fcm", "smtp", "webhook"] {
        app.simulators.rule(provider, json!("outage")).await?;
    }
    // After Apple's 503 nothing is tried for a minute; a lost connection is tried again at once.
    app.simulators.rule("apns", json!("reset")).await?;
    let held = shop.send(PERSON, telling("held")).await?.id;
    until("every provider has refused it once", async || {
        let story = shop.story(&held).await?;
        Ok((story.iter().filter(|event| *event == "AttemptStarted").count() >= 4).then_some(()))
    })
    .await?;
    Ok((told, held))
}

fn delivered(calls: &[Value]) -> usize {
    calls.iter().filter(|call| call["delivered"] == true).count()
}

#[test]
fn the_search_finds_every_spelling() {
    assert_eq!(base64(b"zq-body-zq+++"), "enEtYm9keS16cSsr");
    // `printf '%szq-body-zqx' '' p pq | base64`, a line each
    for text in ["enEtYm9keS16cXg=", "cHpxLWJvZHktenF4", "cHF6cS1ib2R5LXpxeA==", "7a712D626f64792d7a71", "x zq-BODY-zq x"] {
        assert_eq!(markers_in(text.as_bytes()), [BODY], "{text}");
    }
}

/// Recipients' keys as they are stored: wrapped by the master key.
fn wrapped_keys(app: &App) -> Result<Vec<Vec<u8>>> {
    let keys = Connection::open(app.data().join("keys.db"))?;
    let mut statement = keys.prepare("SELECT wrapped FROM keys")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn what_was_held_back_is_not_sent_after_the_erasure() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let (_, held) = told_and_held(&app, &shop).await?;
    erase(&shop).await?;
    let before = app.simulators.calls_for(&held).await?;
    assert_eq!(delivered(&before), 0);
    app.simulators.behave().await?;
    // Someone else's goes out on every channel: the providers are back, and were asked.
    let other = shop.send("bystander", json!({ "channels": ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK"] })).await?.id;
    until("the bystander has all four", async || Ok((delivered(&app.simulators.calls_for(&other).await?) == 4).then_some(()))).await?;
    let notification = until("nothing is owed to the person", async || {
        let notification = shop.notification(&held).await?;
        let owed = ["queued", "waiting", "in_flight"];
        let over = notification["deliveries"].as_array().is_some_and(|all| all.iter().all(|one| !owed.iter().any(|state| one["status"] == *state)));
        Ok(over.then_some(notification))
    })
    .await?;
    assert_eq!(app.simulators.calls_for(&held).await?.len(), before.len(), "{notification:#}");
    let refused = shop.attempt_send(PERSON, json!({})).await?;
    assert_eq!(refused["code"], "RECIPIENT_ERASED", "{refused}");
    assert!(shop.attempt("upsertRecipient", "UpsertRecipientInput", "", json!({ "id": PERSON })).await?["code"].is_string(), "the id cannot be taken up again");
    Ok(())
}

#[tokio::test]
async fn the_story_stays_without_its_content_and_everything_can_be_built_anew() -> Result<()> {
    let mut app = App::start().await?;
    let shop = app.sender("shop").await?;
    let (told, _) = told_and_held(&app, &shop).await?;
    let bystanders = shop.send("bystander", json!({ "channels": ["IN_APP"] })).await?;
    let before = shop.story(&told).await?;
    let phone = shop.as_recipient(PERSON).await?;
    erase(&shop).await?;

    for restarted in [false, true] {
        if restarted {
            app.stop().await?;
            app.start_server().await?;
        }
        let notification = shop.notification(&told).await?;
        for field in ["content", "recipient", "metadata"] {
            assert_eq!(notification[field], Value::Null, "{field}");
        }
        assert_eq!(shop.story(&told).await?, before);
        assert_eq!(markers_in(notification.to_string().as_bytes()), Vec::<&str>::new());
        let answer =
            phone.ask("{ notifications { edges { node { id content { title } } } } recipient { id attributes addresses { value } } }", json!({})).await?;
        assert_eq!(markers_in(answer.body.to_string().as_bytes()), Vec::<&str>::new());

        let listed: Value = serde_json::from_slice(&app.run(&["projection", "list", "--json"]).await?.stdout)?;
        // What is owed is kept beside the log and listed too; it is no read model.
        let kept = |view: &&Value| ["file", "schema"].iter().any(|place| view[*place].as_str().is_some_and(|place| place.contains("view")));
        let views = listed.as_array().context("no list")?.iter().filter(kept);
        let names: Vec<&str> = views.filter_map(|view| view["name"].as_str()).collect();
        assert!(names.len() >= 3, "{listed}");
        for name in names {
            let rebuilt = app.run(&["projection", "rebuild", name]).await?;
            assert!(rebuilt.status.success(), "{name}: {rebuilt:?}");
        }
        let history = app.admin.query(r#"{ notifications(recipient: "bystander") { edges { node { id content { body } } } } }"#, json!({})).await?;
        assert_eq!(history["notifications"]["edges"], json!([{ "node": { "id": bystanders.id, "content": { "body": "How are you?" } } }]));
        if app.stores().is_empty() {
            assert_clean(&app.data())?;
        }
    }
    Ok(())
}

/// By looking into the files.
mod embedded {
    use super::*;

    #[tokio::test]
    async fn after_an_erasure_no_file_no_line_and_no_figure_holds_anything_of_the_person() -> Result<()> {
        let app = App::with("[log]\nlevel = \"debug\"\n").await?;
        let shop = app.sender("shop").await?;
        let (told, _) = told_and_held(&app, &shop).await?;
        let phone = shop.as_recipient(PERSON).await?;
        let seen = phone.query("{ notifications { edges { node { content { title } } } } recipient { id attributes addresses { value } } }", json!({})).await?;
        assert!(!markers_in(seen.to_string().as_bytes()).is_empty(), "there was something to erase: {seen}");
        app.run(&["trace", &told]).await?;
        let before = wrapped_keys(&app)?;
        erase(&shop).await?;
        let left = wrapped_keys(&app)?;

        // Whatever may write comes before the search.
        let (_, figures) = app.admin.get("/metrics").await?;
        let backup = app.root().join("backup");
        let made = app.run(&["backup", &backup.display().to_string()]).await?;
        assert!(made.status.success(), "{made:?}");
        let printed = app.printed()?;
        assert!(printed.contains("DEBUG") && figures.contains("bongsu_"), "there is something to search: {printed}{figures}");
        assert_eq!(markers_in(printed.as_bytes()), Vec::<&str>::new());
        assert_eq!(markers_in(figures.as_bytes()), Vec::<&str>::new());

        let destroyed: Vec<Vec<u8>> = before.into_iter().filter(|key| !left.contains(key)).collect();
        assert_eq!(destroyed.len(), 1, "one person's key");
        for folder in [app.data(), backup] {
            assert_clean(&folder)?;
            for (name, bytes) in files(&folder)? {
                assert!(!contains(&bytes, &destroyed[0]), "the destroyed key is still in {name}");
            }
        }
        Ok(())
    }
}
