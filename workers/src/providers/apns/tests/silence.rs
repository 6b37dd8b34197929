//! Calls without an answer, and the first ones.

use super::*;
use crate::providers::apns::warm_up::WarmUp;

#[tokio::test]
async fn a_dropped_answer_is_unknown() {
    for world in [World::secure().await, World::cleartext().await] {
        assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
        assert!(matches!(world.send("d60000").await, Outcome::Unknown { .. }));
        assert_eq!(world.delivered(), 2, "it was delivered, once");
        // The next call finds a new connection.
        assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
        world.simulators.shutdown().await;
    }
}

#[tokio::test]
async fn a_delivery_that_is_denied_is_tried_again() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("9057ed").await, Outcome::Retry { .. }));
    assert!(matches!(world.send("9057ed").await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn a_closed_connection_or_stream_is_unknown() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    for prefix in ["c105e0", "c105e1"] {
        assert!(matches!(world.send(prefix).await, Outcome::Unknown { .. }), "{prefix}");
        assert!(matches!(world.send(prefix).await, Outcome::Accepted { .. }), "{prefix}");
    }
}

#[tokio::test]
async fn a_stream_above_goaway_is_sent_again_or_unknown() {
    let world = World::cleartext().await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    assert!(matches!(world.send("60a3a0").await, Outcome::Accepted { .. } | Outcome::Unknown { .. }));
    assert!(matches!(world.send("60a3a0").await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let world = World::with(|simulators, settings| {
        settings.base_url = format!("http://{}", simulators.apns_cleartext);
        settings.http2_prior_knowledge = true;
        settings.timeout = Duration::from_secs(2);
    })
    .await;
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
    assert_eq!(world.send("4a4900").await, Outcome::Unknown { code: "no answer in time".to_owned() });
    assert!(matches!(world.send("aa").await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn without_a_server_nothing_was_sent() {
    let world = World::with(|_, settings| {
        settings.base_url = "http://127.0.0.1:1".to_owned();
        settings.http2_prior_knowledge = true;
    })
    .await;
    assert_eq!(world.send("aa").await, Outcome::Retry { after: None, code: "no connection".to_owned() });
    assert!(world.apns.check().await.is_err());
}

#[tokio::test]
async fn one_call_at_a_time_until_a_token_was_seen() {
    let world = World::cleartext().await;
    let (hanging, second) = (message("4a4900"), message("aa"));
    let ledger = world.simulators.ledger();
    let mut first = world.apns.send(&hanging);
    tokio::select! {
        outcome = &mut first => panic!("{outcome:?}"),
        _ = ledger.wait_for(|counters| counters.apns.dropped == 1) => {}
    }
    let mut waiting = world.apns.send(&second);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(world.entries().len(), 1);
    // The first is given up; the second has its turn and opens the way for all.
    drop(first);
    assert!(matches!(waiting.await, Outcome::Accepted { .. }));
    let mut hanging_again = world.apns.send(&hanging);
    tokio::select! {
        outcome = &mut hanging_again => panic!("{outcome:?}"),
        _ = ledger.wait_for(|counters| counters.apns.dropped == 2) => {}
    }
    assert!(matches!(world.apns.send(&second).await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn a_turn_that_does_not_come_is_a_call_not_made() {
    let world = World::with(|simulators, settings| {
        settings.base_url = format!("http://{}", simulators.apns_cleartext);
        settings.http2_prior_knowledge = true;
        settings.timeout = Duration::from_millis(300);
    })
    .await;
    let _turn = world.apns.warm_up.turn(Duration::from_secs(1)).await.unwrap();
    assert!(matches!(world.send("aa").await, Outcome::NotMade { .. }));
    assert!(world.entries().is_empty());
}

#[tokio::test]
async fn a_connection_lost_or_long_unused_is_warmed_up_anew() {
    let clock = Arc::new(ShiftedClock::default());
    let gate = WarmUp::new(clock.clone(), Duration::from_secs(900));
    let both = async |gate: &WarmUp| {
        let _first = gate.turn(Duration::ZERO).await.unwrap();
        gate.turn(Duration::ZERO).await.is_ok()
    };
    assert!(!both(&gate).await);
    gate.passed();
    assert!(both(&gate).await);
    gate.lost();
    assert!(!both(&gate).await);
    gate.passed();
    clock.shift_running(Duration::from_secs(901));
    assert!(!both(&gate).await);
}
