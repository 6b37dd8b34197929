//! Against the stand-in of Apple: what arrives and what its answers become.

use super::*;
use commands::ports::Clock;

async fn a_push_arrives(world: World) {
    assert!(world.apns.check().await.is_ok());
    assert_eq!(world.delivered(), 0, "a check delivers nothing");
    let sent = Message { priority: Priority::Low, expires_at: Some(4_000_000_000_000), ..message("aa") };
    let id = payload::apns_id(&sent).to_string();
    assert_eq!(world.apns.send(&sent).await, Outcome::Accepted { provider_id: Some(id.clone()) });
    let entry = world.entries().pop().unwrap();
    assert!(entry.delivered);
    assert_eq!(entry.provider_id, Some(id));
    assert_eq!(entry.notification.as_deref(), Some("00000000-0000-0000-0000-000000000077"));
    assert_eq!((entry.delivery, entry.attempt), (Some(2), Some(3)));
    world.simulators.shutdown().await;
}

#[tokio::test]
async fn over_tls() {
    a_push_arrives(World::secure().await).await;
}

#[tokio::test]
async fn over_cleartext() {
    a_push_arrives(World::cleartext().await).await;
}

#[tokio::test]
async fn a_dead_token_is_told_with_its_moment() {
    for world in [World::secure().await, World::cleartext().await] {
        let before = world.clock.now();
        for (prefix, code) in [("dead00", "410 Unregistered"), ("dead01", "410 ExpiredToken")] {
            let Outcome::BadAddress { kind: BadAddress::Dead, as_of: Some(at), code: got } = world.send(prefix).await else { panic!("{prefix}") };
            assert!(at >= before && at <= world.clock.now());
            assert_eq!(got, code);
        }
        world.simulators.shutdown().await;
    }
}

#[tokio::test]
async fn refusals_become_their_outcomes() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("bad000").await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(world.send("bad001").await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(world.send("429000").await, Outcome::Throttled { scope: ThrottleScope::Recipient, .. }));
    assert!(matches!(world.send("500000").await, Outcome::Retry { .. }));
    assert!(matches!(world.send("f1a001").await, Outcome::Retry { .. }));
    assert!(matches!(world.send("f1a001").await, Outcome::Accepted { .. }));
    assert!(matches!(world.send("6a5ba6").await, Outcome::Unknown { .. }));
    assert!(matches!(world.send("6a5ba6").await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn a_wrong_topic_is_a_matter_for_the_operator() {
    let world = World::with(|simulators, settings| {
        settings.base_url = format!("http://{}", simulators.apns_cleartext);
        settings.http2_prior_knowledge = true;
        settings.topic = "com.other.app".to_owned();
    })
    .await;
    assert_eq!(world.send("aa").await, Outcome::Misconfigured { scope: Misconfigured::Sender, code: "400 TopicDisallowed".to_owned() });
}

#[tokio::test]
async fn a_stranger_with_another_certificate_is_not_talked_to() {
    let other = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let world = World::with(|simulators, settings| {
        settings.base_url = format!("https://localhost:{}", simulators.apns.port());
        settings.ca_pem = Some(other.credentials.tls_ca_pem.clone());
    })
    .await;
    assert!(world.apns.check().await.is_err());
    assert_eq!(world.send("aa").await, Outcome::Retry { after: None, code: "no connection".to_owned() });
    assert!(world.entries().is_empty());
}
