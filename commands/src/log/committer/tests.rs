#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{AfterCommit, Committer, CommitterSettings, Lane};
use crate::consumer::Changes;
use crate::log::tail::Told;
use crate::log::{Batch, Commit, CommitOutcome, LogError, LogWriter, Metadata, Need, Position, Recorded, StreamAppend, Tail};
use crate::ports::ManualClock;
use domain::event::Personal;
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{Channel, Millis};
use domain::{AggregateKind, StreamId};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// What the store of a test has, and whether its disk is full.
#[derive(Default)]
struct Disk {
    full: AtomicBool,
    /// It says no to the next append and does it all the same.
    lies: AtomicBool,
    events: Mutex<Vec<Arc<Recorded>>>,
    /// Appends wait while somebody holds it.
    gate: Mutex<()>,
    probes: AtomicUsize,
}

struct Writer(Arc<Disk>);

impl Writer {
    fn room(&self) -> Result<(), LogError> {
        match self.0.full.load(Ordering::SeqCst) {
            true => Err(LogError::Unavailable { reason: "database or disk is full".to_owned() }),
            false => Ok(()),
        }
    }
}

impl LogWriter for Writer {
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError> {
        drop(self.0.gate.lock().unwrap());
        self.room()?;
        let mut events = self.0.events.lock().unwrap();
        let mut outcomes = Vec::new();
        for commit in batch.commits {
            let mut recorded = Vec::new();
            for append in commit.appends {
                for (sequence, fact) in (append.expected + 1..).zip(append.events) {
                    let position = events.len() as u64 + 1;
                    let metadata = Arc::clone(&commit.metadata);
                    let event = Arc::new(Recorded { position, stream: append.stream, number: 1, sequence, at, fact, metadata });
                    events.push(Arc::clone(&event));
                    recorded.push(event);
                }
            }
            outcomes.push(CommitOutcome::Committed { position: events.len() as u64, recorded });
        }
        match self.0.lies.swap(false, Ordering::SeqCst) {
            true => Err(LogError::Unavailable { reason: "an I/O error at the end of COMMIT".to_owned() }),
            false => Ok(outcomes),
        }
    }

    fn head(&self) -> Position {
        self.0.events.lock().unwrap().len() as u64
    }

    fn probe(&mut self) -> Result<(), LogError> {
        self.0.probes.fetch_add(1, Ordering::SeqCst);
        self.room()
    }
}

/// Counts what was announced to caches.
#[derive(Default)]
struct Announced(AtomicUsize);

impl AfterCommit for Announced {
    fn committed(&self, events: &[Arc<Recorded>]) {
        self.0.fetch_add(events.len(), Ordering::SeqCst);
    }
}

struct Fixture {
    disk: Arc<Disk>,
    tail: Arc<Tail>,
    announced: Arc<Announced>,
    committer: Committer,
}

fn fixture(probe: Duration) -> Fixture {
    let (disk, tail, announced) = (Arc::<Disk>::default(), Arc::new(Tail::at(0)), Arc::<Announced>::default());
    let settings = CommitterSettings { probe, ..CommitterSettings::default() };
    let clock = Arc::new(ManualClock::at(1_000));
    let (committer, _) = Committer::start(Writer(disk.clone()), tail.clone(), vec![announced.clone()], clock, settings).unwrap();
    Fixture { disk, tail, announced, committer }
}

fn commit() -> Vec<Commit> {
    let stream = StreamId::new(AggregateKind::Subscription, Uuid::from_u128(1));
    let fact = SubscriptionEvent::Unsubscribed(Unsubscribed {
        recipient: None,
        scope: Scope::Channel(Channel::Email),
        by: ChangedBy::Recipient,
        source: Source::Api,
        personal: Personal::Erased,
    })
    .into();
    let append = StreamAppend { stream, number: None, expected: 0, events: vec![fact] };
    vec![Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![append], expectations: Vec::new() }]
}

