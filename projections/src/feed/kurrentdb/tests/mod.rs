//! Against the simulator, or against a real server where `BONGSU_TEST_KURRENTDB` holds its
//! connection string. What no real server can be told to do is left out there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fixture;

use super::{MirrorError, RebuildError, Rebuilt};
use commands::ports::{Clock, ManualClock};
use domain::AggregateKind;
use domain::values::Channel;
use eventstore::{AppendToStreamOptions, Client, EventData, StreamState};
use fixture::{World, commit, off, on, profile, tables};
use kurrentdb_sim::faults::Cut;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test]
async fn a_log_that_was_mirrored_and_rebuilt_is_equal_byte_by_byte() {
    let world = World::new(1).await;
    world.a_little().await;
    world.a_lot(400).await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    world.assert_equal().await;
}

#[tokio::test]
async fn what_is_appended_later_follows_while_it_runs() {
    let world = World::new(2).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.mirror().run(stop.clone()));
    world.a_little().await;
    world.progress.reached(world.log.sources.tail.head()).await;
    world.a_lot(10).await;
    world.progress.reached(world.log.sources.tail.head()).await;
    stop.cancel();
    running.await.unwrap();
    world.assert_equal().await;
}

#[tokio::test]
async fn an_analyst_finds_streams_types_causes_and_no_personal_data() {
    let world = World::new(3).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    let store = simulator.store();
    let alice = store.stream("bongsu.recipient-00000000-0000-0000-0000-000000000001").unwrap();
    assert_eq!(
        alice.iter().map(|record| (record.revision, record.event.event_type.as_str())).collect::<Vec<_>>(),
        [(0, "ProfileChanged"), (1, "ProfileChanged"), (2, "ProfileChanged")]
    );
    let off = &store.stream("bongsu.subscription-00000000-0000-0000-0000-000000000001").unwrap()[0];
    let metadata: Value = serde_json::from_slice(&off.event.metadata).unwrap();
    assert_eq!(metadata["$correlationId"], "order 7");
    assert_eq!(metadata["$causationId"], json!(alice[1].event.id), "the event that caused it");
    assert_eq!((&metadata["position"], &metadata["sequence"], &metadata["commit"]), (&json!(3), &json!(1), &json!([3, 4])));
    assert_eq!(metadata["metadata"], json!({"actor": "delivery", "cause": 2, "correlation": "order 7"}));
    let first: Value = serde_json::from_slice(&alice[0].event.metadata).unwrap();
    assert_eq!(first["$correlationId"], "recipient-00000000-0000-0000-0000-000000000001");
    assert!(first["sealed"].is_string() && metadata.get("sealed").is_none());
    for record in store.all() {
        let text = [record.event.data, record.event.metadata].concat();
        assert!(!["alice", "carol"].iter().any(|name| text.windows(name.len()).any(|window| window == name.as_bytes())), "{}", record.stream);
    }
}

#[tokio::test]
async fn wherever_it_is_cut_off_nothing_is_lost_and_nothing_stored_twice() {
    for cut in [Cut::Before, Cut::After] {
        // The page has five streams and so five appends.
        for nth in 1..=5 {
            let world = World::new(4).await;
            let Some(simulator) = &world.simulator else { return };
            world.a_little().await;
            simulator.faults().cut_at(nth, cut);
            assert_eq!(world.crash_through().await, 1, "{cut:?} {nth}");
            world.assert_equal().await;
        }
    }
}

#[tokio::test]
async fn it_goes_on_after_crash_upon_crash_in_a_long_log() {
    let world = World::new(5).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_lot(600).await;
    let mut crashes = 0;
    for nth in [37, 350, 601, 900] {
        simulator.faults().cut_at(nth, if nth % 2 == 0 { Cut::Before } else { Cut::After });
        let failed = world.catch_up(&mut world.mirror()).await;
        crashes += usize::from(failed.is_err());
    }
    world.crash_through().await;
    assert_eq!(crashes, 4);
    world.assert_equal().await;
    assert!(simulator.faults().appends() < 2 * 1_800, "it does not begin anew each time");
}

#[tokio::test]
async fn one_that_runs_reconnects_by_itself() {
    let world = World::new(6).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    simulator.faults().cut_at(3, Cut::After);
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.mirror().run(stop.clone()));
    world.progress.reached(world.log.sources.tail.head()).await;
    simulator.cut();
    world.a_lot(10).await;
    world.progress.reached(world.log.sources.tail.head()).await;
    stop.cancel();
    running.await.unwrap();
    world.assert_equal().await;
}

/// A page that was cut off is read anew with other ends: the server then knows only some of an
/// append's events, and says that the revision is wrong.
#[tokio::test]
async fn an_append_of_which_a_part_is_there_is_completed() {
    let world = World::new(7).await;
    let stream = AggregateKind::Recipient;
    world.commit(vec![commit("a", vec![on(stream, 1, 0, vec![profile(1, "a"), profile(1, "b")])])]).await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    // The newest event says that nothing was there before it, so all is appended anew.
    world.commit(vec![commit("a", vec![on(stream, 1, 2, vec![profile(1, "c")]), on(AggregateKind::Subscription, 1, 0, vec![off(Channel::Email)])])]).await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    world.assert_equal().await;
}

