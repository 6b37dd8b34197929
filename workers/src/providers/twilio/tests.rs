#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::{Sender, Settings, Twilio, TwilioReceipts, error_map, look_up, validity};
use crate::providers::callbacks::{CallbackRequest, Callbacks as _};
use crate::providers::http::Credential;
use crate::providers::testing::{expect, message, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, Misconfigured, Outcome, SentAs, ThrottleScope};
use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        account_sid: simulators.credentials.twilio_account_sid.clone(),
        api_key: None,
        auth_token: Credential::new(simulators.credentials.twilio_auth_token.clone()),
        sender: Sender::From(simulators.credentials.twilio_from.clone()),
        status_callback: Some("https://n.example/cb?tenant=t1".parse().unwrap()),
        base_url: format!("http://{}/", simulators.twilio),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn twilio(settings: &Settings) -> Twilio {
    Twilio::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(number: &str) -> Message {
    message(number, None)
}

fn saying(number: &str, body: String) -> Message {
    Message { content: Arc::new(Content { body, ..Content::default() }), ..to(number) }
}

#[tokio::test]
async fn a_text_message_arrives_once_with_our_ids_and_its_segments() {
    let (simulators, settings) = started().await;
    let twilio = twilio(&settings);
    assert_eq!(twilio.check().await, Ok(()));
    assert_eq!(simulators.ledger().last_seq(), 0);
    let Outcome::Accepted { provider_id: Some(sid) } = twilio.send(&to("+821023456789")).await else { panic!("not accepted") };
    twilio.send(&saying("+821023456789", "한".repeat(71))).await;
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].notification.as_deref(), Some("00000000-0000-0000-0000-000000000077"));
    assert_eq!((entries[0].delivery, entries[0].attempt, entries[0].provider_id.as_deref()), (Some(3), Some(2), Some(sid.as_str())));
    assert_eq!((entries[0].segments, entries[1].segments), (Some(1), Some(2)));
    let sent = simulators.messages().latest(simulators::Provider::Twilio, 2);
    let raw = std::str::from_utf8(&sent[0].raw).unwrap();
    assert!(raw.contains("To=%2B821023456789&") && raw.contains("Body=Paid%0AOrder+42"), "{raw}");
    assert!(raw.contains("StatusCallback=https%3A%2F%2Fn.example%2Fcb%3Ftenant%3Dt1%26nid%3D"), "{raw}");
    assert!(raw.contains("%26attempt%3D2%23rc%3D5%26rp%3Dall"), "{raw}");
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (simulators, settings) = started().await;
    let twilio = twilio(&settings);
    let long = saying("+821023456789", "a".repeat(1_601));
    let empty = saying("+821023456789", String::new());
    expect(
        &twilio,
        &[
            (to("+15005550001"), "bad address", "400 21211"),
            (to("+15005550003"), "bad address", "400 21408"),
            (to("+15005550004"), "bad address", "400 21610"),
            (to("+15005550009"), "bad address", "400 21614"),
            (to("+1500556089"), "throttled", "429 20429"),
            (to("+1500556089"), "accepted", ""),
            (to("+1500556091"), "unknown", "503 20503"),
            (to("+1500556101"), "misconfigured", "400 21606"),
            (to("+1500556111"), "misconfigured", "401 20003"),
            (to("+1500556121"), "permanent", "400 21617"),
            (long, "permanent", "text over 1600 characters"),
            (empty, "permanent", "400 21602"),
        ],
    )
    .await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn without_a_verdict_nobody_knows() {
    let (simulators, mut settings) = started().await;
    let patient = twilio(&settings);
    let gone = "connection broken";
    expect(
        &patient,
        &[
            (to("+1500556011"), "unknown", gone),
            (to("+1500556021"), "unknown", "503 20503"),
            (to("+1500556031"), "unknown", gone),
            (to("+1500556041"), "unknown", "200 with another body"),
            (to("+1500556051"), "unknown", "200 with another body"),
        ],
    )
    .await;
    settings.timeout = Duration::from_millis(300);
    expect(&twilio(&settings), &[(to("+1500556061"), "unknown", "no answer in time")]).await;
    simulators.shutdown().await;
    expect(&patient, &[(to("+821023456789"), "retry", "no connection")]).await;
}

