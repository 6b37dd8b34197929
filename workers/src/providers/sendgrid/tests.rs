#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::{Sendgrid, Settings, error_map};
use crate::providers::files::tests::invoice;
use crate::providers::http::{Answer, Credential};
use crate::providers::testing::{expect, message, nobody_knows, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, Action, Rule, RunningSimulators, SimulatorsConfig};
use commands::links::Unsubscribe;
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, MailAuthor, Misconfigured, Outcome, SentAs, ThrottleScope};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        api_key: Credential::new(simulators.credentials.sendgrid_api_key.clone()),
        from: "Acme <no-reply@example.com>".to_owned(),
        base_url: format!("http://{}/", simulators.sendgrid),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn sendgrid(settings: &Settings) -> Sendgrid {
    Sendgrid::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(address: &str) -> Message {
    message(address, None)
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_our_ids_and_the_ways_out() {
    let (simulators, settings) = started().await;
    let sendgrid = sendgrid(&settings);
    assert_eq!(sendgrid.check().await, Ok(()));
    let content = Content { title: Some("주문 🎉".to_owned()), body: "Order 42".to_owned(), html: Some("<b>42</b>".to_owned()), ..Content::default() };
    let unsubscribe = Some(Unsubscribe { url: "https://n.example/u/x".to_owned(), mailto: None });
    let message = Message { content: Arc::new(content), unsubscribe, ..to("kim@example.org") };
    let Outcome::Accepted { provider_id: Some(id) } = sendgrid.send(&message).await else { panic!("not accepted") };
    let entry = simulators.ledger().entries(0, 10).remove(0);
    assert_eq!((entry.notification.as_deref(), entry.provider_id.as_deref()), (Some("00000000-0000-0000-0000-000000000077"), Some(id.as_str())));
    assert_eq!((entry.delivery, entry.attempt), (Some(3), Some(2)));
    let sent: Value = serde_json::from_slice(&simulators.messages().latest(simulators::Provider::Sendgrid, 1)[0].raw).unwrap();
    assert_eq!(sent["from"], json!({ "email": "no-reply@example.com", "name": "Acme" }));
    assert_eq!((&sent["subject"], sent["content"][1]["value"].as_str()), (&json!("주문 🎉"), Some("<b>42</b>")));
    assert_eq!(sent["headers"]["List-Unsubscribe"], "<https://n.example/u/x>");
    assert_eq!(sent["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    assert_eq!(sent["headers"]["Message-ID"], "<00000000-0000-0000-0000-000000000077.3@example.com>");
    assert_eq!(sent["headers"]["Auto-Submitted"], "auto-generated");
    assert_eq!((&sent["content"][0]["type"], &sent["content"][1]["type"]), (&json!("text/plain"), &json!("text/html")));
    assert_eq!(sent["tracking_settings"]["click_tracking"]["enable"], false);
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (simulators, mut settings) = started().await;
    let sendgrid_ = sendgrid(&settings);
    expect(
        &sendgrid_,
        &[
            (to("bounce@example.org"), "bad address", "400 recipient"),
            (to("kim"), "bad address", "not an e-mail address"),
            (to("sender@example.org"), "misconfigured", "403 from"),
            (to("key@example.org"), "misconfigured", "401"),
            (to("toolarge@example.org"), "permanent", "413"),
            (to("refused@example.org"), "permanent", "400"),
            (to("flaky@example.org"), "unknown", "503"),
            (to("flaky@example.org"), "accepted", ""),
        ],
    )
    .await;
    // By the end of SendGrid's window.
    let Outcome::Throttled { after: Some(after), scope: ThrottleScope::Provider, .. } = sendgrid_.send(&to("busy@example.org")).await else {
        panic!("not throttled")
    };
    assert!(after > Duration::ZERO && after <= Duration::from_secs(2), "{after:?}");
    settings.from = "no-reply@elsewhere.example".to_owned();
    expect(&sendgrid(&settings), &[(to("kim@example.org"), "misconfigured", "403 from")]).await;
    settings.api_key = Credential::new("SG.wrong");
    assert!(sendgrid(&settings).check().await.unwrap_err().contains("api_key"));
    settings.from = "nobody".to_owned();
    assert!(Sendgrid::new(&settings, Arc::new(SystemClock::default())).is_err());
    simulators.shutdown().await;
}

#[tokio::test]
async fn without_a_verdict_nobody_knows() {
    let (simulators, mut settings) = started().await;
    let patient = sendgrid(&settings);
    nobody_knows(&patient, to, "200 with another answer").await;
    settings.timeout = Duration::from_millis(300);
    expect(&sendgrid(&settings), &[(to("hang@example.org"), "unknown", "no answer in time")]).await;
    simulators.shutdown().await;
    expect(&patient, &[(to("kim@example.org"), "retry", "no connection")]).await;
}

#[test]
fn every_row_of_the_table() {
    let now = 1_700_000_000_000;
    let map = |status, headers: &[(&'static str, &'static str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        error_map::outcome(&Answer { status, retry_after: None, headers, body: body.as_bytes().to_vec() }, now)
    };
    let about = |field: &str| format!(r#"{{"errors":[{{"message":"m","field":"{field}"}}]}}"#);
    let wait = |reset| match map(429, &[("x-ratelimit-reset", reset)], "") {
        Outcome::Throttled { after, scope: ThrottleScope::Provider, .. } => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait("1700000030"), Some(Duration::from_secs(30)));
    assert_eq!((wait("1600000000"), wait("soon"), wait("9999999999999")), (Some(Duration::ZERO), None, Some(Duration::from_secs(3_600))));
    let dead = Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "400 recipient".to_owned() };
    assert_eq!(map(400, &[], &about("personalizations.0.to.0.email")), dead);
    assert_eq!(told(&map(400, &[], &about("personalizations.0.topics"))).0, "permanent");
    assert_eq!(map(403, &[], &about("from")), Outcome::Misconfigured { scope: Misconfigured::Sender, code: "403 from".to_owned() });
    assert_eq!(map(403, &[], "{}"), Outcome::Misconfigured { scope: Misconfigured::Credential, code: "403".to_owned() });
    assert_eq!(map(202, &[("x-message-id", "m1")], ""), Outcome::Accepted { provider_id: Some("m1".to_owned()) });
    for (status, kind) in [
        (202, "unknown"),
        (200, "unknown"),
        (302, "retry"),
        (400, "permanent"),
        (401, "misconfigured"),
        (406, "permanent"),
        (413, "permanent"),
        (500, "unknown"),
        (503, "unknown"),
    ] {
        assert_eq!(told(&map(status, &[], "")).0, kind, "{status}");
    }
}

#[tokio::test]
async fn a_mail_comes_from_whom_its_category_says() {
    let (simulators, settings) = started().await;
    let from = Some(SentAs::Mail(MailAuthor { address: "orders@example.com".to_owned(), name: Some("Acme, \"Orders\"".to_owned()) }));
    expect(&sendgrid(&settings), &[(Message { from, ..to("kim@example.org") }, "accepted", "")]).await;
    let sent: Value = serde_json::from_slice(&simulators.messages().latest(simulators::Provider::Sendgrid, 1)[0].raw).unwrap();
    assert_eq!(sent["from"], json!({ "email": "orders@example.com", "name": "Acme, \"Orders\"" }));
    simulators.shutdown().await;
}

#[tokio::test]
async fn the_one_repeat_of_what_may_have_arrived_is_not_spent_while_sendgrid_does_not_work() {
    let (simulators, settings) = started().await;
    let sendgrid = sendgrid(&settings);
    simulators.rules().add(Rule { every_call: true, ..Rule::all(simulators::Provider::Sendgrid, Action::ErrorInside) });
    let again = || Message { after_unknown: true, ..to("kim@example.org") };
    expect(&sendgrid, &[(to("kim@example.org"), "unknown", "200 with another answer"), (again(), "retry", "not working before the repeat")]).await;
    assert_eq!(simulators.ledger().last_seq(), 1);
    simulators.rules().clear();
    expect(&sendgrid, &[(again(), "accepted", "")]).await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn files_arrive_byte_by_byte() {
    let (simulators, settings) = started().await;
    let message = Message { files: vec![invoice()], ..to("kim@example.org") };
    assert!(matches!(sendgrid(&settings).send(&message).await, Outcome::Accepted { .. }));
    let raw = simulators.messages().latest(simulators::Provider::Sendgrid, 1)[0].raw.clone();
    let body: Value = serde_json::from_slice(&raw).unwrap();
    let file = &body["attachments"][0];
    let content = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, file["content"].as_str().unwrap()).unwrap();
    assert_eq!((file["filename"].as_str().unwrap(), file["type"].as_str().unwrap()), (invoice().name.as_str(), "application/pdf"));
    assert_eq!((content, file["disposition"].as_str()), (invoice().content.to_vec(), Some("attachment")));
    simulators.shutdown().await;
}
