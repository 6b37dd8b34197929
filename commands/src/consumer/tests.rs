#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fixture;

use super::{Changes, Progress, Rows, Runner, RunnerSettings};
use crate::log::Tail;
use fixture::{Collector, Fixture, Flaky, INSERT, NAME, counted};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn rows_and_checkpoint_change_together_or_not_at_all() {
    let fixture = Fixture::new();
    let mut changes = Changes::default();
    changes.push(&INSERT, vec![1_u64.into()]);
    changes.push(&INSERT, vec![None::<u64>.into()]);
    fixture.rows.apply(NAME, changes, 7).await.unwrap_err();
    assert_eq!((fixture.seen(), fixture.checkpoint().await), (vec![], 0), "the second statement fails, so the first must be gone too");

    let mut changes = Changes::default();
    changes.push(&INSERT, vec![1_u64.into()]);
    fixture.rows.apply(NAME, changes, 7).await.unwrap();
    assert_eq!((fixture.seen(), fixture.checkpoint().await), (vec![1], 7));
}

#[tokio::test]
async fn every_event_takes_effect_once_and_a_restart_goes_on_at_the_checkpoint() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 3).await;
    fixture.run(Collector::default()).await;
    assert_eq!((fixture.seen(), fixture.checkpoint().await), (vec![1, 2, 3], 3));

    fixture.append(1, 3, 2).await;
    let second = Collector::default();
    let handled = second.handled.clone();
    fixture.run(second).await;
    assert_eq!(fixture.seen(), [1, 2, 3, 4, 5]);
    assert_eq!(*handled.lock().unwrap(), [4, 5], "what was taken in before is not handed out again");
}

#[tokio::test]
async fn small_batches_lose_and_repeat_nothing() {
    let fixture = Fixture::new();
    for stream in 1..=5 {
        fixture.append(stream, 0, 4).await;
    }
    let settings = RunnerSettings { batch: 3, ..RunnerSettings::default() };
    fixture.run_with(Collector::default(), Arc::new(fixture.rows.clone()), fixture.cold_tail().await, settings).await;
    assert_eq!(fixture.seen(), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failing_event_is_parked_with_its_stream_and_nobody_else_waits() {
    let fixture = Fixture::new();
    let parked = counted("bongsu_consumer_parked_total");
    fixture.append(1, 0, 2).await; // positions 1, 2
    fixture.append(2, 0, 2).await; // 3, 4
    fixture.append(1, 2, 1).await; // 5
    let failing = Collector { poison: vec![2], ..Collector::default() };
    let handled = failing.handled.clone();
    fixture.run(failing).await;

    assert_eq!(fixture.seen(), [1, 3, 4]);
    assert_eq!(fixture.parked(), [(2, "cannot take 2".to_owned()), (5, "an earlier event of this stream is parked".to_owned())]);
    assert_eq!(fixture.checkpoint().await, 5, "the checkpoint passes parked events, whose rows say so");
    assert_eq!(parked.load(Ordering::Relaxed), 2, "each is counted for the operator");
    // Once within the batch, then alone: three times before it is given up.
    assert_eq!(handled.lock().unwrap().iter().filter(|position| **position == 2).count(), 4);

    // After a restart with a handler that could: the order within the stream still counts.
    fixture.append(1, 3, 1).await; // 6
    fixture.append(2, 2, 1).await; // 7
    fixture.run(Collector::default()).await;
    assert_eq!(fixture.seen(), [1, 3, 4, 7]);
    assert_eq!(fixture.parked().iter().map(|(position, _)| *position).collect::<Vec<_>>(), [2, 5, 6]);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_parked_and_the_others_go_on() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 2).await; // 1, 2
    fixture.append(2, 0, 2).await; // 3, 4
    fixture.append(1, 2, 1).await; // 5
    fixture.damage(3);
    fixture.run_with(Collector::default(), Arc::new(fixture.rows.clone()), fixture.cold_tail().await, RunnerSettings::default()).await;
    assert_eq!(fixture.seen(), [1, 2, 5]);
    assert_eq!(fixture.parked().iter().map(|(position, _)| *position).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(fixture.checkpoint().await, 5);
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_waited_for_and_never_parked() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 2).await;
    let newer = fixture.make_newer();
    let tail = fixture.cold_tail().await;
    let (clock, mut asked) = fixture::RecordingClock::new();
    let stop = CancellationToken::new();
    let runner =
        Runner::new(Collector::default(), fixture.reader.clone(), tail, Arc::new(fixture.rows.clone()), clock, Progress::default(), RunnerSettings::default());
    let running = tokio::spawn(runner.run(stop.clone(), None));
    for _ in 0..3 {
        asked.recv().await.unwrap();
    }
    assert_eq!((fixture.seen(), fixture.parked(), fixture.checkpoint().await), (vec![], vec![], 0));
    newer.restore();
    stop.cancel();
    running.await.unwrap();
    fixture.run(Collector::default()).await;
    assert_eq!(fixture.seen(), [1, 2]);
}

#[tokio::test]
async fn a_store_that_refuses_is_asked_again_ever_more_rarely_without_loss_or_repeat() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 3).await;
    let errors = counted("bongsu_consumer_errors_total");
    let flaky = Arc::new(Flaky::new(fixture.rows.clone(), 10));
    let collector = Collector::default();
    let abandoned = collector.abandoned.clone();
    let asked = fixture.run_with(collector, flaky, fixture.tail.clone(), RunnerSettings::default()).await;

    assert_eq!((fixture.seen(), fixture.parked(), fixture.checkpoint().await), (vec![1, 2, 3], vec![], 3));
    let doubling = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 6_400, 6_400];
    assert_eq!(asked, doubling.map(Duration::from_millis));
    assert_eq!(abandoned.load(Ordering::Relaxed), 10, "the handler forgets what did not become durable");
    assert_eq!(errors.load(Ordering::Relaxed), 10);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_takes_effect_once() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 3).await;
    let lossy = Arc::new(Flaky::losing_answers(fixture.rows.clone(), 2));
    fixture.run_with(Collector::default(), lossy, fixture.tail.clone(), RunnerSettings { batch: 2, ..RunnerSettings::default() }).await;
    assert_eq!((fixture.seen(), fixture.checkpoint().await), (vec![1, 2, 3], 3));
}

