use super::message;
use super::script::{scripted, settings};
use crate::providers::fcm::{Fcm, Settings};
use crate::providers::http::Credential;
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{BadAddress, Channel, Content, Misconfigured, Outcome, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let mut settings = Settings::new(Credential::new(simulators.credentials.fcm_service_account_json.clone()));
    settings.base_url = format!("http://{}", simulators.fcm);
    (simulators, settings)
}

fn provider(settings: &Settings) -> Fcm {
    Fcm::new(settings, Arc::new(SystemClock::default())).unwrap()
}

async fn to(fcm: &Fcm, device: &str) -> Outcome {
    fcm.send(&message(device)).await
}

#[tokio::test]
async fn a_push_arrives_once_with_our_ids() {
    let (simulators, settings) = started().await;
    let fcm = provider(&settings);
    assert_eq!((fcm.name(), fcm.channel(), fcm.concurrency()), ("fcm", Channel::AndroidPush, settings.concurrency));
    assert_eq!(fcm.check().await, Ok(()));
    assert!(simulators.ledger().entries(0, 10).is_empty());
    let Outcome::Accepted { provider_id: Some(id) } = to(&fcm, "good-token").await else { panic!("not accepted") };
    let entries = serde_json::to_value(simulators.ledger().entries(0, 10)).unwrap();
    assert_eq!(entries.as_array().unwrap().len(), 1);
    assert_eq!(entries[0]["notification"], "00000000-0000-0000-0000-000000000077");
    assert_eq!((&entries[0]["delivery"], &entries[0]["attempt"]), (&3.into(), &2.into()));
    assert!(entries[0]["provider_id"].as_str().unwrap().ends_with(&id));
    simulators.shutdown().await;
}

#[tokio::test]
async fn refusals() {
    let (simulators, settings) = started().await;
    let fcm = provider(&settings);
    assert!(matches!(to(&fcm, "dead-a").await, Outcome::BadAddress { kind: BadAddress::Dead, .. }));
    assert!(matches!(to(&fcm, "mismatch-a").await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(to(&fcm, "invalid-a").await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(to(&fcm, "thirdparty-a").await, Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    let minute = Some(Duration::from_secs(60));
    let throttled = Outcome::Throttled { after: minute, scope: ThrottleScope::Provider, code: "429 QUOTA_EXCEEDED".to_owned() };
    assert_eq!(to(&fcm, "quota-a").await, throttled);
    let later = Outcome::Retry { after: Some(Duration::from_secs(10)), code: "503 UNAVAILABLE".to_owned() };
    assert_eq!(to(&fcm, "unavailable-a").await, later);
    assert!(matches!(to(&fcm, "flaky-a").await, Outcome::Retry { after: None, .. }));
    assert!(matches!(to(&fcm, "flaky-a").await, Outcome::Accepted { .. }));
    assert_eq!(simulators.ledger().entries(0, 20).len(), 8, "one request each");
    simulators.shutdown().await;
}

#[tokio::test]
async fn what_may_have_been_delivered_is_unknown() {
    let (simulators, mut settings) = started().await;
    let fcm = provider(&settings);
    for device in ["drop-a", "reset-a"] {
        assert_eq!(to(&fcm, device).await, Outcome::Unknown { code: "connection broken".to_owned() }, "{device}");
    }
    assert!(matches!(to(&fcm, "garbage-a").await, Outcome::Unknown { .. }));
    assert_eq!(simulators.ledger().entries(0, 10).len(), 3, "nothing was sent twice");
    settings.timeout = Duration::from_secs(2);
    let impatient = provider(&settings);
    assert_eq!(to(&impatient, "hang-a").await, Outcome::Unknown { code: "no answer in time".to_owned() });
    simulators.shutdown().await;
    assert!(matches!(to(&fcm, "good").await, Outcome::Retry { .. }), "nobody listens any more");
}

#[tokio::test]
async fn an_expired_token_is_renewed_within_the_call() {
    let (simulators, settings) = started().await;
    let fcm = provider(&settings);
    assert!(matches!(to(&fcm, "a").await, Outcome::Accepted { .. }));
    simulators.clock().set_offset_seconds(3_650);
    assert!(matches!(to(&fcm, "a").await, Outcome::Accepted { .. }));
    simulators.shutdown().await;
}

#[tokio::test]
async fn what_fcm_would_refuse_is_not_sent_and_the_rest_fits() {
    let (simulators, settings) = started().await;
    let fcm = provider(&settings);
    let with = |body: String| Message { content: Arc::new(Content { body, ..Content::default() }), ..message("good") };
    let ours = 36 + "nid".len() + 36 + "delivery".len() + 1 + "attempt".len() + 1;
    assert!(matches!(fcm.send(&with("x".repeat(4_097 - ours))).await, Outcome::Permanent { .. }));
    assert!(simulators.ledger().entries(0, 10).is_empty());
    // The simulator counts as FCM does: the largest that we let pass is taken.
    assert!(matches!(fcm.send(&with("x".repeat(4_096 - ours))).await, Outcome::Accepted { .. }));
    simulators.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_refusal_only_if_it_began_as_one() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (script, fcm, _) = scripted().await;
    assert!(matches!(to(&fcm, "a").await, Outcome::Accepted { .. }));
    script.set_answer(503, r#"{"error":{"status":"UNAVAILABLE"}}"#);
    assert!(matches!(to(&fcm, "a").await, Outcome::Retry { .. }));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        for status in [503, 200] {
            let mut stream = listener.accept().await.unwrap().0;
            let mut request = Vec::new();
            while !request.ends_with(b"}}}}") {
                stream.read_buf(&mut request).await.unwrap();
            }
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\nretry-after: 7\r\n\r\n{{");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let fcm = provider(&settings(&base, &format!("{}/token", script.base)));
    assert_eq!(to(&fcm, "a").await, Outcome::Retry { after: Some(Duration::from_secs(7)), code: "503 cut short".to_owned() });
    assert!(matches!(to(&fcm, "a").await, Outcome::Unknown { .. }));
    server.await.unwrap();
}

#[tokio::test]
async fn over_tls_it_arrives_where_the_authority_is_trusted_and_nowhere_else() {
    let (simulators, mut settings) = started().await;
    settings.base_url = format!("https://{}", simulators.fcm);
    let stranger = provider(&settings);
    assert!(matches!(to(&stranger, "good-a").await, Outcome::Retry { .. }), "its certificate is nobody's");
    settings.ca_pem = Some("no certificate".to_owned());
    assert!(Fcm::new(&settings, Arc::new(SystemClock::default())).is_err());
    settings.ca_pem = Some(simulators.credentials.tls_ca_pem.clone());
    for http2 in [true, false] {
        settings.http2 = http2;
        assert!(matches!(to(&provider(&settings), "good-a").await, Outcome::Accepted { .. }), "HTTP/2: {http2}");
    }
    assert_eq!(simulators.ledger().entries(0, 10).len(), 2);
    simulators.shutdown().await;
}
