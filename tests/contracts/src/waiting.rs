//! What waits beside the log: requests whose deliveries begin later, and timers.

use crate::event_log::{append, commit};
use crate::stores::{Replica, Store};
use commands::consumer::{Consumer, Progress, Runner, RunnerSettings};
use commands::due::DueTimer;
use commands::log::{LogError, Metadata};
use commands::ports::ManualClock;
use domain::aggregate::Aggregate;
use domain::event::Personal;
use domain::notification::{Accept, Notification, NotificationCommand, NotificationEvent, Requested};
use domain::policy::deciding::{Decided, Decision, FollowUp, Step};
use domain::policy::timers::TimerName;
use domain::values::*;
use domain::{AggregateKind, Fact, StreamId};
use services::wait::PATIENCE;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use workers::pending::{Item, Lane, PendingDeliveries, Route};
use workers::timers::{Answer, Asking, Asks, Changed, Firing, FiringSettings, Row, Timers};

fn stream(n: u64) -> StreamId {
    StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(n)))
}

fn requested(sandbox: bool) -> Requested {
    Requested {
        priority: Priority::High,
        sandbox,
        expires_at: Some(9_000_000),
        topic: Some(TopicKey::new("team-seoul").unwrap()),
        ..Requested::plain(SenderKey::new("shop").unwrap(), RecipientId(Uuid::from_u128(70)), CategoryKey::new("orders").unwrap(), Personal::Erased)
    }
}

fn decision(outcome: Decided) -> Decision {
    Decision { outcome, facts: FactVersions::default(), count: None }
}

fn deferred(until: Millis) -> Decision {
    decision(Decided::Defer { until, rule: Rule::QuietHours, limit: None })
}

fn delivered(next: Option<FollowUp>) -> Decision {
    let step = |address| Step::Deliver { channel: Channel::AndroidPush, address: Some(AddressId(Uuid::from_u128(address))), rule: Rule::DefaultOptIn };
    decision(Decided::Deliver { steps: vec![step(80), step(81)], taken: 0, next })
}

/// A notification as far as it has come.
#[derive(Default)]
struct Known {
    number: u64,
    state: Notification,
    sequence: u64,
}

impl Known {
    async fn accept(replica: &Replica, number: u64, sandbox: bool, decision: Decision) -> Self {
        let mut known = Self { number, ..Self::default() };
        known.then(replica, NotificationCommand::Accept(Box::new(Accept { requested: requested(sandbox), decision }))).await;
        known
    }

    async fn then(&mut self, replica: &Replica, command: NotificationCommand) {
        let events = self.state.decide(command).unwrap();
        assert!(!events.is_empty());
        events.iter().for_each(|event| self.state.evolve(event));
        let count = events.len() as u64;
        append(replica, vec![commit(stream(self.number), self.sequence, events.into_iter().map(Fact::from).collect())]).await;
        self.sequence += count;
    }
}

fn runner<C: Consumer>(replica: &Replica, consumer: C, progress: &Progress) -> Runner<C> {
    let (clock, settings) = (Arc::new(ManualClock::at(1_000)), RunnerSettings::default());
    Runner::new(consumer, replica.reader.clone(), replica.tail.clone(), replica.beside.clone(), clock, progress.clone(), settings)
}

/// Brings both tables to the head of the log.
async fn catch_up(replica: &Replica) {
    let head = Some(replica.tail.head());
    runner(replica, PendingDeliveries::default(), &Progress::default()).run(CancellationToken::new(), head).await;
    runner(replica, Timers::default(), &Progress::default()).run(CancellationToken::new(), head).await;
}

async fn ready(replica: &Replica, sandbox: bool) -> Vec<Item> {
    let route = Route { channel: Channel::AndroidPush, sandbox };
    let lane = Lane { route, priority: Priority::High, sender: SenderKey::new("shop").unwrap() };
    let known = replica.pending.lanes().await.unwrap().contains(&lane);
    let items = replica.pending.ready(lane, 100, None, None).await.unwrap();
    assert_eq!(known, !items.is_empty());
    items
}

async fn due(replica: &Replica, now: Millis) -> Vec<Row> {
    replica.timers.due(now, None, 100).await.unwrap()
}

pub async fn what_waited_is_owed_as_its_request_said<S: Store>() {
    let store = S::new().await;
    let replica = store.open().await;
    for (number, sandbox) in [(1, false), (2, true)] {
        let mut known = Known::accept(&replica, number, sandbox, deferred(5_000)).await;
        catch_up(&replica).await;
        assert!(ready(&replica, sandbox).await.is_empty(), "it waits");
        let next = FollowUp { step: 1, due: 8_000, when: NextWhen::NotRead };
        known.then(&replica, NotificationCommand::Release { decision: Box::new(delivered(Some(next))) }).await;
        catch_up(&replica).await;
        let items = ready(&replica, sandbox).await;
        let said = requested(sandbox);
        let events = replica.reader.read_stream(stream(number), 0, false).await.unwrap();
        assert_eq!(items.iter().map(|item| item.delivery.number).collect::<Vec<_>>(), [0, 1]);
        for item in &items {
            assert_eq!((item.notification.0, item.recipient, item.sandbox), (stream(number).id, said.recipient, sandbox));
            assert_eq!((&item.sender, &item.category, &item.topic), (&said.sender, &said.category, &said.topic));
            assert_eq!((item.priority, item.expires_at, item.requested_position), (said.priority, said.expires_at, events[0].position));
            assert_eq!(item.delivery, known.state.deliveries[usize::from(item.delivery.number)]);
        }
        // The next step of the plan too, in a later batch.
        known.then(&replica, NotificationCommand::TakeStep { step: 1, decision: Box::new(decision_of_step()), now: 8_000 }).await;
        catch_up(&replica).await;
        assert_eq!(ready(&replica, sandbox).await.iter().map(|item| item.delivery.number).collect::<Vec<_>>(), [0, 1, 2]);
    }
}

