use super::pages::{Pages, category};
use crate::auth::limits::Rates;
use crate::http::links::LinkPages;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use commands::accept::subscription_stream;
use commands::links::Purpose;
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription};
use domain::values::{CategoryKey, Channel};

const DAY_MS: i64 = 86_400_000;
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

#[tokio::test]
async fn looking_changes_nothing_however_often_and_by_whom() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    let before = pages.app.head();
    for _ in 0..10 {
        let shown = pages.get(&path).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(shown.text.contains("News &amp; &lt;views&gt;") && shown.text.contains("value=\"unsubscribe\""), "{}", shown.text);
    }
    let peeked = pages.ask(Request::head(&path), Body::empty()).await;
    assert_eq!((peeked.status, peeked.text.as_str()), (StatusCode::OK, ""));
    // The click is one by POST only, whatever the address says.
    assert_eq!(pages.get(&format!("{path}?{ONE_CLICK}&action=unsubscribe&scope=all")).await.status, StatusCode::OK);
    assert_eq!(pages.ask(Request::put(&path), Body::from(ONE_CLICK)).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn one_click_switches_off_and_is_answered_plainly() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    for _ in 0..2 {
        let answer = pages.post(&path, ONE_CLICK).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "unsubscribed\n"));
        assert!(answer.header("content-type").starts_with("text/plain"));
        assert!(!answer.headers.contains_key(header::SET_COOKIE) && !answer.headers.contains_key(header::LOCATION));
    }
    let consents = pages.consents().await;
    let [(scope, false, Source::OneClick, evidence)] = consents.as_slice() else { panic!("{consents:?}") };
    assert_eq!(*scope, category("news"));
    assert_eq!((evidence.ip.as_deref(), evidence.user_agent.as_deref()), (Some("198.51.100.7"), Some("Browser/1")));
    pages.app.stop().await;
}

#[tokio::test]
async fn the_page_s_own_form_switches_off_and_on_again() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    let done = pages.post(&path, "scope=category&action=unsubscribe").await;
    assert!(done.text.contains("role=\"status\"") && done.text.contains("value=\"resubscribe\""), "{}", done.text);
    assert_eq!(pages.is(category("news")).await, Some(false));
    assert!(pages.get(&path).await.text.contains("is switched off for you"));
    pages.post(&path, "scope=category&action=resubscribe").await;
    assert_eq!(pages.is(category("news")).await, Some(true));

    pages.post(&path, "scope=all&action=unsubscribe").await;
    assert_eq!(pages.is(Scope::All).await, Some(false));
    let shown = pages.get(&path).await;
    assert!(shown.text.contains("name=\"scope\" value=\"all\"") && shown.text.contains("resubscribe"), "{}", shown.text);
    pages.post(&path, "scope=all&action=resubscribe").await;
    assert_eq!(pages.is(Scope::All).await, None);
    assert!(pages.consents().await.iter().all(|consent| consent.2 == Source::UnsubscribeLink));
    pages.app.stop().await;
}

#[tokio::test]
async fn mails_that_were_asked_for_stop_with_their_category_and_come_back_with_it() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    let mails = || Scope::CategoryChannel { category: CategoryKey::new("news").unwrap(), channel: Channel::Email };
    let turn = async |subscribed| {
        let (by, source, evidence) = (ChangedBy::Sender, Source::Api, Evidence::default());
        let set = SetSubscription { recipient: pages.alice, scope: mails(), subscribed, by, source, evidence, required: false };
        let engine = &pages.app.services.engine;
        engine.bus.execute::<Subscription>(subscription_stream(pages.alice), &LinkPages::metadata(), set.into()).await.unwrap();
    };
    turn(true).await;
    assert_eq!(pages.post(&path, ONE_CLICK).await.status, StatusCode::OK);
    assert_eq!((pages.is(category("news")).await, pages.is(mails()).await), (Some(false), Some(false)));
    pages.post(&path, "scope=category&action=resubscribe").await;
    assert_eq!((pages.is(category("news")).await, pages.is(mails()).await), (Some(true), Some(true)));
    // The page speaks of mails.
    turn(false).await;
    assert!(pages.get(&path).await.text.contains("is switched off for you"));
    pages.app.stop().await;
}

