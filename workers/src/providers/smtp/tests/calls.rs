use super::super::{Security, Settings, Smtp};
use super::message;
use crate::providers::Provider;
use crate::providers::http::Credential;
use crate::simulators::{self, Places, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, Misconfigured, Outcome, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

fn settings(simulators: &RunningSimulators, security: Security) -> Settings {
    Settings {
        host: "localhost".to_owned(),
        port: simulators.smtp.port(),
        security,
        username: Some(simulators.credentials.smtp_username.clone()),
        password: Some(Credential::new(simulators.credentials.smtp_password.clone())),
        from: "Acme <no-reply@acme.test>".to_owned(),
        bounce_address: None,
        bounce_secret: None,
        message_id_domain: "acme.test".to_owned(),
        ca_pem: Some(simulators.credentials.tls_ca_pem.clone()),
        concurrency: 4,
        timeout: Duration::from_secs(20),
    }
}

fn provider(settings: &Settings) -> Smtp {
    Smtp::new(settings, Arc::new(SystemClock::default())).unwrap()
}

async fn started() -> RunningSimulators {
    simulators::start(SimulatorsConfig::default()).await.unwrap()
}

async fn send(smtp: &Smtp, to: &str) -> Outcome {
    let content =
        Content { title: Some("Paid".to_owned()), body: "Order 42\n.\n42".to_owned(), html: Some("<p>Order 42</p>".to_owned()), ..Content::default() };
    smtp.send(&message(to, content)).await
}

#[tokio::test]
async fn a_message_arrives_over_starttls_with_our_ids() {
    let simulators = started().await;
    let smtp = provider(&settings(&simulators, Security::StartTls));
    assert_eq!(smtp.check().await, Ok(()));
    let Outcome::Accepted { provider_id: Some(id) } = send(&smtp, "kim@example.org").await else { panic!("not accepted") };
    let entry = serde_json::to_value(simulators.ledger().entries(0, 10)).unwrap()[0].clone();
    assert_eq!(entry["notification"], "00000000-0000-0000-0000-000000000077");
    assert_eq!((&entry["delivery"], &entry["attempt"]), (&3.into(), &2.into()));
    assert_eq!(entry["provider_id"], id);
    assert_eq!(entry["message_id"], "<00000000-0000-0000-0000-000000000077.3@acme.test>");
    let received = simulators.messages().latest(simulators::Provider::Smtp, 1);
    assert_eq!(received[0].sender, "no-reply@acme.test");
    assert!(std::str::from_utf8(&received[0].raw).unwrap().contains("Order 42\r\n.\r\n42"));
    simulators.shutdown().await;
}

#[tokio::test]
async fn every_refusal_has_its_meaning_and_the_connection_goes_on() {
    let simulators = started().await;
    let smtp = provider(&settings(&simulators, Security::None));
    for to in ["bounce", "nodomain", "disabled"] {
        assert!(matches!(send(&smtp, &format!("{to}@example.org")).await, Outcome::BadAddress { kind: BadAddress::Dead, .. }), "{to}");
    }
    assert!(matches!(send(&smtp, "quota@example.org").await, Outcome::BadAddress { kind: BadAddress::SoftFail, .. }));
    assert!(matches!(send(&smtp, "full@example.org").await, Outcome::Retry { after: Some(_), .. }));
    assert!(matches!(send(&smtp, "throttle@example.org").await, Outcome::Throttled { scope: ThrottleScope::Recipient, .. }));
    assert!(matches!(send(&smtp, "spam@example.org").await, Outcome::Permanent { .. }));
    assert!(matches!(send(&smtp, "toolarge@example.org").await, Outcome::Permanent { .. }));
    assert!(matches!(send(&smtp, "unauthenticated@example.org").await, Outcome::Misconfigured { scope: Misconfigured::Sender, .. }));
    assert_eq!(send(&smtp, "data-554@example.org").await, Outcome::Permanent { code: "554 5.0.0".to_owned() });
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Accepted { .. }));
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_break_after_the_final_dot_is_unknown_and_before_it_is_not() {
    let simulators = started().await;
    let smtp = provider(&settings(&simulators, Security::None));
    assert_eq!(send(&smtp, "drop@example.org").await, Outcome::Unknown { code: "connection broken".to_owned() });
    assert!(matches!(send(&smtp, "reset@example.org").await, Outcome::Retry { after: None, .. }));
    assert!(matches!(send(&smtp, "shutdown@example.org").await, Outcome::Retry { after: None, .. }));
    assert!(matches!(send(&smtp, "garbage@example.org").await, Outcome::Retry { after: None, .. }));
    // The broken connections are gone, the next message takes a new one.
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Accepted { .. }));
    let entries = serde_json::to_value(simulators.ledger().entries(0, 10)).unwrap();
    let delivered = entries.as_array().unwrap().iter().filter(|entry| entry["delivered"] == true).count();
    assert_eq!(delivered, 2, "the dropped one was delivered all the same");
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_connection_closed_meanwhile_is_replaced() {
    let simulators = started().await;
    let smtp = provider(&settings(&simulators, Security::None));
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Accepted { .. }));
    let address = simulators.smtp;
    simulators.shutdown().await;
    let again =
        simulators::start(SimulatorsConfig { at: Places { smtp: address, ..SimulatorsConfig::default().at }, ..SimulatorsConfig::default() }).await.unwrap();
    // The new server has other credentials: what matters is that the old connection was given up.
    let outcome = send(&smtp, "kim@example.org").await;
    assert!(matches!(outcome, Outcome::Accepted { .. } | Outcome::Misconfigured { .. }), "{outcome:?}");
    again.shutdown().await;
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Retry { .. }));
}

