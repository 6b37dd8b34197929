#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::PendingDeliveries;
use commands::consumer::{Changes, Consumer};
use commands::log::{Metadata, Recorded};
use domain::aggregate::Aggregate;
use domain::event::Personal;
use domain::notification::*;
use domain::policy::deciding::{Decided, Decision, FollowUp, Step};
use domain::values::*;
use domain::{AggregateKind, Fact, StreamId};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const SCHEMA: commands::database::Migrations = commands::database::DELIVERY_LOG;

/// What may happen next to a delivery.
#[derive(Debug, Clone, Copy)]
enum Move {
    Start,
    Outcome(u8),
    Cancel,
    Redrive,
    Discard,
    Read,
    Release(u8),
    Step,
    Skip,
    Postpone,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![4 => Just(Move::Start), 4 => (0_u8..6).prop_map(Move::Outcome), 1 => Just(Move::Cancel), 1 => Just(Move::Redrive), 1 => Just(Move::Discard), 1 => Just(Move::Read),
        3 => (0_u8..4).prop_map(Move::Release), 2 => Just(Move::Step), 1 => Just(Move::Skip), 1 => Just(Move::Postpone)]
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

fn decision(n: u8) -> Decision {
    let deliver = Step::Deliver { channel: Channel::AndroidPush, address: Some(AddressId::default()), rule: Rule::DefaultOptIn };
    let next = FollowUp { step: 1, due: 7_000, when: NextWhen::NotRead };
    let outcome = match n {
        0 => Decided::Deliver { steps: vec![deliver; 2], taken: 0, next: None },
        1 => Decided::Defer { until: 5_000, rule: Rule::QuietHours, limit: None },
        2 => Decided::Deliver { steps: vec![deliver], taken: 0, next: Some(next) },
        _ => Decided::Expire,
    };
    Decision { outcome, facts: FactVersions::default(), count: None }
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
        let requested = Requested::plain(SenderKey::new("shop").unwrap(), RecipientId::default(), CategoryKey::new("orders").unwrap(), Personal::Erased);
        // The first at once, the second waits, the third has a plan, and so on.
        let first = decision(u8::try_from(number % 3).unwrap());
        let accept = NotificationCommand::Accept(Box::new(Accept { requested, decision: first }));
        for event in state.0.decide(accept).unwrap() {
            push(number as u64, &mut state, event);
        }
        states.push(state);
    }
    let longest = stories.iter().map(Vec::len).max().unwrap_or(0);
    for step in 0..longest {
        for (number, story) in stories.iter().enumerate() {
            let Some((delivery, next)) = story.get(step).copied() else { continue };
            let state = &mut states[number];
            let attempt = state.0.delivery(delivery).map_or(0, |delivery| delivery.attempt);
            let command = match next {
                Move::Start => NotificationCommand::StartAttempt { delivery, provider: "fcm".to_owned() },
                Move::Outcome(n) => {
                    NotificationCommand::RecordOutcome { delivery, attempt, outcome: outcome(n), schedule, requested_at: 0, now: 1, jitter: 0.5 }
                }
                Move::Cancel => NotificationCommand::Cancel { collected: false },
                Move::Redrive => NotificationCommand::Redrive { delivery },
                Move::Discard => NotificationCommand::Discard { delivery, reason: "r".to_owned() },
                Move::Read => NotificationCommand::MarkRead,
                Move::Release(n) => NotificationCommand::Release { decision: Box::new(decision(n)) },
                Move::Step => NotificationCommand::TakeStep { step: 1, decision: Box::new(decision(0)), now: 1 },
                Move::Skip => NotificationCommand::SkipStep { step: 1, rule: Rule::NoChannel },
                Move::Postpone => NotificationCommand::Postpone { delivery, until: 9_000, rule: Rule::QuietHours, facts: FactVersions::default() },
            };
            for event in state.0.decide(command).unwrap_or_default() {
                push(number as u64, state, event);
            }
        }
    }
    log
}

type Row = (i64, i64, i64, i64, i64, i64, i64, i64, i64);

