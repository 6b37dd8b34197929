//! Whether, when, over what and to where: one pure function of facts and a moment.
//!
//! Asked at acceptance, when something that waited comes due, when a step of a channel plan is due,
//! and by previews. The questions stand in this order, and the first that stops it is its reason:
//!
//! 1. erased; 2. expired; 3. the same content lately; 4. not before a time;
//! 5. consent, suppressed addresses, no address ([`consent`]);
//! 6. do not disturb, quiet hours, allowed hours ([`quiet`]);
//! 7. the digest of a category that collects everything; 8. limits; 9. deliver.
//!
//! Consent stands before time: who does not want it must not be told «deferred». Limits stand behind
//! time, and give no place that lies within quiet hours. What a digest collects takes no place: its
//! summary does. Critical notifications pass 6 to 8 and are not counted. Limits over all categories
//! leave out required ones: nobody misses a security notice because of newsletters.
//! Whose place would come at its expiry or after takes none, and waits for its end.
//!
//! A content is told from the request on that is delivered, put off or collected, and stays so if that one is
//! cancelled. What is suppressed told nothing.
//!
//! Guarantees: whatever waits, waits for a moment after now, and is not put off by the same rule
//! then; nothing waits past its expiry. Rejected: one function per feature, called by whoever needs it.
//! The order would be nobody's, and a preview could not be trusted.

mod ask;
mod consent;
mod quiet;
#[cfg(test)]
mod tests;
mod trace;

pub use ask::{Ask, Counting, Decided, Decision, Facts, FollowUp, Step};
pub use quiet::{allowed_from, disturbed};
pub use trace::{Considered, Finding, Question};

use crate::calendar::TimeZone;
use crate::category::{Category, OverLimit, QuietHoursBehaviour};
use crate::frequency::Clock;
use crate::recipient::Recipient;
use crate::values::{ChannelPlan, Limit, Millis, Priority, Rule};
use trace::Trace;

/// Decides. Nothing is allocated but the answer.
pub fn decide(ask: &Ask<'_>, facts: &Facts<'_>, now: Millis) -> Decision {
    decide_with(ask, facts, now, &mut ())
}

/// Decides the same, and says what was considered on the way: for previews and explanations.
pub fn explain(ask: &Ask<'_>, facts: &Facts<'_>, now: Millis) -> (Decision, Vec<Considered>) {
    let mut considered = Vec::new();
    let decision = decide_with(ask, facts, now, &mut considered);
    (decision, considered)
}

/// The zone of a recipient's wall clock; UTC where it is not known.
pub fn zone_of(recipient: &Recipient) -> TimeZone {
    recipient.time_zone.as_deref().and_then(|name| TimeZone::new(name).ok()).unwrap_or_default()
}

/// The plan that a request follows, to be recorded with it: its own; none where it names channels;
/// else the category's.
pub fn plan_of<'a>(asked: Option<&'a ChannelPlan>, channels_asked: bool, category: &'a Category) -> Option<&'a ChannelPlan> {
    asked.or(if channels_asked { None } else { category.plan.as_ref() })
}

/// Whether the frequency's stream has to be read for it, and be expected by the append.
pub fn counts(category: &Category, overall: &[Limit], priority: Priority) -> bool {
    category.dedup_window.is_some() || is_limited(category, overall, priority)
}

fn is_limited(category: &Category, overall: &[Limit], priority: Priority) -> bool {
    priority != Priority::Critical && (!category.limits.is_empty() || !(overall.is_empty() || category.required))
}

fn decide_with<T: Trace>(ask: &Ask<'_>, facts: &Facts<'_>, now: Millis, trace: &mut T) -> Decision {
    let mut count = None;
    let outcome = outcome(ask, facts, now, &mut count, trace);
    Decision { outcome, facts: facts.versions, count }
}