fn decision_of_step() -> Decision {
    let step = Step::Deliver { channel: Channel::AndroidPush, address: None, rule: Rule::DefaultOptIn };
    decision(Decided::Deliver { steps: vec![step], taken: 1, next: None })
}

pub async fn timers_come_in_order_and_go_with_their_reason<S: Store>() {
    let store = S::new().await;
    let replica = store.open().await;
    let mut all = Vec::new();
    for (number, until) in [(1, 30), (2, 10), (3, 20), (4, 20), (5, 99)] {
        all.push(Known::accept(&replica, number, false, deferred(until)).await);
    }
    let plan = FollowUp { step: 1, due: 25, when: NextWhen::NotSeen };
    let mut with_plan = Known::accept(&replica, 6, false, delivered(Some(plan))).await;
    catch_up(&replica).await;
    let first = replica.timers.due(50, None, 3).await.unwrap();
    let rest = replica.timers.due(50, first.last().map(Row::key), 3).await.unwrap();
    let found: Vec<_> = first.iter().chain(&rest).map(|row| (row.due, row.stream, row.name)).collect();
    let release = |due, number| (due, stream(number), TimerName::Release);
    assert_eq!(found, [release(10, 2), release(20, 3), release(20, 4), (25, stream(6), TimerName::Step), release(30, 1)]);
    assert_eq!((replica.timers.next(50).await.unwrap(), replica.timers.next(99).await.unwrap()), (Some(99), None));
    assert_eq!((replica.timers.count(50).await.unwrap(), replica.timers.count(5).await.unwrap()), (5, 0));

    // Put off again, released, taken back; a step that is let go.
    all[0].then(&replica, NotificationCommand::Release { decision: Box::new(deferred(60)) }).await;
    all[1].then(&replica, NotificationCommand::Release { decision: Box::new(delivered(None)) }).await;
    all[2].then(&replica, NotificationCommand::Cancel { collected: false }).await;
    with_plan.then(&replica, NotificationCommand::SkipStep { step: 1, rule: Rule::NoChannel }).await;
    catch_up(&replica).await;
    assert_eq!(due(&replica, 100).await.iter().map(|row| (row.due, row.stream)).collect::<Vec<_>>(), [(20, stream(4)), (60, stream(1)), (99, stream(5))]);
}

/// Releases what it is asked for.
struct Releases {
    replica: Arc<Replica>,
    waiting: Mutex<Vec<Known>>,
    asked: Mutex<Vec<StreamId>>,
}

impl Asks for Releases {
    fn ask(&self, _: Arc<Metadata>, timers: Vec<DueTimer>) -> Asking<'_> {
        Box::pin(async move {
            for timer in &timers {
                self.asked.lock().unwrap().push(timer.stream);
                let known = {
                    let mut waiting = self.waiting.lock().unwrap();
                    waiting.iter().position(|known| stream(known.number) == timer.stream).map(|at| waiting.swap_remove(at))
                };
                let mut known = known.ok_or(LogError::Overloaded)?;
                known.then(&self.replica, NotificationCommand::Release { decision: Box::new(delivered(None)) }).await;
            }
            Ok(timers.iter().map(|_| Answer::Done).collect())
        })
    }
}

pub async fn what_was_set_before_a_restart_fires_once_after_it<S: Store>() {
    let store = S::new().await;
    let replica = store.open().await;
    let mut waiting = Vec::new();
    for number in 1..=20 {
        waiting.push(Known::accept(&replica, number, false, deferred(500 + i64::try_from(number).unwrap())).await);
    }
    catch_up(&replica).await;
    // Another still waits when all others have fired.
    waiting.push(Known::accept(&replica, 21, false, deferred(1_000_000)).await);
    drop(replica);

    let replica = Arc::new(store.open().await);
    let asks = Arc::new(Releases { replica: replica.clone(), waiting: Mutex::new(waiting), asked: Mutex::default() });
    let (progress, changed, stop) = (Progress::default(), Changed::default(), CancellationToken::new());
    let table = tokio::spawn(runner(&replica, Timers::new(changed.clone()), &progress).run(stop.clone(), None));
    let firing = Firing {
        rows: replica.timers.clone(),
        asks: asks.clone(),
        table: progress,
        changed,
        tail: replica.tail.clone(),
        clock: Arc::new(ManualClock::at(1_000)),
        settings: FiringSettings { batch: 3, ..FiringSettings::default() },
    };
    let firing = tokio::spawn(firing.run(stop.clone()));
    let fired = async {
        while due(&replica, 1_000).await.iter().any(|_| true) || asks.asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, fired).await.unwrap();
    stop.cancel();
    table.await.unwrap();
    firing.await.unwrap();
    let expected: Vec<_> = (1..=20).map(stream).collect();
    assert_eq!(*asks.asked.lock().unwrap(), expected, "each once, in order");
    assert_eq!(due(&replica, i64::MAX).await.iter().map(|row| row.stream).collect::<Vec<_>>(), [stream(21)]);
    let events = replica.reader.read_stream(stream(1), 0, false).await.unwrap();
    let released = events.iter().filter(|event| matches!(event.fact, Fact::Notification(NotificationEvent::Released(_)))).count();
    assert_eq!(released, 1);
}
