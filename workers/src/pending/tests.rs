#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::PendingDeliveries;
use commands::consumer::{Changes, Consumer};
use commands::log::{Metadata, Recorded};
use domain::aggregate::Aggregate;
use domain::event::Personal;
use domain::notification::*;
use domain::values::*;
use domain::{AggregateKind, Fact, StreamId};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const SCHEMA: [&str; 2] = [include_str!("../../../migrations/sqlite/0001_log.sql"), include_str!("../../../migrations/sqlite/0002_replica.sql")];

/// What may happen next to a delivery.
#[derive(Debug, Clone, Copy)]
enum Move {
    Start,
    Outcome(u8),
    Cancel,
    Redrive,
    Discard,
    Read,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![4 => Just(Move::Start), 4 => (0_u8..6).prop_map(Move::Outcome), 1 => Just(Move::Cancel), 1 => Just(Move::Redrive), 1 => Just(Move::Discard), 1 => Just(Move::Read)]
}

fn outcome(n: u8) -> Outcome {
    let code = "c".to_owned();
    match n {
        0 => Outcome::Accepted { provider_id: None },
        1 => Outcome::Retry { after: None, code },
        2 => Outcome::Throttled { after: None, scope: ThrottleScope::Provider, code },
        3 => Outcome::Unknown { code },
        4 => Outcome::NotMade { code },
        _ => Outcome::Permanent { code },
    }
}

/// A history that the aggregate itself allows.
fn history(stories: &[Vec<(u16, Move)>]) -> Vec<Arc<Recorded>> {
    let mut log = Vec::new();
    let schedule = domain::policy::retry::RetrySchedule { attempts: 3, ..domain::policy::retry::RetrySchedule::default_for(Channel::AndroidPush) };
    let mut states: Vec<(Notification, u64)> = Vec::new();
    let mut push = |number: u64, state: &mut (Notification, u64), event: NotificationEvent| {
        state.0.evolve(&event);
        state.1 += 1;
        log.push(Arc::new(Recorded {
            position: log.len() as u64 + 1,
            stream: StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(number))),
            number,
            sequence: state.1,
            at: 0,
            fact: Fact::Notification(event),
            metadata: Arc::new(Metadata::of("test")),
        }));
    };
    for number in 0..stories.len() {
        let mut state = (Notification::default(), 0);
        let requested = Requested {
            sender: SenderKey::new("shop").unwrap(),
            recipient: RecipientId::default(),
            category: CategoryKey::new("orders").unwrap(),
            priority: Priority::Normal,
            channels: None,
            fingerprint: String::new(),
            sandbox: false,
            expires_at: None,
            not_before: None,
            topic: None,
            digest: None,
            plan: None,
            category_version: 1,
            origin: None,
            personal: Personal::Erased,
        };
        push(number as u64, &mut state, NotificationEvent::Requested(requested));
        for delivery in 0..2 {
            let queued = Queued {
                delivery,
                channel: Channel::AndroidPush,
                address: Some(AddressId::default()),
                rule: Rule::DefaultOptIn,
                rules: 1,
                facts: FactVersions::default(),
            };
            push(number as u64, &mut state, NotificationEvent::Queued(queued));
        }
        states.push(state);
    }
    let longest = stories.iter().map(Vec::len).max().unwrap_or(0);
    for step in 0..longest {
        for (number, story) in stories.iter().enumerate() {
            let Some((delivery, next)) = story.get(step).copied() else { continue };
            let state = &mut states[number];
            let attempt = state.0.deliveries[usize::from(delivery)].attempt;
            let command = match next {
                Move::Start => NotificationCommand::StartAttempt { delivery, provider: "fcm".to_owned() },
                Move::Outcome(n) => {
                    NotificationCommand::RecordOutcome { delivery, attempt, outcome: outcome(n), schedule, requested_at: 0, now: 1, jitter: 0.5 }
                }
                Move::Cancel => NotificationCommand::Cancel { collected: false },
                Move::Redrive => NotificationCommand::Redrive { delivery },
                Move::Discard => NotificationCommand::Discard { delivery, reason: "r".to_owned() },
                Move::Read => NotificationCommand::MarkRead,
            };
            for event in state.0.decide(command).unwrap_or_default() {
                push(number as u64, state, event);
            }
        }
    }
    log
}

type Row = (i64, i64, i64, i64, i64, i64, i64, i64);

fn table(log: &[Arc<Recorded>], cuts: &[usize]) -> (Vec<Row>, Vec<(i64, i64, i64)>) {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    SCHEMA.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
    let mut consumer = PendingDeliveries;
    let mut from = 0;
    for to in cuts.iter().copied().chain([log.len()]) {
        let mut to = to.clamp(from, log.len());
        // As the runner: never within a stream's consecutive events.
        while to > from && to < log.len() && log[to].number == log[to - 1].number {
            to += 1;
        }
        let mut changes = Changes::default();
        consumer.handle(&log[from..to], &mut changes).unwrap();
        for statement in changes.iter() {
            connection.execute(statement.sql.text, rusqlite::params_from_iter(&statement.values)).unwrap();
        }
        from = to;
    }
    let mut rows = connection
        .prepare("SELECT stream, delivery, state, due, attempt, counted, after_unknown, unknown_repeats FROM pending_deliveries ORDER BY 1, 2")
        .unwrap();
    let rows = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut timers = connection.prepare("SELECT subject, part, due FROM timers ORDER BY 1, 2").unwrap();
    let timers = timers.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().collect::<Result<_, _>>().unwrap();
    (rows, timers)
}

/// What the table must say, from the aggregates alone.
fn expected(log: &[Arc<Recorded>]) -> (Vec<Row>, Vec<(i64, i64, i64)>) {
    let mut states = std::collections::BTreeMap::<u64, Notification>::new();
    for event in log {
        if let Fact::Notification(fact) = &event.fact {
            states.entry(event.number).or_default().evolve(fact);
        }
    }
    let (mut rows, mut timers) = (Vec::new(), Vec::new());
    for (number, state) in states {
        for d in &state.deliveries {
            let (code, due) = match d.state {
                DeliveryState::Ready => (0, 0),
                DeliveryState::Waiting { due } => (1, due),
                DeliveryState::InFlight => (2, 0),
                DeliveryState::DeadLettered => (3, 0),
                _ => continue,
            };
            let number = i64::try_from(number).unwrap();
            rows.push((
                number,
                i64::from(d.number),
                code,
                due,
                i64::from(d.attempt),
                i64::from(d.counted),
                i64::from(d.after_unknown),
                i64::from(d.unknown_repeats),
            ));
            if code == 1 {
                timers.push((number, i64::from(d.number), due));
            }
        }
    }
    (rows, timers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However the log is cut into batches, the table says what the aggregates say.
    #[test]
    fn the_table_is_what_the_aggregates_say(
        stories in prop::collection::vec(prop::collection::vec((0_u16..2, moves()), 0..14), 1..5),
        cuts in prop::collection::vec(0_usize..80, 0..6),
    ) {
        let log = history(&stories);
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(table(&log, &cuts), expected(&log));
    }
}
