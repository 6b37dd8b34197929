//! Quiet hours, allowed hours and do-not-disturb, in words.

use super::types::ExplainedFact;
use super::words::{by_name, by_words, local, moment, source_name, source_words};
use commands::log::{Recorded, Sequence};
use domain::calendar::{TimeZone, WeeklyWindow, WeeklyWindows};
use domain::recipient::RecipientEvent;
use domain::subscription::{ChangedBy, Source, SubscriptionEvent};
use domain::values::Millis;
use domain::{AggregateKind, Fact};
use std::sync::Arc;

/// Monday and Tuesday 22:00–07:00.
pub(super) fn windows(windows: &WeeklyWindows) -> String {
    let one = |window: &WeeklyWindow| {
        let days: Vec<String> = window.days.iter().map(|day| format!("{day:?}")).collect();
        let days = if days.len() == 7 { "every day".to_owned() } else { super::words::list(&days) };
        format!("{days} {}–{}", window.from, window.to)
    };
    windows.windows().iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The zone of the recipient's clock, and since when it is known.
pub(super) fn zone(recipient: &[Arc<Recorded>]) -> (TimeZone, Option<Millis>) {
    let profile = recipient.iter().rev().find_map(|event| match &event.fact {
        Fact::Recipient(RecipientEvent::ProfileChanged(changed)) => Some((event.at, changed.time_zone.as_deref()?)),
        _ => None,
    });
    match profile.and_then(|(at, name)| Some((at, TimeZone::new(name).ok()?))) {
        Some((at, zone)) => (zone, Some(at)),
        None => (TimeZone::utc(), None),
    }
}

/// What the recipient's clock showed.
pub(super) fn clock(recipient: &[Arc<Recorded>], sequence: Sequence, at: Millis) -> ExplainedFact {
    let (zone, since) = zone(recipient);
    let sentence = match since {
        Some(_) => format!("the recipient's clock showed {}", local(at, zone)),
        None => format!("the recipient's time zone is not known, so that UTC counted: {}", moment(at)),
    };
    ExplainedFact { at: since, ..ExplainedFact::new(AggregateKind::Recipient, sequence, sentence) }
}

fn said(sequence: Sequence, at: Millis, by: ChangedBy, source: Source, what: &str) -> ExplainedFact {
    let sentence = format!("{what}, set on {} {} {}", moment(at), by_words(by), source_words(source));
    let source = Some(source_name(source).to_owned());
    ExplainedFact { at: Some(at), by: Some(by_name(by)), source, ..ExplainedFact::new(AggregateKind::Subscription, sequence, sentence) }
}

/// The quiet or allowed hours in force.
pub(super) fn hours(subscription: &[Arc<Recorded>], sequence: Sequence, quiet: bool) -> Option<ExplainedFact> {
    subscription.iter().rev().find_map(|event| match &event.fact {
        Fact::Subscription(SubscriptionEvent::QuietHoursChanged(changed)) => {
            let (name, set) = if quiet { ("quiet hours", &changed.quiet_hours) } else { ("allowed hours", &changed.allowed) };
            Some(set.as_ref().map(|set| said(sequence, event.at, changed.by, changed.source, &format!("the {name} are {}", windows(set)))))
        }
        _ => None,
    })?
}

/// The do-not-disturb in force.
pub(super) fn do_not_disturb(subscription: &[Arc<Recorded>], sequence: Sequence) -> Option<ExplainedFact> {
    subscription.iter().rev().find_map(|event| match &event.fact {
        Fact::Subscription(SubscriptionEvent::DoNotDisturbChanged(changed)) => {
            Some(changed.until.map(|until| said(sequence, event.at, changed.by, changed.source, &format!("do not disturb until {}", moment(until)))))
        }
        _ => None,
    })?
}
