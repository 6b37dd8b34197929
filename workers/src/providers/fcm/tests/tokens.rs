use super::message;
use super::script::{scripted, settings};
use crate::providers::Provider;
use crate::providers::fcm::Fcm;
use commands::ports::ManualClock;
use domain::values::{Misconfigured, Outcome};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. })
}

/// Sends to so many devices at once.
async fn sends(fcm: &Fcm, count: usize) -> Vec<Outcome> {
    let messages = vec![message("device"); count];
    join_all(messages.iter().map(|message| fcm.send(message))).await
}

#[tokio::test]
async fn many_calls_share_one_token() {
    let (script, fcm, clock) = scripted().await;
    assert!(sends(&fcm, 50).await.iter().all(accepted));
    clock.advance(Duration::from_secs(3_290));
    assert!(sends(&fcm, 5).await.iter().all(accepted));
    assert_eq!(script.seen(), (1, 55));
}

#[tokio::test]
async fn one_call_renews_early_and_the_others_do_not_wait() {
    let (script, fcm, clock) = scripted().await;
    assert!(accepted(&fcm.send(&message("device")).await));
    clock.advance(Duration::from_secs(3_300));
    script.gate.forget_permits(1_000);
    let (first, second) = (message("device"), message("device"));
    let mut renewing = fcm.send(&first);
    tokio::select! {
        biased;
        _ = &mut renewing => panic!("renewed without an answer"),
        outcome = fcm.send(&second) => assert!(accepted(&outcome)),
    }
    script.gate.add_permits(1_000);
    assert!(accepted(&renewing.await));
    assert_eq!(script.seen(), (2, 3));
    *script.good_from.lock().unwrap() = 2;
    assert!(accepted(&fcm.send(&second).await));
    assert_eq!(script.seen(), (2, 4));
}

#[tokio::test]
async fn a_failed_renewal_does_not_cost_the_token_that_is_still_good() {
    let (script, fcm, clock) = scripted().await;
    assert!(accepted(&fcm.send(&message("device")).await));
    script.set_grant(503, "");
    clock.advance(Duration::from_secs(3_350));
    assert!(sends(&fcm, 3).await.iter().all(accepted));
    // One after another, too: the endpoint is left alone for a while.
    assert!(accepted(&fcm.send(&message("device")).await));
    assert!(accepted(&fcm.send(&message("device")).await));
    assert_eq!(script.seen().0, 2);
    clock.advance(Duration::from_secs(11));
    assert!(sends(&fcm, 3).await.iter().all(accepted));
    assert_eq!(script.seen().0, 3);
    clock.advance(Duration::from_secs(300));
    let none = Outcome::Retry { after: None, code: "no access token".to_owned() };
    assert_eq!(fcm.send(&message("device")).await, none);
    script.set_grant(200, r#"{"access_token":"t{n}","expires_in":3599}"#);
    assert!(accepted(&fcm.send(&message("device")).await));
}

#[tokio::test]
async fn who_waits_shares_the_failure() {
    let (script, fcm, _) = scripted().await;
    for (status, body) in [(503, ""), (429, ""), (200, "<html>"), (200, r#"{"access_token":"a\nb","expires_in":1}"#)] {
        script.set_grant(status, body);
        let before = script.seen().0;
        let outcomes = sends(&fcm, 10).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Retry { .. })), "{outcomes:?}");
        assert_eq!(script.seen(), (before + 1, 0), "{status} {body}");
    }
}

