//! The consumer that keeps the table.

use super::TIMERS;
use commands::consumer::{Changes, Consumer, HandleError, Sql};
use commands::log::{Recorded, StreamNo};
use domain::policy::timers::{TimerChange, TimerName, timers_of};
use domain::values::Millis;
use domain::{AggregateKind, StreamId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

static SET: Sql = Sql {
    text: "INSERT INTO stream_timers (stream, name, kind, id, due) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (stream, name) DO UPDATE SET due = excluded.due",
    types: "itibi",
    key: 2,
};
/// Nothing where no moment was set: failures are many, and plans are few.
static HASTEN: Sql = Sql { text: "UPDATE stream_timers SET due = ?3 WHERE stream = ?1 AND name = ?2", types: "iti", key: 2 };
static CLEAR: Sql = Sql { text: "DELETE FROM stream_timers WHERE stream = ?1 AND name = ?2", types: "it", key: 2 };

/// Says when the table has changed. Clones are told of the same table.
pub type Changed = Arc<Notify>;

/// See the module.
#[derive(Debug, Default)]
pub struct Timers {
    changed: Changed,
    some: bool,
}

impl Timers {
    /// Tells of changes.
    pub const fn new(changed: Changed) -> Self {
        Self { changed, some: false }
    }
}

/// The last word on a timer.
enum Last {
    Set(Millis),
    Hastened(Millis),
    Cleared,
}

/// The timers that a stream of this kind can have.
const fn names(kind: AggregateKind) -> &'static [TimerName] {
    match kind {
        AggregateKind::Notification => &[TimerName::Release, TimerName::Step],
        AggregateKind::Digest => &[TimerName::Close],
        AggregateKind::Schedule => &[TimerName::Run],
        _ => &[],
    }
}

impl Consumer for Timers {
    fn name(&self) -> &'static str {
        TIMERS
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        // The last word on each; an allocation only where there is one.
        let mut last: BTreeMap<(StreamNo, TimerName), (StreamId, Last)> = BTreeMap::new();
        for event in events {
            match timers_of(&event.fact) {
                None => {}
                Some(TimerChange::Set { name, due }) => {
                    last.insert((event.number, name), (event.stream, Last::Set(due)));
                }
                Some(TimerChange::Hasten { name }) => {
                    let (_, last) = last.entry((event.number, name)).or_insert((event.stream, Last::Hastened(event.at)));
                    match last {
                        Last::Set(due) | Last::Hastened(due) => *due = event.at,
                        Last::Cleared => {}
                    }
                }
                Some(TimerChange::Clear { name }) => {
                    last.insert((event.number, name), (event.stream, Last::Cleared));
                }
                Some(TimerChange::ClearAll) => {
                    for name in names(event.stream.kind) {
                        last.insert((event.number, *name), (event.stream, Last::Cleared));
                    }
                }
            }
        }
        self.some = !last.is_empty();
        for ((number, name), (stream, last)) in last {
            match last {
                Last::Hastened(at) => changes.push(&HASTEN, vec![number.into(), name.name().into(), at.into()]),
                Last::Set(due) => changes.push(&SET, vec![number.into(), name.name().into(), stream.kind.number().into(), stream.id.into(), due.into()]),
                Last::Cleared => changes.push(&CLEAR, vec![number.into(), name.name().into()]),
            }
        }
        Ok(())
    }

    fn committed(&mut self) {
        if std::mem::take(&mut self.some) {
            self.changed.notify_one();
        }
    }
}
