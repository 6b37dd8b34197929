//! The schedule's state and its decisions.

use super::commands::{Define, ScheduleCommand, ScheduleRefusal};
use super::events::{
    EndReason, NextRunMoved, OccurrenceFired, OccurrencesMissed, ScheduleChanged, ScheduleDefined, ScheduleEnded, ScheduleEvent, SchedulePaused,
    ScheduleResumed, Terms,
};
use crate::aggregate::Aggregate;
use crate::calendar::TimeZone;
use crate::event::Personal;
use crate::values::{Content, DAY_MS, Millis, RecipientId, ScheduleId};
use serde::{Deserialize, Serialize};

/// Whether a schedule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was never defined.
    #[default]
    Unknown,
    /// It fires.
    Active,
    /// Not for the time being.
    Paused,
    /// Never again.
    Ended,
}

/// A schedule as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whether it fires.
    pub standing: Standing,
    /// Its id.
    pub id: ScheduleId,
    /// For whom.
    pub recipient: RecipientId,
    /// What and when.
    pub terms: Option<Terms>,
    /// What is to be told, unless erased.
    pub content: Personal<Content>,
    /// Only occurrences after this moment count.
    pub since: Millis,
    /// The last occurrence that was fired or missed.
    pub last: Option<Millis>,
    /// Whether any was, since these terms are in force.
    pub handled_once: bool,
    /// The next run, as the last event says.
    pub next: Option<Millis>,
}

impl Schedule {
    fn check(&self, define: &Define) -> Result<Option<Millis>, ScheduleRefusal> {
        if define.terms.channels.as_ref().is_some_and(Vec::is_empty) {
            return Err(ScheduleRefusal::NoChannels);
        }
        if !(0..=7 * DAY_MS).contains(&define.terms.catch_up) {
            return Err(ScheduleRefusal::CatchUp);
        }
        let after = self.last.map_or(define.now, |last| last.max(define.now));
        define.terms.run_after(after, define.zone).map(Some).ok_or(ScheduleRefusal::NeverFires)
    }

    fn is(&self, define: &Define) -> bool {
        self.recipient == define.recipient && self.terms.as_ref() == Some(&define.terms) && self.content.known() == Some(&define.content)
    }

    fn define(&self, define: Define) -> Result<Vec<ScheduleEvent>, ScheduleRefusal> {
        if self.standing != Standing::Unknown {
            return if self.is(&define) { Ok(Vec::new()) } else { Err(ScheduleRefusal::Exists) };
        }
        let next = self.check(&define)?;
        let Define { schedule, recipient, terms, content, now: since, .. } = define;
        Ok(vec![ScheduleEvent::ScheduleDefined(ScheduleDefined { schedule, recipient, terms, since, next, personal: Personal::from(content) })])
    }

    fn change(&self, define: Define) -> Result<Vec<ScheduleEvent>, ScheduleRefusal> {
        if define.recipient != self.recipient {
            return Err(ScheduleRefusal::OtherRecipient);
        }
        if self.is(&define) {
            return Ok(Vec::new());
        }
        let next = self.check(&define)?.filter(|_| self.standing == Standing::Active);
        let Define { recipient, terms, content, now: since, .. } = define;
        let (schedule, personal) = (self.id, Personal::from(content));
        Ok(vec![ScheduleEvent::ScheduleChanged(ScheduleChanged { schedule, recipient, terms, since, next, personal })])
    }

    fn fire(&self, occurrence: Option<(Millis, crate::values::NotificationId)>, zone: TimeZone, now: Millis) -> Vec<ScheduleEvent> {
        let due = self.due(zone, now);
        if due.fire != occurrence.map(|(moment, _)| moment) {
            // Somebody else was faster, or the zone changed in between: what is due will be asked for.
            return Vec::new();
        }
        let mut events = Vec::new();
        if let Some((from, to, count)) = due.missed {
            // With one that is fired, that one says what is next.
            events.push(ScheduleEvent::OccurrencesMissed(OccurrencesMissed { from, to, count, next: if due.fire.is_some() { due.fire } else { due.next } }));
        }
        if let Some((occurrence, notification)) = occurrence {
            events.push(ScheduleEvent::OccurrenceFired(OccurrenceFired { occurrence, notification, next: due.next }));
        }
        if events.is_empty() {
            // Called too early: the recipient moved.
            return self.reckon(zone);
        }
        if due.next.is_none() {
            events.push(ScheduleEvent::ScheduleEnded(ScheduleEnded { reason: EndReason::Finished }));
        }
        events
    }

