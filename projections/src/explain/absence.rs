//! Why a recipient heard nothing in a stretch of time.
//!
//! What was asked for is listed with its reason; what else explains silence is said beside it, as the
//! recipient's own streams tell it of that time. Requests that were refused are answered to who asked
//! and leave no trace in the log: that is said, since their absence proves nothing.

use super::facts::{erasure, last_word};
use super::library::Library;
use super::outcome::Outcome;
use super::quiet;
use super::types::{ExplainedFact, Explanation};
use super::words::{capital, moment};
use commands::accept::{category_stream, recipient_stream, subscription_stream};
use commands::log::Recorded;
use domain::Fact;
use domain::aggregate::Aggregate;
use domain::category::Category;
use domain::recipient::Recipient;
use domain::subscription::{Scope, Subscription, SubscriptionEvent};
use domain::values::{CategoryKey, Millis, NotificationId, RecipientId};
use std::sync::Arc;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// About whom.
    pub recipient: RecipientId,
    /// About which category; all where absent.
    pub category: Option<CategoryKey>,
    /// From this moment on (ms since the epoch).
    pub from: Millis,
    /// Up to this moment.
    pub to: Millis,
}

/// A notification of that time.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsentNotification {
    /// Its id.
    pub id: NotificationId,
    /// When it was requested (ms since the epoch).
    pub requested_at: Millis,
    /// Its category.
    pub category: CategoryKey,
    /// What became of it.
    pub outcome: Outcome,
    /// In a sentence.
    pub sentence: String,
}

/// Something else that explains silence.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsenceReason {
    /// Its kind, as data.
    pub kind: &'static str,
    /// The fact behind it.
    pub fact: Option<ExplainedFact>,
    /// In words.
    pub sentence: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Absence {
    /// The whole in a sentence.
    pub sentence: String,
    /// What else explains it.
    pub reasons: Vec<AbsenceReason>,
    /// What was asked for, newest first.
    pub notifications: Vec<AbsentNotification>,
}

/// Puts the answer together; the library has learned of the recipient and of the category.
pub fn explain_absence(asked: &Asked, explained: &[(Millis, CategoryKey, Explanation)], library: &Library) -> Absence {
    let notifications: Vec<_> = explained
        .iter()
        .map(|(at, category, explanation)| AbsentNotification {
            id: explanation.id,
            requested_at: *at,
            category: category.clone(),
            outcome: explanation.outcome,
            sentence: explanation.sentence.clone(),
        })
        .collect();
    let reasons = reasons(asked, &notifications, library);
    let sentence = summary(asked, &notifications, &reasons);
    Absence { sentence, reasons, notifications }
}

fn summary(asked: &Asked, notifications: &[AbsentNotification], reasons: &[AbsenceReason]) -> String {
    let of = asked.category.as_ref().map_or_else(String::new, |category| format!(" of category {category}"));
    let time = format!("between {} and {}", moment(asked.from), moment(asked.to));
    if notifications.is_empty() {
        let first = reasons.iter().find(|reason| !["none_requested", "refusals_not_recorded"].contains(&reason.kind));
        let also = first.map_or_else(String::new, |reason| format!(" {}", reason.sentence));
        return format!("Nothing{of} was requested for this recipient {time}.{also}");
    }
    let count = |outcome: Outcome| notifications.iter().filter(|one| one.outcome == outcome).count();
    let all = [
        Outcome::Sent,
        Outcome::PartlySent,
        Outcome::Pending,
        Outcome::Deferred,
        Outcome::Held,
        Outcome::Digested,
        Outcome::Deduplicated,
        Outcome::Suppressed,
        Outcome::Failed,
        Outcome::DeadLettered,
        Outcome::Discarded,
        Outcome::Expired,
        Outcome::Cancelled,
    ];
    let parts: Vec<String> = all.into_iter().filter(|outcome| count(*outcome) > 0).map(|outcome| format!("{} {}", count(outcome), outcome.words())).collect();
    let number = notifications.len();
    let (plural, were) = if number == 1 { ("", "was") } else { ("s", "were") };
    format!("{number} notification{plural}{of} {were} requested for this recipient {time}: {}.", parts.join(", "))
}