#[tokio::test]
async fn a_required_category_cannot_be_switched_off_and_says_so() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "alerts"));
    let before = pages.app.head();
    assert!(pages.get(&path).await.text.contains("cannot be switched off"));
    pages.post(&path, "scope=category&action=unsubscribe").await.refused(StatusCode::CONFLICT, "REQUIRED_CATEGORY");
    let answer = pages.post(&path, ONE_CLICK).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.starts_with("REQUIRED_CATEGORY: "), "{}", answer.text);
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn links_that_are_forged_old_or_for_another_purpose_change_nothing() {
    let pages = Pages::start().await;
    let good = pages.token(Purpose::Unsubscribe, "news");
    let forged = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { 'Q' } else { 'A' });
    let old = pages.token_of(Purpose::Unsubscribe, "news", pages.app.services.engine.clock.now() - 182 * DAY_MS);
    let preferences = pages.token(Purpose::Preferences, "");
    let before = pages.app.head();
    for (path, status, code) in [
        (format!("/u/{forged}"), StatusCode::BAD_REQUEST, "LINK_INVALID"),
        (format!("/p/{forged}"), StatusCode::BAD_REQUEST, "LINK_INVALID"),
        ("/u/x".to_owned(), StatusCode::BAD_REQUEST, "LINK_INVALID"),
        (format!("/u/{}", "A".repeat(5_000)), StatusCode::BAD_REQUEST, "LINK_INVALID"),
        (format!("/u/{old}"), StatusCode::GONE, "LINK_EXPIRED"),
        (format!("/u/{preferences}"), StatusCode::BAD_REQUEST, "LINK_OTHER_PURPOSE"),
        (format!("/p/{good}"), StatusCode::BAD_REQUEST, "LINK_OTHER_PURPOSE"),
    ] {
        pages.get(&path).await.refused(status, code);
        pages.post(&path, ONE_CLICK).await.refused(status, code);
        pages.post(&path, "scope=category&action=unsubscribe").await.refused(status, code);
    }
    // Forms that no page of ours has.
    for body in ["", "scope=category", "action=unsubscribe", "scope=device&action=unsubscribe", "scope=all&action=erase", "list-unsubscribe=one-click"] {
        pages.post(&format!("/u/{good}"), body).await.refused(StatusCode::BAD_REQUEST, "FORM_INVALID");
    }
    pages.post(&format!("/u/{good}"), &format!("a={}", "x".repeat(70_000))).await.refused(StatusCode::BAD_REQUEST, "FORM_INVALID");
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_while_links_that_hold_go_on() {
    let pages = Pages::with(1, Rates::default()).await;
    for _ in 0..2 {
        pages.get("/u/guess").await.refused(StatusCode::BAD_REQUEST, "LINK_INVALID");
    }
    let slowed = pages.get("/u/guess").await;
    slowed.refused(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert_eq!(slowed.header("retry-after"), "1");
    let good = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    assert_eq!(pages.post(&good, ONE_CLICK).await.status, StatusCode::OK);
    pages.app.stop().await;

    let pages = Pages::with(0, Rates { key: 0, recipient: 1 }).await;
    let good = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    for _ in 0..2 {
        assert_eq!(pages.get(&good).await.status, StatusCode::OK);
    }
    pages.get(&good).await.refused(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    pages.app.stop().await;
}

#[tokio::test]
async fn nobody_keeps_frames_or_learns_the_address_of_a_page() {
    let pages = Pages::start().await;
    let good = pages.token(Purpose::Unsubscribe, "news");
    for path in [format!("/u/{good}"), "/u/x".to_owned(), format!("/p/{}", pages.token(Purpose::Preferences, ""))] {
        let shown = pages.get(&path).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(shown.header(name), value, "{path}");
        }
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!shown.text.contains("<script") && !shown.text.contains("alice"), "{}", shown.text);
    }
    pages.app.stop().await;
}

#[tokio::test]
async fn the_person_s_language_comes_before_the_browser_s() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    let asked = async |languages: &str| pages.ask(Request::get(&path).header(header::ACCEPT_LANGUAGE, languages), Body::empty()).await;
    let korean = asked("ko-KR,en;q=0.5").await;
    assert!(korean.text.contains("<html lang=\"ko\">") && korean.text.contains("수신 거부"), "{}", korean.text);
    assert!(asked("fr").await.text.contains("<html lang=\"en\">"));
    let upsert = r#"mutation { upsertRecipient(input: {id: "alice", locale: "ko-KR"}) { __typename } }"#;
    pages.app.ask(&pages.app.administrator, upsert).await.data();
    assert!(asked("en").await.text.contains("<html lang=\"ko\">"));
    pages.app.stop().await;
}

#[tokio::test]
async fn of_somebody_erased_nothing_is_kept_or_said() {
    let pages = Pages::start().await;
    let path = format!("/u/{}", pages.token(Purpose::Unsubscribe, "news"));
    let erase = r#"mutation { eraseRecipient(input: {recipient: "alice"}) { __typename } }"#;
    pages.app.ask(&pages.app.administrator, erase).await.data();
    let before = pages.app.head();
    pages.get(&path).await.refused(StatusCode::GONE, "LINK_GONE");
    pages.post(&path, "scope=category&action=unsubscribe").await.refused(StatusCode::GONE, "LINK_GONE");
    assert_eq!(pages.post(&path, ONE_CLICK).await.status, StatusCode::OK, "nothing is sent to them, as they want");
    assert_eq!(pages.app.head(), before);
    pages.app.stop().await;
}