#[tokio::test]
async fn wrong_logins_and_unencrypted_servers_are_our_misconfiguration() {
    let simulators = started().await;
    let wrong = Settings { password: Some(Credential::new("wrong")), ..settings(&simulators, Security::None) };
    let smtp = provider(&wrong);
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(smtp.check().await.is_err());
    // A stranger's certificate is no reason to send the password in clear.
    let strange = provider(&Settings { ca_pem: None, ..settings(&simulators, Security::StartTls) });
    assert!(matches!(send(&strange, "kim@example.org").await, Outcome::Retry { .. }));
    simulators.set_smtp_switches(simulators::SmtpSwitches { starttls: false, ..Default::default() });
    let smtp = provider(&settings(&simulators, Security::StartTls));
    assert!(matches!(send(&smtp, "kim@example.org").await, Outcome::Misconfigured { .. }));
    assert!(simulators.ledger().entries(0, 10).is_empty());
    simulators.shutdown().await;
}

#[tokio::test]
async fn settings_of_another_form_are_refused() {
    let simulators = started().await;
    let good = settings(&simulators, Security::StartTls);
    let refused = |settings: Settings| Smtp::new(&settings, Arc::new(SystemClock::default())).err().map(|error| error.to_string());
    assert_eq!(refused(good.clone()), None);
    for (settings, what) in [
        (Settings { from: "Acme".to_owned(), ..good.clone() }, "from"),
        (Settings { from: "a@b.test\r\nBcc: c@d.test".to_owned(), ..good.clone() }, "from"),
        (Settings { bounce_address: Some("a+b@acme.test".to_owned()), ..good.clone() }, "bounce_address"),
        (Settings { bounce_address: Some("fifteen-letters@acme.test".to_owned()), ..good.clone() }, "bounce_address"),
        (Settings { message_id_domain: "acme test>".to_owned(), ..good.clone() }, "message_id_domain"),
        (Settings { password: None, ..good.clone() }, "username and password"),
        (Settings { ca_pem: Some("nothing".to_owned()), ..good.clone() }, "ca_pem"),
        (Settings { ca_pem: Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned()), ..good.clone() }, "ca_pem"),
    ] {
        assert!(refused(settings).unwrap().contains(what), "{what}");
    }
    simulators.shutdown().await;
}
