//! When a schedule runs: pure functions of its terms, the recipient's zone and a moment.

use super::events::{Terms, Trigger};
use super::state::{Schedule, Standing};
use crate::calendar::TimeZone;
use crate::values::Millis;

/// Occurrences that are counted one by one where many were missed.
const MOST_COUNTED: u32 = 10_000;

/// What a schedule has to do at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// The occurrence to be fired: the last that fell due, unless it is too late for it.
    pub fire: Option<Millis>,
    /// First, last and number of those that fell due and are not fired.
    pub missed: Option<(Millis, Millis, u32)>,
    /// The next run after all that.
    pub next: Option<Millis>,
}

impl Terms {
    /// The first run strictly after a moment, in the recipient's zone.
    pub fn run_after(&self, after: Millis, zone: TimeZone) -> Option<Millis> {
        let after = self.starts.map_or(after, |starts| after.max(starts.saturating_sub(1)));
        let once = |at: Millis| (at > after).then_some(at);
        let run = match &self.trigger {
            Trigger::Once { at } => once(*at),
            Trigger::OnceLocal { at } => once(zone.moment(*at)),
            Trigger::Recurring { cron, zone: own } => cron.next_after(after, own.unwrap_or(zone)),
        };
        run.filter(|run| self.ends.is_none_or(|ends| *run <= ends))
    }
}

impl Schedule {
    /// The next run in the recipient's zone; perhaps past, if it has not fired for it yet. None
    /// where it is paused or over.
    pub fn next_run(&self, zone: TimeZone) -> Option<Millis> {
        if self.standing == Standing::Active { self.pending_run(zone) } else { None }
    }

    /// The next run, paused or not.
    pub(super) fn pending_run(&self, zone: TimeZone) -> Option<Millis> {
        let terms = self.terms.as_ref()?;
        // One that fires once fires once, even where it is another moment in another zone; and it
        // does fire, even where a move to the east left that moment behind: late, as after an outage.
        let once = |at: Millis| (!self.handled_once).then_some(at);
        match &terms.trigger {
            Trigger::Once { at } => once(*at),
            Trigger::OnceLocal { at } => once(zone.moment(*at)),
            Trigger::Recurring { .. } => terms.run_after(self.after(), zone),
        }
    }

    /// Up to here all occurrences were handled.
    fn after(&self) -> Millis {
        self.last.map_or(self.since, |last| last.max(self.since))
    }

    /// The next `most` runs after now, for people to look at.
    pub fn upcoming(&self, zone: TimeZone, now: Millis, most: usize) -> Vec<Millis> {
        let Some(terms) = self.terms.as_ref().filter(|_| self.standing != Standing::Ended) else { return Vec::new() };
        let Some(first) = self.pending_run(zone) else { return Vec::new() };
        let first = if first > now { Some(first) } else { terms.run_after(now, zone) };
        std::iter::successors(first, |run| terms.run_after(*run, zone)).take(most).collect()
    }

    /// What is to be done now.
    pub fn due(&self, zone: TimeZone, now: Millis) -> Due {
        let Some(first) = self.next_run(zone) else { return Due::default() };
        let Some(terms) = self.terms.as_ref().filter(|_| first <= now) else { return Due { next: Some(first), ..Due::default() } };
        let recurs = matches!(terms.trigger, Trigger::Recurring { .. });
        let runs = std::iter::successors(Some(first), |run| terms.run_after(*run, zone).filter(|run| recurs && *run <= now));
        let (mut last, mut before, mut count) = (first, first, 0);
        for run in runs {
            (before, last) = (last, run);
            count += 1;
            if count >= MOST_COUNTED {
                // Far too many to walk through: what matters is the last within reach, which is at
                // most seven days and thus about as many.
                let reach = now.saturating_sub(terms.catch_up.max(0)).saturating_sub(1).max(last);
                let near = |run: &Millis| *run <= now;
                let lately = std::iter::successors(terms.run_after(reach, zone).filter(near), |run| terms.run_after(*run, zone).filter(near));
                if let Some(run) = lately.last() {
                    (before, last) = (last, run);
                }
                break;
            }
        }
        let next = if recurs { terms.run_after(last.max(if count >= MOST_COUNTED { now } else { last }), zone) } else { None };
        // The timer stands at the run that was recorded, and that one is on time: who moved east meanwhile
        // left the moment by the new clock behind, and would lose an occurrence that nobody was late for.
        let asked_for = self.next.map_or(last, |next| next.max(last));
        if now.saturating_sub(asked_for) <= terms.catch_up {
            Due { fire: Some(last), missed: (count > 1).then_some((first, before, count - 1)), next }
        } else {
            Due { fire: None, missed: Some((first, last, count)), next }
        }
    }
}