fn reasons(asked: &Asked, notifications: &[AbsentNotification], library: &Library) -> Vec<AbsenceReason> {
    let mut reasons = Vec::new();
    let mut say = |kind, fact: Option<ExplainedFact>, sentence: String| {
        reasons.push(AbsenceReason { kind, fact, sentence: format!("{}.", capital(&sentence)) });
    };
    if notifications.is_empty() {
        say("none_requested", None, "no notification was requested in this time".to_owned());
        say(
            "refusals_not_recorded",
            None,
            "requests that are refused are answered to who asked and leave no trace here: look at the sender's own log for its answers".to_owned(),
        );
    }
    let until = |event: &&Arc<Recorded>| event.at <= asked.to;
    let recipient: Vec<_> = library.all(recipient_stream(asked.recipient)).iter().filter(until).map(Arc::clone).collect();
    let sequence = recipient.last().map_or(0, |event| event.sequence);
    let state = Recipient::replay(recipient.iter().filter_map(|event| match &event.fact {
        Fact::Recipient(event) => Some(event),
        _ => None,
    }));
    if !state.exists {
        say("unknown_recipient", None, "the recipient was not known then".to_owned());
        return reasons;
    }
    if let Some(erased) = erasure(&recipient, sequence) {
        let sentence = erased.sentence.clone();
        say("erased_recipient", Some(erased), sentence);
        return reasons;
    }
    if let Some(first) = recipient.first().filter(|first| first.at > asked.from) {
        say("unknown_recipient", None, format!("the recipient became known on {} only", moment(first.at)));
    }
    if state.addresses.is_empty() {
        say("no_address", None, "the recipient had no address and no device: nothing but the app's inbox could reach them".to_owned());
    }
    let category = asked.category.as_ref().map(|key| (key, category(library, key, asked.to)));
    if let Some((key, category)) = &category
        && !category.exists
    {
        say("unknown_category", None, format!("there was no category {key}; its requests are refused"));
    }
    let subscription: Vec<_> = library.all(subscription_stream(asked.recipient)).iter().filter(until).map(Arc::clone).collect();
    for scope in scopes(&subscription, asked.category.as_ref()) {
        if let Some((fact, sentence)) = off(&subscription, &scope, asked) {
            say("opted_out", Some(fact), sentence);
        }
    }
    let sequence = subscription.last().map_or(0, |event| event.sequence);
    if let Some((key, category)) = &category
        && category.exists
        && !category.required
        && !category.subscribed_by_default
        && !has_opted_in(&subscription, key)
    {
        say("not_opted_in", None, format!("the category {key} reaches those only who asked for it, and the recipient had not"));
    }
    if let Some(fact) = quiet::do_not_disturb(&subscription, sequence)
        && dnd_until(&subscription).is_some_and(|until| until > asked.from)
    {
        let sentence = fact.sentence.clone();
        say("do_not_disturb", Some(fact), sentence);
    }
    let (zone, _) = quiet::zone(&recipient);
    for (kind, quiet_hours) in [("quiet_hours", true), ("allowed_hours", false)] {
        if let Some(fact) = quiet::hours(&subscription, sequence, quiet_hours) {
            let sentence = format!("{}, on the clock of {zone}; what comes outside of that time waits unless its category says otherwise", fact.sentence);
            let sentence = if quiet_hours { sentence.replace("outside of that time", "within them") } else { sentence };
            say(kind, Some(fact), sentence);
        }
    }
    for one in notifications.iter().filter(|one| matches!(one.outcome, Outcome::Deferred | Outcome::Held | Outcome::Digested)) {
        let kind = if one.outcome == Outcome::Digested { "in_digest" } else { "waits" };
        say(kind, None, format!("notification {}: {}", one.id, one.sentence.trim_end_matches('.')));
    }
    reasons
}

fn category(library: &Library, key: &CategoryKey, to: Millis) -> Category {
    Category::replay(library.all(category_stream(key)).iter().filter(|event| event.at <= to).filter_map(|event| match &event.fact {
        Fact::Category(event) => Some(event),
        _ => None,
    }))
}

fn switched(event: &Recorded) -> Option<(&Scope, bool)> {
    match &event.fact {
        Fact::Subscription(SubscriptionEvent::Unsubscribed(e)) => Some((&e.scope, false)),
        Fact::Subscription(SubscriptionEvent::Resubscribed(e)) => Some((&e.scope, true)),
        _ => None,
    }
}

/// Whether the last word on a category, or on it over some channel, was to have it.
fn has_opted_in(subscription: &[Arc<Recorded>], key: &CategoryKey) -> bool {
    let state = Subscription::replay(subscription.iter().filter_map(|event| match &event.fact {
        Fact::Subscription(event) => Some(event),
        _ => None,
    }));
    state.switches.iter().any(|(scope, on)| {
        *on && match scope {
            Scope::Category(category) | Scope::CategoryChannel { category, .. } => category == key,
            Scope::All | Scope::Channel(_) | Scope::Device(_) | Scope::Topic(_) | Scope::Tracking => false,
        }
    })
}

/// The switches that were ever turned and concern what was asked.
fn scopes(subscription: &[Arc<Recorded>], category: Option<&CategoryKey>) -> Vec<Scope> {
    let concerns = |scope: &Scope| match scope {
        Scope::Category(key) | Scope::CategoryChannel { category: key, .. } => category.is_none_or(|wanted| wanted == key),
        Scope::All | Scope::Channel(_) | Scope::Device(_) | Scope::Topic(_) => true,
        // Nothing was not sent for that.
        Scope::Tracking => false,
    };
    let mut scopes: Vec<Scope> = subscription.iter().filter_map(|event| switched(event)).map(|(scope, _)| scope.clone()).filter(concerns).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// That a switch was off for some of the time, and when it was not any more.
fn off(subscription: &[Arc<Recorded>], scope: &Scope, asked: &Asked) -> Option<(ExplainedFact, String)> {
    let turned: Vec<_> = subscription.iter().filter(|event| switched(event).is_some_and(|(of, _)| of == scope)).map(Arc::clone).collect();
    let last_off = turned.iter().rposition(|event| switched(event).is_some_and(|(_, on)| !on))?;
    let again = turned.get(last_off + 1);
    if again.is_some_and(|event| event.at < asked.from) {
        return None;
    }
    let fact = last_word(turned.get(..=last_off)?, turned.get(last_off)?.sequence, scope)?;
    let again = again.map_or_else(String::new, |event| format!(", and on again on {}", moment(event.at)));
    let sentence = format!("{}{again}", fact.sentence);
    Some((fact, sentence))
}

fn dnd_until(subscription: &[Arc<Recorded>]) -> Option<Millis> {
    subscription.iter().rev().find_map(|event| match &event.fact {
        Fact::Subscription(SubscriptionEvent::DoNotDisturbChanged(changed)) => Some(changed.until),
        _ => None,
    })?
}