fn outcome<T: Trace>(ask: &Ask<'_>, facts: &Facts<'_>, now: Millis, count: &mut Option<Counting>, trace: &mut T) -> Decided {
    let category = facts.category;
    let suppress = |rule| Decided::Suppress { rule, steps: Vec::new() };
    if facts.recipient.erased {
        trace.stops(Question::Erased, Rule::RecipientErased, None);
        return suppress(Rule::RecipientErased);
    }
    trace.passes(Question::Erased, None);
    if ask.expires_at.is_some_and(|at| at <= now) {
        trace.stops(Question::Expired, Rule::Expired, ask.expires_at);
        return Decided::Expire;
    }
    trace.passes(Question::Expired, None);
    // A content that is told once the notification is accepted: what is decided again was told.
    let content = ask.content.filter(|_| category.dedup_window.is_some());
    if let (Some(content), Some(window), Some(frequency)) = (content, category.dedup_window, facts.frequency) {
        if frequency.seen_content(ask.category, content, window, now).is_some() {
            trace.stops(Question::Content, Rule::DuplicateContent, None);
            return suppress(Rule::DuplicateContent);
        }
        trace.passes(Question::Content, None);
    }
    let note = |count: &mut Option<Counting>| *count = content.map(|content| Counting { at: None, alone: false, content: Some(content) });
    let waits = |until: Millis, rule, limit| Decided::Defer { until: ask.expires_at.map_or(until, |at| until.min(at)), rule, limit };
    if let Some(at) = ask.not_before.filter(|at| *at > now) {
        trace.stops(Question::NotBefore, Rule::NotBefore, Some(at));
        note(count);
        return waits(at, Rule::NotBefore, None);
    }
    let reach = consent::reach(ask, facts, trace);
    if let Some(rule) = reach.unreachable {
        trace.stops(Question::Reach, rule, None);
        return Decided::Suppress { rule, steps: reach.steps };
    }
    trace.passes(Question::Reach, None);
    if ask.priority == Priority::Critical {
        note(count);
        trace.passes(Question::Deliver, None);
        return reach.deliver(now);
    }
    let disturbs = reach.steps.iter().any(Step::disturbs);
    let observes = category.quiet_hours != QuietHoursBehaviour::Ignore && disturbs && quiet::is_set(facts.subscription);
    if observes && let Some((until, rule)) = disturbed(facts.subscription, zone_of(facts.recipient), now) {
        trace.stops(Question::Quiet, rule, Some(until));
        if category.quiet_hours == QuietHoursBehaviour::Suppress {
            return suppress(rule);
        }
        note(count);
        return waits(until, rule, None);
    }
    trace.passes(Question::Quiet, None);
    // Later steps were counted, and not collected, with the first.
    let first = ask.step.is_none();
    if let Some(id) = ask.digest.filter(|_| first && category.collects_all()) {
        trace.stops(Question::Digest, Rule::Digested, None);
        note(count);
        return Decided::Digest { digest: id, window: facts.collecting_window, rule: Rule::Digested };
    }
    let limited = first && is_limited(category, facts.overall, ask.priority) && ask.place.is_none_or(|place| place > now);
    if !limited {
        note(count);
        trace.passes(Question::Deliver, None);
        return reach.deliver(now);
    }
    let zone = zone_of(facts.recipient);
    let allowed = |moment| if observes { allowed_from(facts.subscription, zone, moment) } else { moment };
    let clock = Clock { now, zone, allowed_from: &allowed };
    let overall = if category.required { &[] } else { facts.overall };
    let found = match (ask.place, facts.frequency) {
        // It holds a place already, and comes too early.
        (Some(at), _) => Some(crate::frequency::Found { at, limit: ask.limit }),
        (None, Some(frequency)) => frequency.next_place(ask.category, &category.limits, overall, &clock),
        (None, None) => Some(crate::frequency::Found { at: now, limit: None }),
    };
    let counted = |at| Counting { at, alone: category.required, content };
    match found {
        Some(found) if found.at <= now => {
            trace.passes(Question::Limits, None);
            *count = Some(counted(Some(now)));
            trace.passes(Question::Deliver, None);
            reach.deliver(now)
        }
        found => {
            let until = found.map(|found| found.at);
            trace.stops(Question::Limits, Rule::OverLimit, until);
            match (category.over_limit, ask.digest, until) {
                (OverLimit::Digest, Some(id), _) => {
                    note(count);
                    trace.stops(Question::Digest, Rule::OverLimit, None);
                    Decided::Digest { digest: id, window: facts.collecting_window, rule: Rule::OverLimit }
                }
                // Whose place comes after its end takes none from others.
                (OverLimit::Hold | OverLimit::Digest, _, Some(until)) if ask.expires_at.is_some_and(|at| at <= until) => {
                    note(count);
                    waits(until, Rule::OverLimit, None)
                }
                (OverLimit::Hold | OverLimit::Digest, _, Some(until)) => {
                    if ask.place.is_none() {
                        *count = Some(counted(Some(until)));
                    }
                    waits(until, Rule::OverLimit, found.and_then(|found| found.limit))
                }
                (OverLimit::Suppress, ..) | (_, _, None) => suppress(Rule::OverLimit),
            }
        }
    }
}
