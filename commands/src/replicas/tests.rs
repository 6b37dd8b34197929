#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::ports::ManualClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

#[test]
fn every_stream_has_one_taker_and_a_leaver_moves_only_its_own() {
    let all = [3, 7, 12];
    let owner = |stream: u64, of: &[u64]| of.iter().copied().filter(|me| Share::of(*me, of).has(stream)).collect::<Vec<_>>();
    for stream in 0..1_000 {
        let before = owner(stream, &all);
        assert_eq!(before.len(), 1, "{stream}");
        let after = owner(stream, &[3, 12]);
        assert_eq!(after.len(), 1);
        assert!(before == after || before == [7], "{stream} moved from {before:?} to {after:?}");
    }
    for me in all {
        let slots = Share::of(me, &all).slots().len();
        assert!((10..=34).contains(&slots), "{me} has {slots} of 64");
    }
    assert!(Share::of(3, &[3]).is_all() && Share::all().is_all());
    assert!(Share::of(4, &[3]).slots().is_empty());
}

#[test]
fn all_do_it_only_where_all_have_the_role_and_one_version() {
    let peer = |number, version: &str, roles: &[&str]| Peer {
        number,
        name: String::new(),
        version: version.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        shares: true,
    };
    let (one, two) = (peer(1, "1.0", &["api", "workers"]), peer(2, "1.0", &["workers"]));
    let all = |living: &[&Peer]| Peers { me: 1, living: living.iter().copied().cloned().collect(), certain: true, ended: Vec::new() }.all_do("workers");
    assert!(all(&[&one, &two]));
    assert!(!all(&[&one, &two, &peer(3, "1.0", &["api"])]), "one accepts and delivers nothing");
    assert!(!all(&[&one, &peer(3, "1.1", &["workers"])]), "another version may do it otherwise");
}

#[test]
fn what_is_free_goes_to_whoever_does_most_and_all_agree_on_the_first() {
    use super::share::preferred;
    let all = [3, 7, 12];
    assert_eq!(preferred(&all, &[7, 3, 7]), Some(7));
    assert_eq!(preferred(&[3, 12], &[7, 3, 7]), Some(3), "the dead do nothing any more");
    let first = preferred(&all, &[]).unwrap();
    let reversed: Vec<u64> = all.into_iter().rev().collect();
    assert_eq!(preferred(&reversed, &[]), Some(first));
    assert_eq!(preferred(&[], &[7]), None);
}

#[tokio::test]
async fn work_runs_under_each_epoch_and_ends_with_it() {
    let (keeper, turn) = TurnKeeper::new("something");
    let (clock, stop, seen) = (ManualClock::at(0), CancellationToken::new(), Arc::new(AtomicU64::new(0)));
    let watched = Arc::clone(&seen);
    let (stopping, watching) = (stop.clone(), turn.clone());
    let running = tokio::spawn(async move {
        let work = |epoch, halt: CancellationToken| {
            let seen = Arc::clone(&watched);
            async move {
                seen.store(epoch, Ordering::SeqCst);
                halt.cancelled().await;
                seen.store(0, Ordering::SeqCst);
            }
        };
        watching.each(&clock, &stopping, work).await;
    });
    let becomes = async |value| {
        while seen.load(Ordering::SeqCst) != value {
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(turn.held(), None);
    keeper.set(Some(4));
    becomes(4).await;
    keeper.set(Some(6));
    becomes(6).await;
    keeper.set(None);
    becomes(0).await;
    keeper.set(Some(7));
    becomes(7).await;
    turn.give_up();
    assert!(keeper.is_given_up());
    stop.cancel();
    running.await.unwrap();
    assert_eq!(Turn::always().held(), Some(0));
}
