#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::look_up::{self, Found};
use super::{Settings, TwilioVoice, error_map, twiml};
use crate::providers::http::Credential;
use crate::providers::testing::{expect, message, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use commands::ports::{Clock, SystemClock};
use domain::values::{BadAddress, Content, Outcome, SentAs};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        account_sid: simulators.credentials.twilio_account_sid.clone(),
        api_key: None,
        auth_token: Credential::new(simulators.credentials.twilio_auth_token.clone()),
        from: simulators.credentials.twilio_from.clone(),
        language: Some("ko-KR".to_owned()),
        ring: Duration::from_secs(45),
        status_callback: Some("https://n.example/cb".parse().unwrap()),
        base_url: format!("http://{}/", simulators.twilio_voice),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn voice(settings: &Settings) -> TwilioVoice {
    TwilioVoice::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(number: &str) -> Message {
    message(number, None)
}

fn saying(number: &str, body: String) -> Message {
    Message { content: Arc::new(Content { body, ..Content::default() }), ..to(number) }
}

#[tokio::test]
async fn a_call_is_made_once_and_says_what_was_written() {
    let (simulators, settings) = started().await;
    let voice = voice(&settings);
    assert_eq!(voice.check().await, Ok(()));
    let text = "<Dial>+1</Dial> & \"you\"\u{8} 'now'".to_owned();
    let Outcome::Accepted { provider_id: Some(sid) } = voice.send(&saying("+821023456789", text)).await else { panic!("not accepted") };
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].notification.as_deref(), Some("00000000-0000-0000-0000-000000000077"));
    assert_eq!((entries[0].delivery, entries[0].attempt, entries[0].provider_id.as_deref()), (Some(3), Some(2), Some(sid.as_str())));
    let sent = simulators.messages().latest(simulators::Provider::TwilioVoice, 1);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&sent[0].raw).into_owned().collect();
    let of = |name: &str| form.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    let document = "<Response><Say language=\"ko-KR\">&lt;Dial&gt;+1&lt;/Dial&gt; &amp; &quot;you&quot; &apos;now&apos;</Say></Response>";
    assert_eq!(of("Twiml"), [document]);
    assert_eq!((of("Timeout"), of("StatusCallbackEvent").len(), of("Url").len()), (vec!["45"], 4, 0));
    assert!(of("StatusCallback")[0].starts_with("https://n.example/cb?nid=00000000-"), "{form:?}");
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (simulators, mut settings) = started().await;
    expect(
        &voice(&settings),
        &[
            (to("+15005550001"), "bad address", "400 21211"),
            (to("+15005550003"), "bad address", "400 21215"),
            (to("+15005550004"), "bad address", "400 21216"),
            (to("+15005550009"), "bad address", "400 21214"),
            (to("+1500556089"), "throttled", "429 20429"),
            (to("+1500556089"), "accepted", ""),
            (to("+1500556091"), "unknown", "503 20503"),
            (to("+1500556101"), "misconfigured", "400 21210"),
            (to("+1500556111"), "misconfigured", "401 20003"),
            (to("+1500556121"), "permanent", "400 12100"),
            (saying("+821023456789", "&".repeat(800)), "permanent", "text over 4000 characters as XML"),
            (saying("+821023456789", " \n".to_owned()), "permanent", "nothing to read aloud"),
        ],
    )
    .await;
    assert_eq!(
        voice(&settings).send(&to("+1500556088")).await,
        Outcome::Throttled { after: Some(Duration::from_secs(1)), scope: domain::values::ThrottleScope::Provider, code: "429 20429".to_owned() }
    );
    settings.from = "+15005550007".to_owned();
    expect(&voice(&settings), &[(to("+821023456789"), "misconfigured", "400 21210")]).await;
    settings.auth_token = Credential::new("wrong");
    assert!(voice(&settings).check().await.unwrap_err().contains("auth_token"));
    simulators.shutdown().await;
}

#[tokio::test]
async fn without_a_verdict_nobody_knows() {
    let (simulators, mut settings) = started().await;
    let patient = voice(&settings);
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
    expect(&voice(&settings), &[(to("+1500556061"), "unknown", "no answer in time")]).await;
    simulators.shutdown().await;
    expect(&patient, &[(to("+821023456789"), "retry", "no connection")]).await;
}

