//! What the consumer makes of events, in SQLite.

use crate::timers::{TimerRows, Timers};
use commands::consumer::{Changes, Consumer};
use commands::database::{DELIVERY_LOG, Readers, migrate};
use commands::log::{Metadata, Recorded};
use domain::notification::*;
use domain::policy::timers::{TimerChange, TimerName, timers_of};
use domain::schedule::{ScheduleEvent, SchedulePaused};
use domain::values::*;
use domain::{AggregateKind, Fact, StreamId};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A file with the tables.
pub(super) struct Table {
    pub folder: tempfile::TempDir,
    pub rows: TimerRows,
}

impl Table {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        migrate(&mut rusqlite::Connection::open(folder.path().join("log.db")).unwrap(), DELIVERY_LOG).unwrap();
        let rows = TimerRows::File(Readers::new(folder.path().join("log.db"), 1));
        Self { folder, rows }
    }

    pub fn open(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap()
    }
}

pub(super) fn stream(number: u64) -> StreamId {
    StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(number)))
}

fn happened(stream: StreamId, number: u64, fact: Fact) -> Arc<Recorded> {
    Arc::new(Recorded { position: 1, stream, number, sequence: 1, at: 0, fact, metadata: Arc::new(Metadata::of("test")) })
}

fn notification(number: u64, event: NotificationEvent) -> Arc<Recorded> {
    happened(stream(number), number, Fact::Notification(event))
}

fn deferred(until: Millis) -> NotificationEvent {
    NotificationEvent::Deferred(Deferred { until, rule: Rule::QuietHours, limit: None, rules: 1, facts: FactVersions::default() })
}

fn step(due: Millis) -> NotificationEvent {
    NotificationEvent::StepScheduled(StepScheduled { step: 1, due, when: NextWhen::NotRead, rule: None })
}

fn failed() -> NotificationEvent {
    NotificationEvent::Failed(Failed { delivery: 0, class: FailureClass::Permanent, code: "c".to_owned(), as_of: None, address_dead: false })
}

fn changes(events: &[Arc<Recorded>]) -> Changes {
    let mut changes = Changes::default();
    Timers::default().handle(events, &mut changes).unwrap();
    changes
}