    fn reckon(&self, zone: TimeZone) -> Vec<ScheduleEvent> {
        if self.standing != Standing::Active {
            return Vec::new();
        }
        match self.next_run(zone) {
            next if next == self.next => Vec::new(),
            // Moving west may take the end of the schedule before its next run.
            None => vec![ScheduleEvent::ScheduleEnded(ScheduleEnded { reason: EndReason::Finished })],
            next => vec![ScheduleEvent::NextRunMoved(NextRunMoved { next })],
        }
    }
}

impl Aggregate for Schedule {
    type Command = ScheduleCommand;
    type Event = ScheduleEvent;
    type Refusal = ScheduleRefusal;

    fn decide(&self, command: ScheduleCommand) -> Result<Vec<ScheduleEvent>, ScheduleRefusal> {
        use ScheduleCommand as C;
        match self.standing {
            Standing::Unknown if !matches!(command, C::Define(_)) => return Err(ScheduleRefusal::NotFound),
            Standing::Ended if matches!(command, C::Change(_) | C::Pause | C::Resume { .. }) => return Err(ScheduleRefusal::Ended),
            _ => {}
        }
        Ok(match command {
            C::Define(define) => return self.define(*define),
            C::Change(define) => return self.change(*define),
            C::Pause if self.standing == Standing::Active => vec![ScheduleEvent::SchedulePaused(SchedulePaused {})],
            C::Resume { zone } if self.standing == Standing::Paused => match self.pending_run(zone) {
                None => vec![ScheduleEvent::ScheduleEnded(ScheduleEnded { reason: EndReason::Finished })],
                next => vec![ScheduleEvent::ScheduleResumed(ScheduleResumed { next })],
            },
            C::Cancel if self.standing != Standing::Ended => vec![ScheduleEvent::ScheduleEnded(ScheduleEnded { reason: EndReason::Cancelled })],
            C::Fire { occurrence, zone, now } => self.fire(occurrence, zone, now),
            C::Reckon { zone } => self.reckon(zone),
            C::Pause | C::Resume { .. } | C::Cancel => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &ScheduleEvent) {
        use ScheduleEvent as E;
        match event {
            E::ScheduleDefined(e) => {
                *self = Self {
                    standing: Standing::Active,
                    id: e.schedule,
                    recipient: e.recipient,
                    terms: Some(e.terms.clone()),
                    content: e.personal.clone(),
                    since: e.since,
                    last: None,
                    handled_once: false,
                    next: e.next,
                };
            }
            E::ScheduleChanged(e) => {
                self.terms = Some(e.terms.clone());
                self.content = e.personal.clone();
                self.since = e.since;
                self.handled_once = false;
                self.next = e.next;
            }
            E::SchedulePaused(_) => {
                self.standing = Standing::Paused;
                self.next = None;
            }
            E::ScheduleResumed(e) => {
                self.standing = Standing::Active;
                self.next = e.next;
            }
            E::ScheduleEnded(_) => {
                self.standing = Standing::Ended;
                self.next = None;
            }
            E::OccurrenceFired(e) => self.handled(e.occurrence, e.next),
            E::OccurrencesMissed(e) => self.handled(e.to, e.next),
            E::NextRunMoved(e) => self.next = e.next,
        }
    }
}

impl Schedule {
    fn handled(&mut self, occurrence: Millis, next: Option<Millis>) {
        self.last = Some(self.last.map_or(occurrence, |last| last.max(occurrence)));
        self.handled_once = true;
        self.next = next;
    }
}
