//! The provider token: signed once, kept, renewed in time, never too often.

use super::*;
use crate::providers::apns::token::TokenSource;
use commands::ports::ManualClock;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn one_token_serves_for_fifty_minutes() {
    let world = World::cleartext().await;
    let token = || world.apns.tokens.token().unwrap().header;
    let first = token();
    world.clock.shift_wall(2 * HOUR);
    assert_eq!(token(), first, "the wall clock does not age it");
    world.clock.shift_running(Duration::from_secs(49 * 60));
    assert_eq!(token(), first);
    world.clock.shift_running(Duration::from_secs(61));
    assert_ne!(token(), first);
    assert!(first.is_sensitive());
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_push_arrives() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    let first = world.apns.tokens.token().unwrap().header;
    // The machine slept: the running clock did not see it.
    world.clock.shift_wall(HOUR + Duration::from_secs(100));
    world.simulators.clock().set_offset_seconds(3_700);
    assert!(matches!(world.send("ab").await, Outcome::Accepted { .. }));
    let reasons: Vec<_> = world.entries().into_iter().map(|entry| (entry.status, entry.delivered)).collect();
    assert_eq!(reasons, [(Some(200), true), (Some(403), false), (Some(200), true)]);
    let second = world.apns.tokens.token().unwrap().header;
    assert_ne!(first, second);
    assert!(matches!(world.send("ac").await, Outcome::Accepted { .. }));
    assert_eq!(world.apns.tokens.token().unwrap().header, second);
}

#[tokio::test]
async fn calls_that_meet_the_expiry_together_share_one_new_token() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    world.clock.shift_wall(HOUR + Duration::from_secs(100));
    world.simulators.clock().set_offset_seconds(3_700);
    let messages: Vec<_> = (10..30).map(|number| message(&format!("ab{number}"))).collect();
    // A second new token on the connection would be refused: TooManyProviderTokenUpdates.
    let outcomes = futures_util::future::join_all(messages.iter().map(|message| world.apns.send(message))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. })), "{outcomes:?}");
    assert_eq!(world.delivered(), 21);
}

#[tokio::test]
async fn a_token_that_stays_expired_is_a_matter_for_the_operator() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    let first = world.apns.tokens.token().unwrap().header;
    let expired = Action::Error { status: 403, reason: "ExpiredProviderToken".to_owned(), retry_after: None, at: None };
    world.simulators.rules().add(Rule::all(simulators::Provider::Apns, expired));
    // Freshly signed and yet «expired»: another one would not be better, only one too many.
    let misconfigured = Outcome::Misconfigured { scope: Misconfigured::Credential, code: "403 ExpiredProviderToken".to_owned() };
    assert_eq!(world.send("aa").await, misconfigured);
    assert_eq!(world.apns.tokens.token().unwrap().header, first);
    assert_eq!(world.entries().len(), 2);
    // Old enough to be renewed: once, not in a loop.
    world.clock.shift_wall(Duration::from_secs(1_300));
    world.simulators.clock().set_offset_seconds(1_300);
    assert_eq!(world.send("aa").await, misconfigured);
    assert_ne!(world.apns.tokens.token().unwrap().header, first);
    assert_eq!(world.entries().len(), 4);
}

#[tokio::test]
async fn too_many_token_updates_keep_the_token() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    world.clock.shift_running(Duration::from_secs(51 * 60));
    world.clock.shift_wall(Duration::from_secs(5));
    let throttled = world.send("aa").await;
    let twenty_minutes = Duration::from_secs(1_200);
    assert!(matches!(&throttled, Outcome::Throttled { after: Some(after), scope: ThrottleScope::Provider, .. } if *after == twenty_minutes), "{throttled:?}");
    let kept = world.apns.tokens.token().unwrap().header;
    assert!(matches!(world.send("aa").await, Outcome::Throttled { .. }));
    assert_eq!(world.apns.tokens.token().unwrap().header, kept);
    world.simulators.clock().set_offset_seconds(1_205);
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    assert_eq!(world.apns.tokens.token().unwrap().header, kept);
}

#[tokio::test]
async fn a_key_of_somebody_else_is_a_matter_for_the_operator() {
    let world = World::with(|simulators, settings| {
        settings.base_url = format!("http://{}", simulators.apns_cleartext);
        settings.http2_prior_knowledge = true;
        settings.key_id = "OTHERKEY00".to_owned();
    })
    .await;
    assert_eq!(world.send("aa").await, Outcome::Misconfigured { scope: Misconfigured::Credential, code: "403 InvalidProviderToken".to_owned() });
}

#[tokio::test]
async fn a_call_overtaken_by_a_renewal_takes_the_new_token() {
    let world = World::cleartext().await;
    let old = world.apns.tokens.token().unwrap();
    world.clock.shift_running(Duration::from_secs(51 * 60));
    world.clock.shift_wall(Duration::from_secs(5));
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    let late = message("ab");
    let body = bytes::Bytes::from(payload::encode(&late).unwrap());
    let outcome = world.apns.with_token(&late, &body, &old).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let statuses: Vec<_> = world.entries().into_iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(429), Some(200)]);
}

#[test]
fn header_and_claims_are_what_apple_asks_for_and_no_more() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let clock = Arc::new(ManualClock::at(1_700_000_000_999));
    let source = TokenSource::new(&key, "ABC123DEFG", "DEF123GHIJ", clock).unwrap();
    let token = source.token().unwrap();
    let expected = "bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyM0RFRkcifQ.eyJpc3MiOiJERUYxMjNHSElKIiwiaWF0IjoxNzAwMDAwMDAwfQ.";
    assert!(token.header.to_str().unwrap().starts_with(expected));
}