fn events() -> impl Strategy<Value = (u64, NotificationEvent)> {
    let what = prop_oneof![
        3 => (1_i64..9).prop_map(deferred),
        3 => (1_i64..9).prop_map(step),
        2 => Just(NotificationEvent::Released(Released {})),
        1 => Just(NotificationEvent::StepSkipped(StepSkipped { step: 1, rule: Rule::Cancelled })),
        1 => Just(NotificationEvent::Cancelled(Cancelled { delivery: None })),
        1 => Just(NotificationEvent::Cancelled(Cancelled { delivery: Some(0) })),
        1 => Just(NotificationEvent::Seen(Seen {})),
        2 => Just(failed()),
    ];
    (1_u64..4, what)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the log is cut into batches, the table holds what the last events of each stream said.
    #[test]
    fn the_table_is_what_the_events_say(history in prop::collection::vec(events(), 0..40), batch in 1_usize..12) {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        DELIVERY_LOG.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let log: Vec<_> = history.iter().map(|(number, event)| notification(*number, event.clone())).collect();
        for page in log.chunks(batch) {
            for statement in changes(page).iter() {
                connection.execute(statement.sql.text, rusqlite::params_from_iter(&statement.values)).unwrap();
            }
        }
        let mut expected: BTreeMap<(u64, String), Millis> = BTreeMap::new();
        for event in &log {
            match timers_of(&event.fact) {
                Some(TimerChange::Set { name, due }) => { expected.insert((event.number, name.name().to_owned()), due); }
                Some(TimerChange::Now { name }) => {
                    if let Some(due) = expected.get_mut(&(event.number, name.name().to_owned())) {
                        *due = event.at;
                    }
                }
                Some(TimerChange::Clear { name }) => { expected.remove(&(event.number, name.name().to_owned())); }
                Some(TimerChange::ClearAll) => expected.retain(|(number, _), _| *number != event.number),
                None => {}
            }
        }
        let mut found = connection.prepare("SELECT stream, name, due, id FROM stream_timers").unwrap();
        let found: BTreeMap<(u64, String), Millis> = found.query_map([], |row| {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            assert_eq!(row.get::<_, [u8; 16]>(3)?, *stream(number).id.as_bytes());
            Ok(((number, row.get(1)?), row.get(2)?))
        }).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn events_without_a_timer_change_nothing() {
    let seen = notification(1, NotificationEvent::Seen(Seen {}));
    assert!(changes(&[seen.clone(), seen]).is_empty());
}

#[test]
fn the_end_of_a_stream_clears_what_its_kind_can_have() {
    let schedule = StreamId::new(AggregateKind::Schedule, Uuid::from_u128(3));
    let ended = happened(schedule, 7, Fact::Schedule(ScheduleEvent::SchedulePaused(SchedulePaused {})));
    let values: Vec<_> = changes(&[ended]).iter().map(|statement| statement.values.clone()).collect();
    assert_eq!(values, [vec![7_u64.into(), TimerName::Run.name().into()]]);
}

#[tokio::test]
async fn they_come_in_order_of_their_moment_page_by_page() {
    let table = Table::new();
    let connection = table.open();
    for (number, due) in [(1, 30), (2, 10), (3, 20), (4, 20), (5, 99)] {
        for statement in changes(&[notification(number, deferred(due))]).iter() {
            connection.execute(statement.sql.text, rusqlite::params_from_iter(&statement.values)).unwrap();
        }
    }
    let first = table.rows.due(50, None, 3).await.unwrap();
    assert_eq!(first.iter().map(|row| (row.number, row.stream)).collect::<Vec<_>>(), [2, 3, 4].map(|number| (number, stream(number))));
    let rest = table.rows.due(50, first.last().map(crate::timers::Row::key), 3).await.unwrap();
    assert_eq!(rest.iter().map(|row| (row.number, row.due, row.name)).collect::<Vec<_>>(), [(1, 30, TimerName::Release)]);
    assert_eq!((table.rows.next(50).await.unwrap(), table.rows.next(99).await.unwrap()), (Some(99), None));
    assert_eq!(table.rows.count(50).await.unwrap(), 4);
}

#[tokio::test]
async fn what_only_a_newer_version_knows_stands_in_nobodys_way() {
    let table = Table::new();
    let connection = table.open();
    let insert = |number: i64, name: &str, kind: u8, due: Millis| {
        let id = stream(number.unsigned_abs()).id.as_bytes().to_vec();
        let values = rusqlite::params![number, name, kind, id, due];
        connection.execute("INSERT INTO stream_timers (stream, name, kind, id, due) VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
    };
    for number in 1..=3 {
        insert(number, "unheard-of", AggregateKind::Notification.number(), 10);
        insert(number, "run", 200, 10);
    }
    insert(7, "unheard-of", AggregateKind::Notification.number(), 60);
    assert_eq!(table.rows.due(50, None, 2).await.unwrap(), []);
    assert_eq!((table.rows.next(50).await.unwrap(), table.rows.count(50).await.unwrap()), (None, 0));
    // Whatever a stream of this version can have is asked.
    let known = [
        (4, TimerName::Release, AggregateKind::Notification),
        (4, TimerName::Step, AggregateKind::Notification),
        (5, TimerName::Close, AggregateKind::Digest),
        (6, TimerName::Run, AggregateKind::Schedule),
    ];
    for (number, name, kind) in known {
        insert(number, name.name(), kind.number(), 20);
    }
    let due = table.rows.due(50, None, 9).await.unwrap();
    assert_eq!(due.iter().map(|row| (row.number.cast_signed(), row.name, row.stream.kind)).collect::<Vec<_>>(), known);
}
