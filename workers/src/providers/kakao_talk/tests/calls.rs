//! Calls to the simulator.

use super::super::{KakaoTalk, Settings};
use crate::providers::http::Credential;
use crate::providers::testing::{expect, message, told};
use crate::providers::{Message, Provider as _};
use crate::simulators::{self, Action, Provider, Rule, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{Content, Outcome};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn settings_of(base_url: &str) -> Settings {
    Settings {
        app_key: "app".to_owned(),
        secret_key: Credential::new("secret"),
        sender_key: "sender".to_owned(),
        template: None,
        sms_fallback_from: None,
        base_url: base_url.to_owned(),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    }
}

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = settings(&simulators);
    (simulators, settings)
}

pub(super) fn settings(simulators: &RunningSimulators) -> Settings {
    let credentials = &simulators.credentials;
    Settings {
        app_key: credentials.kakao_app_key.clone(),
        secret_key: Credential::new(credentials.kakao_secret_key.clone()),
        sender_key: credentials.kakao_sender_key.clone(),
        template: Some(credentials.kakao_template.clone()),
        sms_fallback_from: Some(credentials.kakao_fallback_from.clone()),
        ..settings_of(&format!("http://{}", simulators.kakao_talk))
    }
}

fn provider(settings: &Settings) -> KakaoTalk {
    KakaoTalk::new(settings, Arc::new(SystemClock::default())).unwrap()
}

/// The delivery's number keeps the keys of one test apart.
fn to(delivery: u16, number: &str) -> Message {
    Message { delivery, ..message(number, None) }
}

fn with(data: &Value, message: Message) -> Message {
    Message { content: Arc::new(Content { body: "Order 42".to_owned(), data: Some(data.to_string()), ..Content::default() }), ..message }
}

fn again(message: &Message) -> Message {
    Message { attempt: message.attempt + 1, after_unknown: true, ..message.clone() }
}