#[tokio::test]
async fn a_foreign_event_stops_it_loudly() {
    let world = World::new(8).await;
    world.a_little().await;
    let stream = format!("{}.subscription-00000000-0000-0000-0000-000000000001", world.target.prefix());
    let client = Client::new(world.target.settings().clone()).unwrap();
    let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    let event = EventData::json("Intruder", &json!({})).unwrap();
    client.append_to_stream(stream.as_str(), &options, event).await.unwrap();
    match world.catch_up(&mut world.mirror()).await {
        Err(error @ MirrorError::Foreign { .. }) => {
            assert!(error.needs_a_person());
            assert!(error.to_string().contains("mirror.prefix"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(world.rebuild().await, Err(RebuildError::Mirror(MirrorError::Foreign { .. }))));
}

#[tokio::test]
async fn another_event_in_the_place_of_ours_stops_it_loudly() {
    let world = World::new(9).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    // All of it but the last transaction was mirrored, and the last of a stream is exchanged.
    world.catch_up(&mut world.mirror()).await.unwrap();
    simulator.store().tamper(|record| {
        if record.stream.ends_with("0002") && record.stream.contains("subscription") {
            record.event.id = Uuid::from_u128(7);
        }
        true
    });
    world.commit(vec![commit("a", vec![on(AggregateKind::Subscription, 2, 1, vec![off(Channel::Email)])])]).await;
    let mut mirror = world.mirror();
    let error = world.catch_up(&mut mirror).await.expect_err("it must stop");
    assert!(matches!(error, MirrorError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn a_log_that_was_set_back_is_not_mixed_into_its_old_mirror() {
    let world = World::new(10).await;
    world.a_little().await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    // The same beginning, less of it.
    let other = World { target: world.target.clone(), ..World::new(11).await };
    other.commit(vec![commit("key:1", vec![on(AggregateKind::Recipient, 1, 0, vec![profile(1, "alice")])])]).await;
    match other.catch_up(&mut other.mirror()).await {
        Err(MirrorError::Ahead { mirrored: 7, head: 1 }) => {}
        error => panic!("{error:?}"),
    }
    // It went on differently, to the same position and beyond.
    other.a_lot(10).await;
    match other.catch_up(&mut other.mirror()).await {
        Err(MirrorError::Foreign { .. }) => {}
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_stream_that_was_deleted_there_is_told() {
    let world = World::new(12).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    world.a_lot(200).await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    simulator.store().tamper(|record| !record.stream.ends_with("recipient-00000000-0000-0000-0000-000000000001"));
    // Only of its latest page does it say that it may not have been there.
    world.commit(vec![commit("a", vec![on(AggregateKind::Recipient, 1, 3, vec![profile(1, "x")])])]).await;
    match world.catch_up(&mut world.mirror()).await {
        Err(error @ MirrorError::Gone { revision: 3, .. }) => assert!(error.needs_a_person(), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_may_not_is_told_and_it_goes_on_once_he_may() {
    let world = World::new(13).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    simulator.faults().deny(true);
    let clock = Arc::new(ManualClock::at(1_000));
    let mirror = super::Mirror::new(world.target.clone(), world.sources(Arc::<ManualClock>::clone(&clock)), world.progress.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(mirror.run(stop.clone()));
    // Time passes in leaps, with time for calls between them; nothing else can make it go on.
    let passing = async {
        for round in 0..60 {
            if round == 2 {
                simulator.faults().deny(false);
            }
            clock.advance(Duration::from_secs(301));
            commands::ports::SystemClock::default().sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = world.progress.reached(world.log.sources.tail.head()) => {}
        () = passing => panic!("it does not look again"),
    }
    stop.cancel();
    running.await.unwrap();
    world.assert_equal().await;
}

#[tokio::test]
async fn large_events_go_in_several_appends_and_too_large_ones_are_told() {
    let world = World::new(14).await;
    let large = |n: usize| (0..n).map(|_| profile(1, &"x".repeat(200_000))).collect::<Vec<_>>();
    world.commit(vec![commit("a", vec![on(AggregateKind::Recipient, 1, 0, large(9))])]).await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    world.assert_equal().await;
    world.commit(vec![commit("a", vec![on(AggregateKind::Recipient, 1, 9, vec![profile(1, &"x".repeat(2_000_000))])])]).await;
    match world.catch_up(&mut world.mirror()).await {
        Err(error @ MirrorError::Refused { .. }) => assert!(error.to_string().contains("MaxAppendSize"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hole_is_named_and_what_is_whole_before_it_is_rebuilt() {
    let world = World::new(15).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    // The events of positions 3 and 4 were committed together: without 4 there is no 3.
    simulator.store().tamper(|record| !record.stream.ends_with("recipient-00000000-0000-0000-0000-000000000002"));
    let missing = super::Missing { position: 4, newest: 7 };
    assert_eq!(world.rebuild().await.unwrap(), Rebuilt { position: 2, missing: Some(missing) });
    assert_eq!(tables(&world.rebuilt())[0], tables(&world.log.folder().join("log.db"))[0][..2]);
}

#[tokio::test]
async fn where_nothing_was_mirrored_nothing_is_made() {
    let world = World::new(17).await;
    assert!(matches!(world.rebuild().await, Err(RebuildError::Empty { .. })));
}

#[tokio::test]
async fn changed_content_is_noticed() {
    let world = World::new(16).await;
    let Some(simulator) = &world.simulator else { return };
    world.a_little().await;
    world.catch_up(&mut world.mirror()).await.unwrap();
    simulator.store().tamper(|record| {
        if record.stream.contains(".subscription-") {
            record.event.data = String::from_utf8(record.event.data.clone()).unwrap().replace("mail", "male").into_bytes();
        }
        true
    });
    match world.rebuild().await {
        Err(RebuildError::Mirror(MirrorError::Foreign { reason, .. })) => assert!(reason.contains("not that of its content"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