#[tokio::test]
async fn a_telephone_that_may_have_rung_is_not_rung_on_a_guess() {
    let (simulators, settings) = started().await;
    let voice = voice(&settings);
    let now = SystemClock::default().now();
    let first = Message { requested_at: now, ..to("+1500556011") };
    assert_eq!(told(&voice.send(&first).await).0, "unknown");
    let created = simulators.ledger().entries(0, 10).remove(0).provider_id;
    let again = Message { after_unknown: true, attempt: 3, ..first.clone() };
    assert_eq!(voice.send(&again).await, Outcome::Accepted { provider_id: created });
    assert_eq!(simulators.ledger().last_seq(), 1, "nobody was called again");
    // Another call since then: whose it was, nobody can say.
    assert_eq!(told(&voice.send(&Message { attempt: 1, ..first.clone() }).await).0, "accepted");
    assert_eq!(told(&voice.send(&again).await), ("unknown", "several calls since the request".to_owned()));
    // One that was not made is made.
    let lost = Message { after_unknown: true, requested_at: now, ..to("+821023456789") };
    assert_eq!(told(&voice.send(&lost).await).0, "accepted");
    assert_eq!(simulators.ledger().last_seq(), 3);
    simulators.shutdown().await;
    assert_eq!(told(&voice.send(&again).await), ("retry", "no answer to the look-up".to_owned()));
}

#[test]
fn the_status_of_the_call_counts() {
    let map = |status, body: &str| error_map::outcome(status, None, body.as_bytes());
    let call = |status: &str| format!(r#"{{"sid":"CA{:032}","status":"{status}"}}"#, 1);
    for status in ["queued", "ringing", "in-progress", "completed"] {
        assert_eq!(told(&map(201, &call(status))).0, "accepted", "{status}");
    }
    for status in ["busy", "no-answer", "failed"] {
        assert_eq!(map(201, &call(status)), Outcome::Retry { after: Some(Duration::from_secs(300)), code: format!("call {status}") });
    }
    assert_eq!(told(&map(201, &call("canceled"))).0, "permanent");
    // A text message's id is none of a call.
    assert_eq!(told(&map(201, &call("queued").replace("CA", "SM"))).0, "unknown");
    let bad = |kind, code: &str| Outcome::BadAddress { kind, as_of: None, code: code.to_owned() };
    for (code, outcome) in [
        (21_211, bad(BadAddress::Dead, "400 21211")),
        (21_217, bad(BadAddress::Dead, "400 21217")),
        (21_214, bad(BadAddress::Unsupported, "400 21214")),
        (21_215, bad(BadAddress::Unsupported, "400 21215")),
        (21_216, bad(BadAddress::Unsupported, "400 21216")),
    ] {
        assert_eq!(map(400, &format!(r#"{{"code":{code}}}"#)), outcome);
    }
    for (status, body, kind) in
        [(429, "", "throttled"), (403, "<html>", "misconfigured"), (404, "", "misconfigured"), (500, "", "unknown"), (302, "", "retry"), (201, "", "unknown")]
    {
        assert_eq!(told(&map(status, body)).0, kind, "{status}");
    }
}

#[test]
fn a_list_tells_one_call_from_none_and_from_several() {
    let (moment, at) = ("Tue, 14 Nov 2023 22:13:20 +0000", 1_700_000_000_000);
    let call = |sid: &str, from: &str| format!(r#"{{"sid":"{sid}","from":"{from}","date_created":"{moment}"}}"#);
    let found = |calls: &[String], at| look_up::found(format!(r#"{{"calls":[{}]}}"#, calls.join(",")).as_bytes(), "+1", at).unwrap();
    let (ours, theirs) = (call("CA1", "+1"), call("CA2", "+2"));
    assert_eq!(found(&[ours.clone(), theirs.clone()], at), Found::One("CA1".to_owned()));
    assert_eq!(found(std::slice::from_ref(&theirs), at), Found::None);
    assert_eq!((found(std::slice::from_ref(&ours), at + 6_000), found(&[ours.clone(), ours], at)), (Found::None, Found::Several));
    assert!(look_up::found(b"<html>", "+1", at).is_err());
}

#[test]
fn nothing_written_becomes_markup() {
    assert_eq!(twiml::say("a", None), "<Response><Say>a</Say></Response>");
    assert_eq!(twiml::say("]]>\0\u{b}\u{ffff}<!--", Some("en\"")), "<Response><Say language=\"en&quot;\">]]&gt;&lt;!--</Say></Response>");
}

#[tokio::test]
async fn a_call_comes_from_whom_its_category_says_and_is_looked_for_there() {
    let (simulators, settings) = started().await;
    let voice = voice(&settings);
    let now = SystemClock::default().now();
    let own = Message { from: Some(SentAs::Number("+15005550100".to_owned())), requested_at: now, ..to("+821023456789") };
    expect(&voice, &[(own.clone(), "accepted", "")]).await;
    expect(&voice, &[(Message { after_unknown: true, ..own }, "accepted", "")]).await;
    let sent = simulators.messages().latest(simulators::Provider::TwilioVoice, 2);
    assert_eq!(sent.len(), 1, "found, and not made again");
    assert!(url::form_urlencoded::parse(&sent[0].raw).any(|(name, value)| name == "From" && value == "+15005550100"));
    simulators.shutdown().await;
}