#[tokio::test]
async fn a_message_arrives_by_its_template_with_our_ids() {
    let (simulators, settings) = started().await;
    let kakao_talk = provider(&settings);
    assert_eq!(kakao_talk.check().await, Ok(()));
    let Outcome::Accepted { provider_id: Some(id) } = kakao_talk.send(&to(1, "+821023456789")).await else { panic!("not accepted") };
    let named = json!({ "kakao_talk": { "template": "ORDER_PAID", "variables": { "name": "김봉수", "order": 42 } } });
    let sent = kakao_talk.send(&with(&named, to(2, "+14155550123"))).await;
    assert!(matches!(sent, Outcome::Accepted { .. }), "{sent:?}");
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!((entries[0].notification.as_deref(), entries[0].provider_id.as_deref()), (Some("00000000-0000-0000-0000-000000000077"), Some(id.as_str())));
    assert_eq!((entries[0].delivery, entries[0].attempt, entries.len()), (Some(1), Some(2), 2));
    let messages = simulators.messages().latest(Provider::KakaoTalk, 10);
    assert_eq!(messages.iter().map(|message| message.address.as_str()).collect::<Vec<_>>(), ["01023456789", "14155550123"]);
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means_though_most_are_answered_200() {
    let (simulators, mut settings) = started().await;
    let template = |code: &str, delivery| with(&json!({ "kakao_talk": { "template": code } }), to(delivery, "+821023456789"));
    expect(
        &provider(&settings),
        &[
            (to(1, "+15005550001"), "bad address", "result -4019"),
            (to(2, "+15005550003"), "permanent", "result 4"),
            (to(3, "+1500556081"), "throttled", "429"),
            (to(3, "+1500556081"), "accepted", ""),
            (to(4, "+1500556091"), "retry", "result -9999"),
            (to(4, "+1500556091"), "accepted", ""),
            (to(5, "+1500556101"), "misconfigured", "result -2017"),
            (to(6, "+1500556111"), "misconfigured", "result -1001"),
            (to(7, "+1500556121"), "permanent", "result -3004"),
            (template("NOBODYS", 8), "permanent", "result -3003"),
            (template("PENDING", 8), "permanent", "result -3005"),
            (template("ORDER_PAID", 8), "permanent", "result -3004"),
            (template("not a code", 8), "permanent", "data.kakao_talk.template is not 1 to 20 characters"),
        ],
    )
    .await;
    settings.sms_fallback_from = Some("0200000000".to_owned());
    expect(&provider(&settings), &[(to(9, "+821023456789"), "misconfigured", "result -1003")]).await;
    settings.secret_key = Credential::new("wrong");
    expect(&provider(&settings), &[(to(9, "+821023456789"), "misconfigured", "result -1001")]).await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn what_was_taken_without_a_word_is_found_by_our_key_and_not_sent_twice() {
    let (simulators, settings) = started().await;
    let kakao_talk = provider(&settings);
    for (delivery, number, code) in [(1, "+1500556011", "connection broken"), (2, "+1500556021", "503")] {
        let message = to(delivery, number);
        expect(&kakao_talk, &[(message.clone(), "unknown", code)]).await;
        let entry = simulators.ledger().entries(0, 10).pop().unwrap();
        assert!(entry.delivered);
        assert_eq!(kakao_talk.send(&again(&message)).await, Outcome::Accepted { provider_id: entry.provider_id });
        // Also where nobody says that an attempt came before: the key is known, and the list gives the verdict.
        assert!(matches!(kakao_talk.send(&message).await, Outcome::Accepted { .. }));
    }
    assert_eq!(simulators.ledger().counters().kakao_talk.delivered, 2);
    simulators.shutdown().await;
}

#[tokio::test]
async fn after_ten_minutes_the_key_is_free_and_the_list_still_keeps_it_from_going_twice() {
    let (simulators, settings) = started().await;
    let kakao_talk = provider(&settings);
    let message = to(1, "+1500556011");
    expect(&kakao_talk, &[(message.clone(), "unknown", "connection broken")]).await;
    simulators.clock().set_offset_seconds(601);
    assert!(matches!(kakao_talk.send(&again(&message)).await, Outcome::Accepted { .. }));
    assert_eq!(simulators.ledger().counters().kakao_talk.arrivals, 1);
    simulators.shutdown().await;
}

#[tokio::test]
async fn what_never_arrived_is_sent_again() {
    let (simulators, mut settings) = started().await;
    let kakao_talk = provider(&settings);
    for (delivery, number, code) in
        [(1, "+1500556031", "connection broken"), (2, "+1500556041", "200 with another body"), (3, "+1500556051", "200 with another body")]
    {
        let message = to(delivery, number);
        expect(&kakao_talk, &[(message.clone(), "unknown", code), (again(&message), "accepted", "")]).await;
    }
    settings.timeout = Duration::from_millis(300);
    expect(&provider(&settings), &[(to(4, "+1500556061"), "unknown", "no answer in time")]).await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_known_key_without_a_message_is_left_open_until_the_list_or_a_free_key_settles_it() {
    let (simulators, settings) = started().await;
    let kakao_talk = provider(&settings);
    let known = Action::Error { status: 400, reason: "-1005".to_owned(), retry_after: None, at: None };
    simulators.rules().add(Rule::all(Provider::KakaoTalk, known).times(1));
    let message = to(1, "+821023456789");
    assert_eq!(told(&kakao_talk.send(&message).await), ("unknown", "result -1005, and nothing is listed".to_owned()));
    assert!(matches!(kakao_talk.send(&again(&message)).await, Outcome::Accepted { .. }));
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_check_says_which_setting_is_wrong() {
    let (simulators, settings) = started().await;
    let wrong = [
        ("app_key", Settings { app_key: "other".to_owned(), ..settings.clone() }),
        ("secret_key", Settings { secret_key: Credential::new("other"), ..settings.clone() }),
        ("sender_key", Settings { sender_key: "other".to_owned(), ..settings.clone() }),
        ("template", Settings { template: Some("OTHER".to_owned()), ..settings.clone() }),
    ];
    for (setting, settings) in wrong {
        assert!(provider(&settings).check().await.unwrap_err().contains(setting), "{setting}");
    }
    let elsewhere = Settings { base_url: format!("http://{}", simulators.slack), ..settings };
    assert!(provider(&elsewhere).check().await.unwrap_err().contains("endpoint"));
    simulators.shutdown().await;
}
