//! Events to rows, each a statement: schedules are set up seldom, and a run costs one update.

use commands::consumer::{Changes, Consumer, HandleError, Sql, Value};
use commands::log::Recorded;
use domain::Fact;
use domain::schedule::ScheduleEvent as E;
use std::sync::Arc;

/// Numbers of the column `standing`.
pub(super) const ACTIVE: u8 = 1;
pub(super) const PAUSED: u8 = 2;
pub(super) const ENDED: u8 = 3;

static INSERT: Sql = Sql {
    text: "INSERT INTO schedules (id, recipient, sender, category, sandbox, standing, next, defined_position, updated_position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
    types: "bbttiiiii",
    key: 1,
};
static CHANGE: Sql = Sql { text: "UPDATE schedules SET category = ?2, next = ?3, updated_position = ?4 WHERE id = ?1", types: "btii", key: 1 };
static STANDING: Sql = Sql { text: "UPDATE schedules SET standing = ?2, next = ?3, updated_position = ?4 WHERE id = ?1", types: "biii", key: 1 };
static NEXT: Sql = Sql { text: "UPDATE schedules SET next = ?2, updated_position = ?3 WHERE id = ?1", types: "bii", key: 1 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct SchedulesProjection;

impl Consumer for SchedulesProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            let Fact::Schedule(fact) = &event.fact else { continue };
            let (id, position): (Value, Value) = (event.stream.id.into(), event.position.into());
            match fact {
                E::ScheduleDefined(e) => changes.push(
                    &INSERT,
                    vec![
                        id,
                        e.recipient.0.into(),
                        e.terms.sender.as_str().into(),
                        e.terms.category.as_str().into(),
                        e.terms.sandbox.into(),
                        ACTIVE.into(),
                        e.next.into(),
                        position.clone(),
                        position,
                    ],
                ),
                E::ScheduleChanged(e) => changes.push(&CHANGE, vec![id, e.terms.category.as_str().into(), e.next.into(), position]),
                E::SchedulePaused(_) => changes.push(&STANDING, vec![id, PAUSED.into(), Value::Null, position]),
                E::ScheduleResumed(e) => changes.push(&STANDING, vec![id, ACTIVE.into(), e.next.into(), position]),
                E::ScheduleEnded(_) => changes.push(&STANDING, vec![id, ENDED.into(), Value::Null, position]),
                E::OccurrenceFired(e) => changes.push(&NEXT, vec![id, e.next.into(), position]),
                E::OccurrencesMissed(e) => changes.push(&NEXT, vec![id, e.next.into(), position]),
                E::NextRunMoved(e) => changes.push(&NEXT, vec![id, e.next.into(), position]),
            }
        }
        Ok(())
    }
}
