use super::pages::{Pages, category};
use axum::http::StatusCode;
use commands::links::Purpose;
use domain::subscription::{Scope, Source};
use domain::values::Channel;

async fn path(pages: &Pages) -> String {
    format!("/p/{}", pages.token(Purpose::Preferences, ""))
}

#[tokio::test]
async fn it_shows_what_is_so() {
    let pages = Pages::start().await;
    let path = path(&pages).await;
    let before = pages.app.head();
    let shown = pages.get(&path).await;
    assert_eq!(shown.status, StatusCode::OK);
    for part in [
        "value=\"nothing=0\"",
        "value=\"untracked=0\"",
        "value=\"channel:email=1\"",
        "value=\"category:news=1\"",
        "value=\"category:offers=0\"",
        "checked disabled> Security",
        "News &amp; &lt;views&gt;",
        "time zone UTC",
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    assert!(!shown.text.contains("category:alerts"), "a required one is no switch");
    let found = pages.get(&format!("{path}?q=OFFER%20")).await.text;
    assert!(found.contains("category:offers") && !found.contains("category:news"), "{found}");
    let none = pages.get(&format!("{path}?q=%22%3E%3Cb%3E")).await.text;
    assert!(none.contains("No kind of message fits") && none.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{none}");
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn many_categories_are_searched_for() {
    let pages = Pages::start().await;
    for number in 0..100 {
        pages.define(&format!("kind-{number}"), &format!("Kind {number}"), false, true).await;
    }
    let path = path(&pages).await;
    let shown = pages.get(&path).await.text;
    assert!(shown.contains(" more; search for them") && shown.matches("type=\"checkbox\" name=\"on\" value=\"category:").count() < 100, "{shown}");
    assert!(pages.get(&format!("{path}?q=kind+99")).await.text.contains("category:kind-99"));
    pages.app.stop().await;
}

#[tokio::test]
async fn it_saves_what_was_changed_on_it_and_nothing_else() {
    let pages = Pages::start().await;
    let path = path(&pages).await;
    let body = "shown=nothing%3D0&shown=category%3Anews%3D1&shown=category%3Aoffers%3D0&on=category%3Aoffers&shown=channel%3Aemail%3D1\
                &shown=prefer%3Ain_app%3D0&on=prefer%3Ain_app&quiet_from=22%3A00&quiet_to=07%3A00&quiet_from_was=&quiet_to_was=&pause=8h";
    let now = pages.app.services.engine.clock.now();
    let saved = pages.post(&path, body).await;
    assert!(saved.text.contains("Your settings are saved") && saved.text.contains("value=\"22:00\"") && saved.text.contains("On until"), "{}", saved.text);
    let state = pages.subscription().await;
    assert_eq!(state.switches.get(&category("news")), Some(&false));
    assert_eq!(state.switches.get(&category("offers")), Some(&true));
    assert_eq!(state.switches.get(&Scope::Channel(Channel::Email)), Some(&false));
    assert_eq!(state.preferred_channels, [Channel::InApp]);
    assert!(state.quiet_hours.is_some() && state.do_not_disturb_until.unwrap() >= now + 8 * 3_600_000);
    let consents = pages.consents().await;
    assert!(consents.iter().all(|(_, _, source, evidence)| *source == Source::PreferencePage && evidence.ip.is_some()), "{consents:?}");

    // The same form once more: what it says was so then is no wish of today.
    let before = pages.app.head();
    let stale = "shown=category%3Anews%3D1&on=category%3Anews&shown=category%3Aoffers%3D0";
    assert!(pages.post(&path, stale).await.text.contains("There was nothing to change"));
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_saved_changes_nothing_at_all() {
    let pages = Pages::start().await;
    let path = path(&pages).await;
    let before = pages.app.head();
    for (body, status, code) in [
        ("shown=category%3Anews%3D1&shown=category%3Aalerts%3D1", StatusCode::CONFLICT, "REQUIRED_CATEGORY"),
        ("shown=category%3Anews%3D1&shown=category%3Anone%3D1", StatusCode::BAD_REQUEST, "FORM_INVALID"),
        ("shown=category%3Anews%3D1&quiet_from=09%3A00&quiet_to=09%3A00", StatusCode::BAD_REQUEST, "QUIET_HOURS_INVALID"),
        ("shown=category%3Anews%3D1&pause=forever", StatusCode::BAD_REQUEST, "FORM_INVALID"),
    ] {
        pages.post(&path, body).await.refused(status, code);
    }
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn staff_get_a_link_to_it_and_a_rehearsal_does_not() {
    let pages = Pages::start().await;
    let query = r#"{ preferenceLink(recipient: "alice") { ... on PreferenceLink { url expiresAt } ... on Problem { code } } }"#;
    let shop = pages.app.sender("shop", "").await;
    let answer = pages.app.ask(&shop, query).await;
    let url = answer.data()["preferenceLink"]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://acme.test").unwrap();
    assert!(pages.get(path).await.text.contains("Your notification settings"));
    let unknown = query.replace("alice", "nobody");
    assert_eq!(pages.app.ask(&shop, &unknown).await.data()["preferenceLink"]["code"], "RECIPIENT_NOT_FOUND");
    let sandbox = pages.app.sender("test", ", sandbox: true").await;
    assert_eq!(pages.app.ask(&sandbox, query).await.code(), "FORBIDDEN");
    pages.app.stop().await;
}