#[tokio::test]
async fn a_store_that_answers_again_is_trusted_again() {
    let fixture = Fixture::new();
    fixture.append(1, 0, 1).await;
    let flaky = Arc::new(Flaky::new(fixture.rows.clone(), 2));
    let settings = RunnerSettings::default();
    assert_eq!(fixture.run_with(Collector::default(), flaky.clone(), fixture.tail.clone(), settings).await.len(), 2);
    fixture.append(1, 1, 1).await;
    flaky.refuse(1);
    let asked = fixture.run_with(Collector::default(), flaky, fixture.tail.clone(), settings).await;
    assert_eq!(asked, [settings.back_off], "the pause starts small anew");
    assert_eq!(fixture.seen(), [1, 2]);
}

#[tokio::test]
async fn who_waits_for_a_position_is_woken_and_makes_a_lingering_consumer_hurry() {
    let fixture = Fixture::new();
    let progress = Progress::default();
    let settings = RunnerSettings { linger: Duration::from_secs(3_600), ..RunnerSettings::default() };
    let stop = CancellationToken::new();
    // Nobody moves this clock: the linger alone would never end.
    let runner = Runner::new(
        Collector::default(),
        fixture.reader.clone(),
        fixture.tail.clone(),
        Arc::new(fixture.rows.clone()),
        fixture.clock.clone(),
        progress.clone(),
        settings,
    );
    let running = tokio::spawn(runner.run(stop.clone(), None));
    fixture.append(1, 0, 2).await;
    progress.reached(2).await;
    assert_eq!((progress.position(), fixture.seen()), (2, vec![1, 2]), "what is reached is visible");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_consumer_that_backs_off_or_has_nothing_to_do_stops_at_once() {
    let fixture = Fixture::new();
    for waiting in [0, u32::MAX] {
        let flaky = Arc::new(Flaky::new(fixture.rows.clone(), waiting));
        let stop = CancellationToken::new();
        let tail = Arc::new(Tail::at(u64::from(waiting > 0)));
        let runner =
            Runner::new(Collector::default(), fixture.reader.clone(), tail, flaky, fixture.clock.clone(), Progress::default(), RunnerSettings::default());
        let running = tokio::spawn(runner.run(stop.clone(), None));
        stop.cancel();
        running.await.unwrap();
    }
}