#[tokio::test]
async fn what_was_created_without_an_answer_is_found_and_not_created_again() {
    let (simulators, settings) = started().await;
    let twilio = twilio(&settings);
    let now = commands::ports::Clock::now(&SystemClock::default());
    let first = Message { requested_at: now, ..to("+1500556011") };
    assert_eq!(told(&twilio.send(&first).await).0, "unknown");
    let created = simulators.ledger().entries(0, 10).remove(0).provider_id;
    let again = Message { after_unknown: true, attempt: 3, ..first.clone() };
    assert_eq!(twilio.send(&again).await, Outcome::Accepted { provider_id: created });
    assert_eq!(simulators.ledger().last_seq(), 1, "nothing was sent again");
    // Another text, an older message, or none at all: it goes out.
    let other = Message { content: Arc::new(Content { body: "other".to_owned(), ..Content::default() }), ..again.clone() };
    let later = Message { requested_at: now + 60_000, ..again.clone() };
    let lost = Message { after_unknown: true, requested_at: now, ..to("+821023456789") };
    for message in [other, later, lost] {
        assert_eq!(told(&twilio.send(&message).await).0, "accepted");
    }
    assert_eq!(simulators.ledger().last_seq(), 4);
    simulators.shutdown().await;
    assert_eq!(told(&twilio.send(&again).await), ("retry", "no answer to the look-up".to_owned()));
}

#[tokio::test]
async fn wrong_credentials_are_said_before_anything_is_sent() {
    let (simulators, mut settings) = started().await;
    settings.auth_token = Credential::new("wrong");
    let twilio_ = twilio(&settings);
    assert!(twilio_.check().await.unwrap_err().contains("auth_token"));
    expect(&twilio_, &[(to("+821023456789"), "misconfigured", "401 20003")]).await;
    settings.account_sid = "AC/../x".to_owned();
    assert!(Twilio::new(&settings, Arc::new(SystemClock::default())).is_err());
    simulators.shutdown().await;
}

