//! Which stream wants to be asked again, and when: readable from each event alone, so that the
//! table of timers can be kept, dropped and rebuilt by whoever reads the log.

#[cfg(test)]
mod tests;

use crate::Fact;
use crate::digest::DigestEvent;
use crate::notification::{Cancelled, Expired, NotificationEvent, Suppressed};
use crate::schedule::ScheduleEvent;
use crate::values::Millis;

/// What is asked when it is time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerName {
    /// Decide anew on a notification that waited.
    Release,
    /// Decide on the next step of a notification's plan.
    Step,
    /// Close a digest's window.
    Close,
    /// Fire a schedule.
    Run,
}

impl TimerName {
    /// The name in storage and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Step => "step",
            Self::Close => "close",
            Self::Run => "run",
        }
    }

    /// Reads [`name`](Self::name) back.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Release, Self::Step, Self::Close, Self::Run].into_iter().find(|timer| timer.name() == name)
    }
}

/// What an event does to the timers of its stream. Each has one of a name at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerChange {
    /// Ask at this moment, and at no other.
    Set {
        /// What.
        name: TimerName,
        /// When (ms since the epoch).
        due: Millis,
    },
    /// Ask at once, if it is to be asked at all: what it waits for may have been decided. Who is asked
    /// too early says so, and is asked again at its moment.
    Now {
        /// What.
        name: TimerName,
    },
    /// Do not ask any more.
    Clear {
        /// What.
        name: TimerName,
    },
    /// Ask nothing any more.
    ClearAll,
}

/// What an event does to the timers of its stream; nothing, for nearly all.
pub fn timers_of(fact: &Fact) -> Option<TimerChange> {
    match fact {
        Fact::Notification(event) => of_notification(event),
        Fact::Digest(event) => of_digest(event),
        Fact::Schedule(event) => of_schedule(event),
        Fact::Recipient(_)
        | Fact::Subscription(_)
        | Fact::Category(_)
        | Fact::Sender(_)
        | Fact::ApiKey(_)
        | Fact::Address(_)
        | Fact::Frequency(_)
        | Fact::Quota(_)
        | Fact::Template(_) => None,
    }
}

fn of_notification(event: &NotificationEvent) -> Option<TimerChange> {
    use NotificationEvent as E;
    match event {
        E::Deferred(e) => Some(TimerChange::Set { name: TimerName::Release, due: e.until }),
        E::Released(_) => Some(TimerChange::Clear { name: TimerName::Release }),
        E::StepScheduled(e) => Some(TimerChange::Set { name: TimerName::Step, due: e.due }),
        E::StepTaken(_) | E::StepSkipped(_) => Some(TimerChange::Clear { name: TimerName::Step }),
        // Perhaps the last of its step, and then the next one waits for nothing.
        E::Failed(_) | E::Bounced(_) | E::DeadLettered(_) | E::Discarded(_) | E::Suppressed(Suppressed { delivery: Some(_), .. }) => {
            Some(TimerChange::Now { name: TimerName::Step })
        }
        E::Cancelled(Cancelled { delivery: None }) | E::Expired(Expired { delivery: None }) => Some(TimerChange::ClearAll),
        _ => None,
    }
}

fn of_digest(event: &DigestEvent) -> Option<TimerChange> {
    match event {
        DigestEvent::DigestOpened(e) => Some(TimerChange::Set { name: TimerName::Close, due: e.closes_at }),
        DigestEvent::DigestItemAdded(e) => e.closes_at.map(|due| TimerChange::Set { name: TimerName::Close, due }),
        DigestEvent::DigestClosed(_) => Some(TimerChange::ClearAll),
        DigestEvent::DigestItemRemoved(_) => None,
    }
}

fn of_schedule(event: &ScheduleEvent) -> Option<TimerChange> {
    use ScheduleEvent as E;
    let next = match event {
        E::ScheduleDefined(e) => e.next,
        E::ScheduleChanged(e) => e.next,
        E::ScheduleResumed(e) => e.next,
        E::OccurrenceFired(e) => e.next,
        E::OccurrencesMissed(e) => e.next,
        E::NextRunMoved(e) => e.next,
        E::SchedulePaused(_) | E::ScheduleEnded(_) => None,
    };
    Some(next.map_or(TimerChange::ClearAll, |due| TimerChange::Set { name: TimerName::Run, due }))
}