#[tokio::test]
async fn a_full_disk_refuses_everybody_and_announces_nothing() {
    let fixture = fixture(Duration::from_secs(3_600));
    assert!(fixture.committer.trouble().is_none());
    fixture.disk.full.store(true, Ordering::SeqCst);
    for lane in [Lane::Request, Lane::Internal] {
        let refused = fixture.committer.commit(lane, commit()).await;
        assert!(matches!(refused, Err(LogError::Unavailable { .. })), "{refused:?}");
    }
    assert!(matches!(fixture.committer.change_rows(Changes::default()).await, Err(LogError::Unavailable { .. })));
    assert_eq!((fixture.tail.head(), fixture.announced.0.load(Ordering::SeqCst)), (0, 0));
    assert_eq!(fixture.committer.trouble().unwrap().reason(), "database or disk is full");

    // The first commit that succeeds ends the trouble, without waiting for a probe.
    fixture.disk.full.store(false, Ordering::SeqCst);
    fixture.committer.commit(Lane::Request, commit()).await.unwrap();
    assert!(fixture.committer.trouble().is_none());
    assert_eq!((fixture.tail.head(), fixture.announced.0.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn what_is_in_the_log_though_it_was_refused_is_not_skipped_by_followers() {
    let fixture = fixture(Duration::from_secs(3_600));
    fixture.committer.commit(Lane::Request, commit()).await.unwrap();
    fixture.disk.lies.store(true, Ordering::SeqCst);
    fixture.committer.commit(Lane::Request, commit()).await.unwrap_err();
    assert_eq!(fixture.tail.head(), 2, "followers are woken");
    assert!(fixture.tail.read_after(1, 10).is_none(), "and find it in the store, for the window has it not");
    fixture.committer.commit(Lane::Request, commit()).await.unwrap();
    assert!(fixture.tail.read_after(1, 10).is_none(), "nobody at 1 is handed 3");
    assert_eq!(fixture.tail.read_after(2, 10).unwrap()[0].position, 3);
}

#[tokio::test]
async fn it_finds_out_by_itself_when_there_is_room_again() {
    let fixture = fixture(Duration::from_millis(1));
    fixture.disk.full.store(true, Ordering::SeqCst);
    fixture.committer.commit(Lane::Request, commit()).await.unwrap_err();
    while fixture.disk.probes.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert!(fixture.committer.trouble().is_some(), "probes that fail change nothing");
    fixture.disk.full.store(false, Ordering::SeqCst);
    // Nobody asks for anything: a server that is not ready gets no requests.
    fixture.committer.trouble.clone().wait_for(Option::is_none).await.unwrap();
}

#[tokio::test]
async fn a_closed_log_ends_its_thread_even_in_trouble() {
    let (disk, tail) = (Arc::<Disk>::default(), Arc::new(Tail::at(0)));
    disk.full.store(true, Ordering::SeqCst);
    let settings = CommitterSettings { probe: Duration::from_secs(3_600), ..CommitterSettings::default() };
    let (committer, thread) = Committer::start(Writer(disk), tail, Vec::new(), Arc::new(ManualClock::at(0)), settings).unwrap();
    committer.commit(Lane::Request, commit()).await.unwrap_err();
    drop(committer);
    thread.join().unwrap();
}

/// A committer with room for so many requests, whose first batch waits at the gate.
#[allow(clippy::await_holding_lock, reason = "another thread waits for it, not a task")]
async fn held<'a>(
    disk: &'a Arc<Disk>,
    queue: usize,
) -> (Committer, std::sync::MutexGuard<'a, ()>, tokio::task::JoinHandle<Result<Vec<CommitOutcome>, LogError>>) {
    let gate = disk.gate.lock().unwrap();
    let settings = CommitterSettings { queue, batch_events: 1, ..CommitterSettings::default() };
    let (committer, _) = Committer::start(Writer(disk.clone()), Arc::new(Tail::at(0)), Vec::new(), Arc::new(ManualClock::at(0)), settings).unwrap();
    let first = committer.clone();
    let first = tokio::spawn(async move { first.commit(Lane::Request, commit()).await });
    // It has been taken out of the line once the line has its whole room again.
    tokio::task::yield_now().await;
    while committer.requests.capacity() < queue {
        tokio::task::yield_now().await;
    }
    (committer, gate, first)
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "another thread waits for it, not a task")]
async fn when_requests_are_refused_urgent_ones_still_get_through_and_go_first() {
    let disk = Arc::<Disk>::default();
    let (committer, gate, first) = held(&disk, 3).await;
    let send = |lane| {
        let committer = committer.clone();
        tokio::spawn(async move { committer.commit(lane, commit()).await })
    };
    let waiting = [send(Lane::Request), send(Lane::Request), send(Lane::Request)];
    while committer.requests.capacity() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(committer.commit(Lane::Request, commit()).await, Err(LogError::Overloaded)));
    let urgent = send(Lane::Urgent);
    while committer.urgent.capacity() == 3 {
        tokio::task::yield_now().await;
    }
    drop(gate);
    let position = |outcomes: Vec<CommitOutcome>| match outcomes.first() {
        Some(CommitOutcome::Committed { position, .. }) => *position,
        other => panic!("{other:?}"),
    };
    assert_eq!(position(first.await.unwrap().unwrap()), 1);
    assert_eq!(position(urgent.await.unwrap().unwrap()), 2);
    for (expected, waiting) in (3..).zip(waiting) {
        assert_eq!(position(waiting.await.unwrap().unwrap()), expected);
    }
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "another thread waits for it, not a task")]
async fn whoever_waits_while_the_store_does_not_answer_is_told_with_the_first() {
    let disk = Arc::<Disk>::default();
    disk.full.store(true, Ordering::SeqCst);
    let (committer, gate, first) = held(&disk, 5).await;
    let waiting = [Lane::Request, Lane::Request, Lane::Urgent].map(|lane| {
        let committer = committer.clone();
        tokio::spawn(async move { committer.commit(lane, commit()).await })
    });
    while committer.requests.capacity() > 3 || committer.urgent.capacity() > 4 {
        tokio::task::yield_now().await;
    }
    drop(gate);
    first.await.unwrap().unwrap_err();
    for waiting in waiting {
        assert!(matches!(waiting.await.unwrap(), Err(LogError::Unavailable { .. })));
    }
}

#[tokio::test]
async fn the_tail_tells_what_was_committed_here_from_what_others_did() {
    let fixture = fixture(Duration::from_secs(3_600));
    fixture.committer.commit(Lane::Request, commit()).await.unwrap();
    let others = { fixture.disk.events.lock().unwrap().clone() };
    fixture.disk.events.lock().unwrap().extend([others.clone(), others].concat());
    fixture.tail.tell(&Told { from: 1, upto: 3, need: Need::NONE, events: Vec::new(), unread: false });
    for _ in 0..2 {
        fixture.committer.commit(Lane::Request, commit()).await.unwrap();
    }
    let here: Vec<Position> = (0..7).filter(|position| fixture.tail.committed_here(*position)).collect();
    assert_eq!(here, [1, 4, 5]);
    // What the window has lost is nobody's.
    fixture.tail.skip_to(9);
    assert!(!fixture.tail.committed_here(5));
}