#[test]
fn codes_come_before_statuses_and_both_forms_are_read() {
    let map = |status, body: &str| error_map::outcome(status, Some(Duration::from_secs(3)), body.as_bytes()).0;
    let wait = Some(Duration::from_secs(3));
    assert_eq!(map(400, r#"{"code":20429}"#), Outcome::Throttled { after: wait, scope: ThrottleScope::Provider, code: "400 20429".to_owned() });
    assert_eq!(
        map(400, r#"{"type":"x","title":"t","status":400,"code":21211,"detail":"d"}"#),
        Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "400 21211".to_owned() }
    );
    assert_eq!(map(403, "<html>"), Outcome::Misconfigured { scope: Misconfigured::Credential, code: "403 with another body".to_owned() });
    for (status, body, kind) in [
        (201, r#"{"sid":"SM1"}"#, "unknown"),
        (201, "", "unknown"),
        (301, "", "retry"),
        (404, r#"{"code":20404}"#, "misconfigured"),
        (429, "", "throttled"),
        (429, r#"{"code":21611}"#, "throttled"),
        (400, r#"{"code":99999}"#, "permanent"),
        (500, r#"{"code":20500}"#, "unknown"),
    ] {
        assert_eq!(told(&map(status, body)).0, kind, "{status} {body}");
    }
    let created = format!(r#"{{"sid":"SM{:032}","num_segments":"3"}}"#, 1);
    assert_eq!(error_map::outcome(201, None, created.as_bytes()).1, Some(3));
}

#[test]
fn a_list_is_read_for_the_same_text_since_the_request() {
    let list = |status: &str, moment: &str| format!(r#"{{"messages":[{{"sid":"SM1","body":"a","status":"{status}","date_created":"{moment}"}}]}}"#);
    let (moment, at) = ("Tue, 14 Nov 2023 22:13:20 +0000", 1_700_000_000_000);
    let found = |list: &str, at| look_up::found(list.as_bytes(), "a", at).unwrap();
    assert_eq!(found(&list("sent", moment), at).as_deref(), Some("SM1"));
    assert_eq!((found(&list("failed", moment), at), found(&list("sent", moment), at + 6_000), found(&list("sent", "?"), at)), (None, None, None));
    assert!(look_up::found(b"<html>", "a", at).is_err());
    assert_eq!(look_up::query("+82", at).unwrap()[1], ("DateSent>", "2023-11-14".to_owned()));
}

#[test]
fn a_message_is_kept_as_long_as_it_is_worth() {
    assert_eq!(validity(None, 0), None);
    assert_eq!(validity(Some(90_500), 0), Some(90));
    assert_eq!(validity(Some(0), 5_000), Some(1));
    assert_eq!(validity(Some(36_000_000), 0), None);
}

#[tokio::test]
async fn a_text_comes_from_whom_its_category_says_also_out_of_a_services_pool() {
    let (simulators, mut settings) = started().await;
    let own = || Message { from: Some(SentAs::Number("ORDERS".to_owned())), ..to("+821023456789") };
    expect(&twilio(&settings), &[(own(), "accepted", "")]).await;
    settings.sender = Sender::Service("MG00000000000000000000000000000001".to_owned());
    expect(&twilio(&settings), &[(own(), "accepted", ""), (to("+821023456789"), "accepted", "")]).await;
    let sent = simulators.messages().latest(simulators::Provider::Twilio, 3);
    let form = |place: usize| {
        url::form_urlencoded::parse(&sent[place].raw).into_owned().filter(|(name, _)| name == "From" || name.starts_with("Messaging")).collect::<Vec<_>>()
    };
    let service = ("MessagingServiceSid".to_owned(), "MG00000000000000000000000000000001".to_owned());
    let from = ("From".to_owned(), "ORDERS".to_owned());
    assert_eq!((form(0), form(1), form(2)), (vec![from.clone()], vec![service.clone(), from], vec![service]));
    simulators.shutdown().await;
}

#[tokio::test]
async fn reports_come_again_while_they_cannot_be_taken_in_and_are_signed_without_the_fragment() {
    let (simulators, mut settings) = started().await;
    let (heard, mut calls) = tokio::sync::mpsc::channel(16);
    let busy = Arc::new(AtomicUsize::new(2));
    let door = axum::Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let _ = heard.try_send((uri.query().unwrap_or_default().to_owned(), headers, body));
        let left = busy.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        std::future::ready(if left.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, door).into_future());
    let plan = reqwest::Client::new().post(format!("http://{}/_sim/callbacks", simulators.admin)).json(&serde_json::json!({ "base": base }));
    assert!(plan.send().await.unwrap().status().is_success());
    expect(&twilio(&settings), &[(to("+821023456789"), "accepted", "")]).await;
    let receipts = TwilioReceipts::new(settings.status_callback.clone().unwrap(), &settings.auth_token);
    let mut said = Vec::new();
    // «Sent» three times, then «delivered».
    for _ in 0..4 {
        let (query, headers, body) = calls.recv().await.unwrap();
        assert!(query.contains("attempt=2") && !query.contains("rc"), "{query}");
        said.push(receipts.read(&CallbackRequest { query: &query, headers: &headers, body: &body, now: 0 }).unwrap().len());
    }
    assert_eq!(said, [0, 0, 0, 1]);
    // Who says otherwise is left alone.
    settings.status_callback = Some("https://n.example/cb#rc=0".parse().unwrap());
    expect(&twilio(&settings), &[(to("+821023456789"), "accepted", "")]).await;
    let sent = simulators.messages().latest(simulators::Provider::Twilio, 1);
    assert!(std::str::from_utf8(&sent[0].raw).unwrap().contains("%23rc%3D0"));
    simulators.shutdown().await;
}
