//! Events to rows: in with `DeadLettered`, out with `Redriven` or `Discarded`. They are rare, so
//! each is a statement of its own.

use commands::consumer::{Changes, Consumer, HandleError, Sql};
use commands::log::Recorded;
use domain::Fact;
use domain::notification::NotificationEvent as E;
use domain::values::DeliveryNo;
use std::sync::Arc;

static INSERT: Sql = Sql {
    text: "INSERT INTO dead_letters (number, delivery, position, id, code, unknown, attempts, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (number, delivery) DO UPDATE SET position = excluded.position, code = excluded.code, unknown = excluded.unknown, attempts = excluded.attempts, at = excluded.at",
    types: "iiibtiii",
    key: 2,
};
static DELETE: Sql = Sql { text: "DELETE FROM dead_letters WHERE number = ?1 AND delivery = ?2", types: "ii", key: 2 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct DeadLettersProjection;

impl Consumer for DeadLettersProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            match &event.fact {
                Fact::Notification(E::DeadLettered(e)) => changes.push(
                    &INSERT,
                    vec![
                        event.number.into(),
                        e.delivery.into(),
                        event.position.into(),
                        event.stream.id.into(),
                        e.code.as_str().into(),
                        e.unknown.into(),
                        e.attempts.into(),
                        event.at.into(),
                    ],
                ),
                Fact::Notification(E::Redriven(e)) => remove(event, e.delivery, changes),
                Fact::Notification(E::Discarded(e)) => remove(event, e.delivery, changes),
                _ => {}
            }
        }
        Ok(())
    }
}

fn remove(event: &Recorded, delivery: DeliveryNo, changes: &mut Changes) {
    changes.push(&DELETE, vec![event.number.into(), delivery.into()]);
}
