#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::{Mailgun, Settings, error_map, form};
use crate::providers::files::tests::invoice;
use crate::providers::http::{Answer, Credential};
use crate::providers::testing::{expect, message, nobody_knows, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, Action, Rule, RunningSimulators, SimulatorsConfig};
use commands::links::Unsubscribe;
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, MailAuthor, Misconfigured, Outcome, SentAs, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        api_key: Credential::new(simulators.credentials.mailgun_api_key.clone()),
        domain: simulators.credentials.mail_domain.clone(),
        from: "Acme <no-reply@example.com>".to_owned(),
        base_url: format!("http://{}/", simulators.mailgun),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn mailgun(settings: &Settings) -> Mailgun {
    Mailgun::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(address: &str) -> Message {
    message(address, None)
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_our_ids_and_the_ways_out() {
    let (simulators, settings) = started().await;
    let mailgun = mailgun(&settings);
    assert_eq!(mailgun.check().await, Ok(()));
    let body = "가\r\n------bongsu--\r\n".to_owned();
    let content = Content { title: Some("주문 🎉".to_owned()), body: body.clone(), html: Some("<b>42</b>".to_owned()), ..Content::default() };
    let unsubscribe = Some(Unsubscribe { url: "https://n.example/u/x".to_owned(), mailto: None });
    let message = Message { content: Arc::new(content), unsubscribe, ..to("kim@example.org") };
    let Outcome::Accepted { provider_id: Some(id) } = mailgun.send(&message).await else { panic!("not accepted") };
    let entry = simulators.ledger().entries(0, 10).pop().unwrap();
    assert_eq!((entry.notification.as_deref(), entry.provider_id.as_deref()), (Some("00000000-0000-0000-0000-000000000077"), Some(id.as_str())));
    assert_eq!((entry.delivery, entry.attempt), (Some(3), Some(2)));
    let raw = String::from_utf8(simulators.messages().latest(simulators::Provider::Mailgun, 1)[0].raw.to_vec()).unwrap();
    for (name, value) in [
        ("from", "Acme <no-reply@example.com>"),
        ("to", "kim@example.org"),
        ("subject", "주문 🎉"),
        ("text", body.as_str()),
        ("html", "<b>42</b>"),
        ("h:List-Unsubscribe", "<https://n.example/u/x>"),
        ("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("h:Message-ID", "<00000000-0000-0000-0000-000000000077.3@example.com>"),
        ("h:Auto-Submitted", "auto-generated"),
        ("o:tracking", "no"),
    ] {
        assert!(raw.contains(&format!("name=\"{name}\"\r\n\r\n{value}\r\n------bongsux")), "{name} is missing in {raw}");
    }
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (simulators, mut settings) = started().await;
    let first = Message { attempt: 1, ..to("kim@example.org") };
    expect(
        &mailgun(&settings),
        &[
            (to("bounce@example.org"), "bad address", "400 recipient"),
            (to("kim"), "bad address", "not an e-mail address"),
            (to("sender@example.org"), "misconfigured", "400 from"),
            (to("key@example.org"), "misconfigured", "401"),
            (to("toolarge@example.org"), "permanent", "413"),
            (to("refused@example.org"), "permanent", "400"),
            (to("flaky@example.org"), "unknown", "503"),
            (to("flaky@example.org"), "accepted", ""),
        ],
    )
    .await;
    assert_eq!(
        mailgun(&settings).send(&to("busy@example.org")).await,
        Outcome::Throttled { after: Some(Duration::from_secs(1)), scope: ThrottleScope::Provider, code: "429".to_owned() }
    );
    settings.domain = "mg.elsewhere.example".to_owned();
    assert!(mailgun(&settings).check().await.unwrap_err().contains("domain"));
    expect(&mailgun(&settings), &[(first, "retry", "404"), (to("kim@example.org"), "misconfigured", "404")]).await;
    settings.domain = simulators.credentials.mail_domain.clone();
    settings.api_key = Credential::new("wrong");
    assert!(mailgun(&settings).check().await.unwrap_err().contains("api_key"));
    settings.domain = "a/../b".to_owned();
    assert!(Mailgun::new(&settings, Arc::new(SystemClock::default())).is_err());
    simulators.shutdown().await;
}

#[tokio::test]
async fn without_a_verdict_nobody_knows() {
    let (simulators, mut settings) = started().await;
    let patient = mailgun(&settings);
    nobody_knows(&patient, to, "200 with another body").await;
    settings.timeout = Duration::from_millis(300);
    expect(&mailgun(&settings), &[(to("hang@example.org"), "unknown", "no answer in time")]).await;
    simulators.shutdown().await;
    expect(&patient, &[(to("kim@example.org"), "retry", "no connection")]).await;
}

#[test]
fn every_row_of_the_table() {
    let wait = Some(Duration::from_secs(3));
    let map = |status, body: &str| error_map::outcome(&Answer { status, retry_after: wait, headers: <_>::default(), body: body.as_bytes().to_vec() }, 2);
    assert_eq!(
        map(400, r#"{"message":"'to' parameter is not a valid address. please check documentation"}"#),
        Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "400 recipient".to_owned() }
    );
    assert_eq!(
        map(400, r#"{"message":"from parameter is not a valid address"}"#),
        Outcome::Misconfigured { scope: Misconfigured::Sender, code: "400 from".to_owned() }
    );
    assert_eq!(map(429, ""), Outcome::Throttled { after: wait, scope: ThrottleScope::Provider, code: "429".to_owned() });
    assert_eq!(map(200, r#"{"id":"<1@acme.test>"}"#), Outcome::Accepted { provider_id: Some("<1@acme.test>".to_owned()) });
    for (status, body, kind) in [
        (200, r#"{"id":"a b"}"#, "unknown"),
        (200, "", "unknown"),
        (302, "", "retry"),
        (400, "<html>", "permanent"),
        (401, "Forbidden", "misconfigured"),
        (402, "", "permanent"),
        (403, "", "misconfigured"),
        (404, "", "misconfigured"),
        (413, "", "permanent"),
        (500, "", "unknown"),
        (503, "", "unknown"),
    ] {
        assert_eq!(told(&map(status, body)).0, kind, "{status} {body}");
    }
}

#[test]
fn no_value_ends_its_part() {
    let (boundary, body) = form::encode(&[("text".to_owned(), "a\r\n------bongsu--\r\n----bongsux".to_owned())], &[]);
    assert_eq!(boundary, "----bongsuxx");
    assert_eq!(String::from_utf8(body).unwrap().matches(&boundary).count(), 2);
}

#[tokio::test]
async fn a_mail_comes_from_whom_its_category_says_and_its_one_repeat_waits_until_mailgun_works() {
    let (simulators, settings) = started().await;
    let mailgun = mailgun(&settings);
    let from = Some(SentAs::Mail(MailAuthor { address: "orders@example.com".to_owned(), name: Some("Acme, Orders".to_owned()) }));
    let again = || Message { from: from.clone(), after_unknown: true, ..to("kim@example.org") };
    simulators.rules().add(Rule { every_call: true, ..Rule::all(simulators::Provider::Mailgun, Action::Noise) });
    expect(&mailgun, &[(again(), "retry", "not working before the repeat")]).await;
    // It was asked for a message to nobody, and got none.
    assert!(simulators.messages().latest(simulators::Provider::Mailgun, 1).is_empty());
    simulators.rules().clear();
    expect(&mailgun, &[(again(), "accepted", "")]).await;
    let raw = String::from_utf8(simulators.messages().latest(simulators::Provider::Mailgun, 1)[0].raw.to_vec()).unwrap();
    assert!(raw.contains("name=\"from\"\r\n\r\n\"Acme, Orders\" <orders@example.com>\r\n"), "{raw}");
}

#[tokio::test]
async fn files_arrive_byte_by_byte() {
    let (simulators, settings) = started().await;
    let message = Message { files: vec![invoice()], ..to("kim@example.org") };
    assert!(matches!(mailgun(&settings).send(&message).await, Outcome::Accepted { .. }));
    let raw = simulators.messages().latest(simulators::Provider::Mailgun, 1)[0].raw.clone();
    let part = format!("name=\"attachment\"; filename=\"{}\"\r\nContent-Type: application/pdf\r\n\r\n", invoice().name);
    let expected = [part.as_bytes(), &invoice().content[..], b"\r\n------bongsux"].concat();
    assert!(raw.windows(expected.len()).any(|window| window == expected), "{:?}", String::from_utf8_lossy(&raw));
    simulators.shutdown().await;
}