#[tokio::test]
async fn a_refused_service_account_is_our_misconfiguration() {
    let (script, fcm, _) = scripted().await;
    for (body, code) in [
        (r#"{"error":"invalid_grant","error_description":"kim@example.org"}"#, "token endpoint 400 invalid_grant"),
        (r#"{"error":"Kim!"}"#, "token endpoint 400"),
    ] {
        script.set_grant(400, body);
        let wanted = Outcome::Misconfigured { scope: Misconfigured::Credential, code: code.to_owned() };
        assert_eq!(fcm.send(&message("device")).await, wanted);
        assert!(fcm.check().await.unwrap_err().contains(code));
    }
}

#[tokio::test]
async fn lifetimes_that_make_no_sense_do_no_harm() {
    let (script, fcm, clock) = scripted().await;
    script.set_grant(200, &format!(r#"{{"access_token":"t{{n}}","expires_in":{}}}"#, u64::MAX));
    assert!(accepted(&fcm.send(&message("device")).await));
    clock.advance(Duration::from_secs(86_400));
    // Shorter than the five minutes by which renewal is early: not asked for at every call.
    script.set_grant(200, r#"{"access_token":"t{n}","expires_in":100}"#);
    assert!(sends(&fcm, 3).await.iter().all(accepted));
    assert!(sends(&fcm, 3).await.iter().all(accepted));
    assert_eq!(script.seen().0, 2);
    // None at all: every call asks, none fails.
    script.set_grant(200, r#"{"access_token":"t{n}","expires_in":0}"#);
    clock.advance(Duration::from_secs(100));
    assert!(accepted(&fcm.send(&message("device")).await));
    assert!(accepted(&fcm.send(&message("device")).await));
}

#[tokio::test]
async fn tokens_refused_before_their_time_are_renewed_once_for_all() {
    let (script, fcm, _) = scripted().await;
    assert!(accepted(&fcm.send(&message("device")).await));
    *script.good_from.lock().unwrap() = 2;
    assert!(sends(&fcm, 20).await.iter().all(accepted));
    assert_eq!(script.seen().0, 2);
    // A latecomer that was refused earlier finds the new one.
    assert!(accepted(&fcm.send(&message("device")).await));
    assert_eq!(script.seen().0, 2);
}

#[tokio::test]
async fn a_second_refusal_is_the_last() {
    let (script, fcm, _) = scripted().await;
    *script.good_from.lock().unwrap() = u32::MAX;
    let wanted = Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401 UNAUTHENTICATED".to_owned() };
    assert_eq!(fcm.send(&message("device")).await, wanted);
    assert_eq!(script.seen(), (2, 2));
}

#[tokio::test]
async fn keys_that_firebase_lacks_are_not_our_token() {
    let (script, fcm, _) = scripted().await;
    script.set_answer(401, r#"{"error":{"status":"UNAUTHENTICATED","details":[{"@type":"x/FcmError","errorCode":"THIRD_PARTY_AUTH_ERROR"}]}}"#);
    assert!(matches!(fcm.send(&message("device")).await, Outcome::Misconfigured { .. }));
    assert_eq!(script.seen(), (1, 1));
}

#[test]
fn calls_at_once_fit_the_streams_of_their_connections() {
    let mut settings = settings("http://127.0.0.1:1", "http://127.0.0.1:1/token");
    for (http2, concurrency, clients) in [(true, 1, 1), (true, 100, 1), (true, 101, 2), (true, 1_000, 10), (true, 0, 1), (false, 1_000, 1)] {
        (settings.http2, settings.concurrency) = (http2, concurrency);
        let fcm = Fcm::new(&settings, Arc::new(ManualClock::at(0))).unwrap();
        assert_eq!(fcm.clients.len(), clients, "{http2} {concurrency}");
    }
}

#[tokio::test]
async fn settings_of_another_form_are_refused() {
    let clock = || Arc::new(ManualClock::at(0)) as _;
    let error = |base: &str, token_uri: &str| Fcm::new(&settings(base, token_uri), clock()).err().map(|error| error.to_string());
    assert_eq!(error("http://127.0.0.1:1/", "http://127.0.0.1:1/token"), None);
    assert!(error("nowhere", "http://127.0.0.1:1/token").unwrap().contains("base_url"));
    assert!(error("http://127.0.0.1:1", "nowhere").unwrap().contains("token_uri"));
    let mut broken = settings("http://127.0.0.1:1", "http://127.0.0.1:1/token");
    for account in ["", "{}", r#"{"project_id":"p","client_email":"e","private_key":"secret-marker","token_uri":"http://127.0.0.1:1"}"#] {
        broken.service_account = crate::providers::http::Credential::new(account);
        let error = Fcm::new(&broken, clock()).err().unwrap().to_string();
        assert!(error.contains("service account") && !error.contains("secret-marker"), "{error}");
    }
    assert!(!format!("{broken:?}").contains("secret-marker"));
}
