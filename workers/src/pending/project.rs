//! The consumer that keeps the table.

use super::DELIVERY;
use super::fold::{Fold, Patch, Row};
use super::rows::{FLIGHT, READY, Route, state_number};
use commands::consumer::{Changes, Consumer, HandleError, Sql, Value};
use commands::log::Recorded;
use domain::notification::DeliveryState;
use domain::values::DeliveryNo;
use std::sync::Arc;

static INSERT: Sql = Sql {
    text: "INSERT INTO pending_deliveries (stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position, requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats, replica) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) ON CONFLICT (stream, delivery) DO NOTHING",
    types: "iibbttiiibiiiiiiiiiii",
    key: 2,
};
static UPDATE: Sql = Sql {
    text: "UPDATE pending_deliveries SET sequence = ?3, state = coalesce(?4, state), due = coalesce(?5, due), attempt = coalesce(?6, attempt), counted = CASE WHEN ?7 <> 0 THEN 0 ELSE counted END + ?8, after_unknown = coalesce(?9, after_unknown), unknown_repeats = CASE WHEN ?7 <> 0 THEN 0 ELSE unknown_repeats END + ?10, replica = coalesce(?11, replica) WHERE stream = ?1 AND delivery = ?2",
    types: "iiiiiiiiiii",
    key: 2,
};
static DELETE: Sql = Sql { text: "DELETE FROM pending_deliveries WHERE stream = ?1 AND delivery = ?2", types: "ii", key: 2 };
static SET_TIMER: Sql = Sql {
    text: "INSERT INTO timers (due, kind, subject, part) VALUES (?3, 'retry', ?1, ?2) ON CONFLICT (kind, subject, part) DO UPDATE SET due = excluded.due",
    types: "iii",
    key: 2,
};
static CANCEL_TIMER: Sql = Sql { text: "DELETE FROM timers WHERE kind = 'retry' AND subject = ?1 AND part = ?2", types: "ii", key: 2 };

/// See the module. It holds no state between batches.
#[derive(Debug, Default)]
pub struct PendingDeliveries;

impl Consumer for PendingDeliveries {
    fn name(&self) -> &'static str {
        DELIVERY
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        let mut fold = Fold::default();
        for event in events {
            fold.add(event).map_err(|reason| HandleError { reason })?;
        }
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
                        ],
                    );
                    if let DeliveryState::Waiting { due } = d.state {
                        changes.push(&SET_TIMER, vec![stream.into(), delivery.into(), due.into()]);
                    }
                }
                Row::Changed(patch) => change(changes, stream, delivery, &patch),
                Row::Gone => {
                    changes.push(&DELETE, vec![stream.into(), delivery.into()]);
                    changes.push(&CANCEL_TIMER, vec![stream.into(), delivery.into()]);
                }
            }
        }
        Ok(())
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
        ],
    );
    match patch.state {
        Some(DeliveryState::Waiting { due }) => changes.push(&SET_TIMER, vec![stream.into(), delivery.into(), due.into()]),
        Some(_) => changes.push(&CANCEL_TIMER, vec![stream.into(), delivery.into()]),
        None => {}
    }
}

const _: () = assert!(READY == 0 && FLIGHT == 2, "the partial index and the migration name these numbers");
