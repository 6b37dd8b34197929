//! The consumer that keeps the table.

use super::DELIVERY;
use super::fold::{Fold, Later, Patch, Row, Waits};
use super::rows::{FLIGHT, READY, Route, state_number};
use commands::consumer::{Changes, Consumer, HandleError, Sql, Value};
use commands::log::{Recorded, StreamNo};
use domain::Fact;
use domain::notification::{DeliveryState, NotificationEvent};
use domain::values::{DeliveryNo, TopicKey};
use std::sync::Arc;

static INSERT: Sql = Sql {
    text: "INSERT INTO pending_deliveries (stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position, requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats, replica, topic) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22) ON CONFLICT (stream, delivery) DO NOTHING",
    types: "iibbttiiibiiiiiiiiiiit",
    key: 2,
};
static INSERT_LATER: Sql = Sql {
    text: "INSERT INTO pending_deliveries (stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position, requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats, replica, topic) SELECT r.stream, ?2, r.notification, r.recipient, r.sender, r.category, ?3 + 128 * r.sandbox, r.priority, r.sandbox, ?4, r.requested_position, ?5, r.expires_at, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, r.topic FROM waiting_requests r WHERE r.stream = ?1 ON CONFLICT (stream, delivery) DO NOTHING",
    types: "iiibiiiiiiiii",
    key: 2,
};
static KEEP: Sql = Sql {
    text: "INSERT INTO waiting_requests (stream, notification, recipient, sender, category, priority, sandbox, requested_position, expires_at, topic) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (stream) DO NOTHING",
    types: "ibbttiiiit",
    key: 1,
};
static FORGET: Sql = Sql { text: "DELETE FROM waiting_requests WHERE stream = ?1", types: "i", key: 1 };
static UPDATE: Sql = Sql {
    text: "UPDATE pending_deliveries SET sequence = ?3, state = coalesce(?4, state), due = coalesce(?5, due), attempt = coalesce(?6, attempt), counted = CASE WHEN ?7 <> 0 THEN 0 ELSE counted END + ?8, after_unknown = coalesce(?9, after_unknown), unknown_repeats = CASE WHEN ?7 <> 0 THEN 0 ELSE unknown_repeats END + ?10, replica = coalesce(?11, replica), requested_at = coalesce(?12, requested_at) WHERE stream = ?1 AND delivery = ?2",
    types: "iiiiiiiiiiii",
    key: 2,
};
static DELETE: Sql = Sql { text: "DELETE FROM pending_deliveries WHERE stream = ?1 AND delivery = ?2", types: "ii", key: 2 };
static SET_TIMER: Sql = Sql {
    text: "INSERT INTO timers (due, kind, subject, part) VALUES (?3, 'retry', ?1, ?2) ON CONFLICT (kind, subject, part) DO UPDATE SET due = excluded.due",
    types: "iii",
    key: 2,
};
static CANCEL_TIMER: Sql = Sql { text: "DELETE FROM timers WHERE kind = 'retry' AND subject = ?1 AND part = ?2", types: "ii", key: 2 };

/// See the module.
#[derive(Debug, Default)]
pub struct PendingDeliveries {
    /// The stream whose commit may go on in the next batch. Losing it costs a row that nobody reads.
    open: Option<StreamNo>,
    open_then: Option<StreamNo>,
}

