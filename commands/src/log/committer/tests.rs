#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{AfterCommit, Committer, CommitterSettings, Lane};
use crate::consumer::Changes;
use crate::log::{Batch, Commit, CommitOutcome, LogError, LogWriter, Metadata, Position, Recorded, StreamAppend, Tail};
use crate::ports::ManualClock;
use domain::subscription::{ChangedBy, Scope, SubscriptionEvent, Unsubscribed};
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
    let fact = SubscriptionEvent::Unsubscribed(Unsubscribed { scope: Scope::Channel(Channel::Email), by: ChangedBy::Recipient }).into();
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