/// What owes, what is due, and whose deliveries are still to come.
type Table = (Vec<Row>, Vec<(i64, i64, i64)>, Vec<i64>);

/// Cut as the runner does it: never within a stream's consecutive events.
fn between_streams(log: &[Arc<Recorded>], cuts: &[usize]) -> Vec<usize> {
    let whole = |to: usize| (to..log.len()).find(|at| *at == 0 || log[*at].number != log[at - 1].number).unwrap_or(log.len());
    cuts.iter().map(|to| whole(*to)).chain([log.len()]).collect()
}

fn table(log: &[Arc<Recorded>], cuts: &[usize]) -> Table {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    SCHEMA.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
    let mut consumer = PendingDeliveries::default();
    let mut from = 0;
    for to in cuts.iter().copied() {
        let mut changes = Changes::default();
        consumer.handle(&log[from..to], &mut changes).unwrap();
        for statement in changes.iter() {
            connection.execute(statement.sql.text, rusqlite::params_from_iter(&statement.values)).unwrap();
        }
        consumer.committed();
        from = to;
    }
    let mut rows = connection
        .prepare("SELECT stream, delivery, state, due, attempt, counted, after_unknown, unknown_repeats, requested_at FROM pending_deliveries ORDER BY 1, 2")
        .unwrap();
    let rows = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut timers = connection.prepare("SELECT subject, part, due FROM timers ORDER BY 1, 2").unwrap();
    let timers = timers.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().collect::<Result<_, _>>().unwrap();
    let mut kept = connection.prepare("SELECT stream FROM waiting_requests ORDER BY 1").unwrap();
    let kept = kept.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    (rows, timers, kept)
}

/// What the table must say, from the aggregates alone.
fn expected(log: &[Arc<Recorded>]) -> Table {
    let mut states = std::collections::BTreeMap::<u64, Notification>::new();
    let mut put_off = std::collections::BTreeMap::new();
    for event in log {
        if let Fact::Notification(NotificationEvent::Postponed(postponed)) = &event.fact {
            put_off.insert((event.number, postponed.delivery), postponed.until);
        }
        if let Fact::Notification(fact) = &event.fact {
            states.entry(event.number).or_default().evolve(fact);
        }
    }
    let (mut rows, mut timers, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for (number, state) in states {
        if state.waiting.is_some() || state.step.is_some() {
            kept.push(i64::try_from(number).unwrap());
        }
        for d in &state.deliveries {
            let (code, due) = match d.state {
                DeliveryState::Ready => (0, 0),
                DeliveryState::Waiting { due } => (1, due),
                DeliveryState::InFlight => (2, 0),
                DeliveryState::DeadLettered => (3, 0),
                _ => continue,
            };
            let since = put_off.get(&(number, d.number)).copied().unwrap_or(0);
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
                since,
            ));
            if code == 1 {
                timers.push((number, i64::from(d.number), due));
            }
        }
    }
    (rows, timers, kept)
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
        let (found, expected) = (table(&log, &between_streams(&log, &cuts)), expected(&log));
        prop_assert_eq!((found.0, found.1), (expected.0, expected.1));
        prop_assert!(expected.2.iter().all(|stream| found.2.contains(stream)));
        prop_assert!(found.2.len() <= expected.2.len() + 1, "the last commit may go on, others not");
    }

    /// Nor is anything lost where events are taken one by one.
    #[test]
    fn one_by_one_nothing_is_lost(stories in prop::collection::vec(prop::collection::vec((0_u16..2, moves()), 0..14), 1..5)) {
        let log = history(&stories);
        let (rows, timers, kept) = table(&log, &(1..=log.len()).collect::<Vec<_>>());
        let (rows_expected, timers_expected, kept_expected) = expected(&log);
        prop_assert_eq!((rows, timers), (rows_expected, timers_expected));
        prop_assert!(kept_expected.iter().all(|stream| kept.contains(stream)));
        // The last commit may go on.
        prop_assert!(kept.len() <= kept_expected.len() + 1);
    }
}