impl Consumer for PendingDeliveries {
    fn name(&self) -> &'static str {
        DELIVERY
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        let mut fold = Fold::after(self.open);
        for event in events {
            fold.add(event);
        }
        let (waits, open) = fold.waits();
        self.open_then = open;
        for ((stream, delivery), row) in fold.rows {
            match row {
                Row::New(item, replica) => {
                    let d = &item.delivery;
                    let (state, due) = state_number(d.state);
                    changes.push(
                        &INSERT,
                        vec![
                            stream.into(),
                            delivery.into(),
                            item.notification.0.into(),
                            item.recipient.0.into(),
                            item.sender.as_str().into(),
                            item.category.as_str().into(),
                            Route { channel: d.channel, sandbox: item.sandbox }.number().into(),
                            item.priority.rank().into(),
                            item.sandbox.into(),
                            d.address.map(|address| address.0).into(),
                            item.requested_position.into(),
                            item.requested_at.into(),
                            item.expires_at.into(),
                            item.sequence.into(),
                            state.into(),
                            due.into(),
                            d.attempt.into(),
                            d.counted.into(),
                            d.after_unknown.into(),
                            d.unknown_repeats.into(),
                            replica.into(),
                            item.topic.as_ref().map(TopicKey::as_str).into(),
                        ],
                    );
                    if let DeliveryState::Waiting { due } = d.state {
                        changes.push(&SET_TIMER, vec![stream.into(), delivery.into(), due.into()]);
                    }
                }
                Row::Later(later) => begin_later(changes, stream, &later),
                Row::Changed(patch) => change(changes, stream, delivery, &patch),
                Row::Gone => {
                    changes.push(&DELETE, vec![stream.into(), delivery.into()]);
                    changes.push(&CANCEL_TIMER, vec![stream.into(), delivery.into()]);
                }
            }
        }
        // Behind the rows that are made of what is forgotten here.
        for (stream, waits) in waits {
            match waits {
                Waits { requested: Some(requested), still: true } => keep(changes, stream, &requested),
                Waits { requested: None, still: false } => changes.push(&FORGET, vec![stream.into()]),
                // Never kept, or kept from before.
                Waits { requested: Some(_), still: false } | Waits { requested: None, still: true } => {}
            }
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.open = self.open_then;
    }
}

fn keep(changes: &mut Changes, stream: StreamNo, requested: &Recorded) {
    if let Fact::Notification(NotificationEvent::Requested(request)) = &requested.fact {
        changes.push(
            &KEEP,
            vec![
                stream.into(),
                requested.stream.id.into(),
                request.recipient.0.into(),
                request.sender.as_str().into(),
                request.category.as_str().into(),
                request.priority.rank().into(),
                request.sandbox.into(),
                requested.position.into(),
                request.expires_at.into(),
                request.topic.as_ref().map(TopicKey::as_str).into(),
            ],
        );
    }
}

fn begin_later(changes: &mut Changes, stream: StreamNo, later: &Later) {
    let d = &later.delivery;
    let (state, due) = state_number(d.state);
    changes.push(
        &INSERT_LATER,
        vec![
            stream.into(),
            d.number.into(),
            d.channel.number().into(),
            d.address.map(|address| address.0).into(),
            later.owed_since.into(),
            later.sequence.into(),
            state.into(),
            due.into(),
            d.attempt.into(),
            d.counted.into(),
            d.after_unknown.into(),
            d.unknown_repeats.into(),
            later.replica.into(),
        ],
    );
    if let DeliveryState::Waiting { due } = d.state {
        changes.push(&SET_TIMER, vec![stream.into(), d.number.into(), due.into()]);
    }
}

fn change(changes: &mut Changes, stream: u64, delivery: DeliveryNo, patch: &Patch) {
    let (state, due) = patch.state.map_or((Value::Null, Value::Null), |state| {
        let (number, due) = state_number(state);
        (number.into(), due.into())
    });
    changes.push(
        &UPDATE,
        vec![
            stream.into(),
            delivery.into(),
            patch.sequence.into(),
            state,
            due,
            patch.attempt.into(),
            patch.reset.into(),
            patch.counted.into(),
            patch.after_unknown.map(i64::from).into(),
            patch.unknown_repeats.into(),
            patch.replica.into(),
            patch.owed_since.into(),
        ],
    );
    match patch.state {
        Some(DeliveryState::Waiting { due }) => changes.push(&SET_TIMER, vec![stream.into(), delivery.into(), due.into()]),
        Some(_) => changes.push(&CANCEL_TIMER, vec![stream.into(), delivery.into()]),
        None => {}
    }
}

const _: () = assert!(READY == 0 && FLIGHT == 2, "the partial index and the migration name these numbers");
