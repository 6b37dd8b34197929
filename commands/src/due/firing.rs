//! What an occurrence of a schedule asks for. Pure.

use crate::accept::{Gathered, bound};
use crate::log::Hashing;
use base64::Engine as _;
use domain::event::Personal;
use domain::notification::Requested;
use domain::policy::deciding::{plan_of, zone_of};
use domain::schedule::Schedule;
use domain::values::{Content, Millis, NotificationId, Origin};
use uuid::Uuid;

/// What a schedule has to do now.
pub(super) enum Occurrence {
    /// Never fire again: its recipient was erased, or what it tells is gone.
    Never,
    /// Fire nothing; perhaps record what was missed, or reckon the next run.
    None,
    /// Fire.
    Fire {
        /// The moment that it was planned for.
        moment: Millis,
        /// The notification that it becomes.
        id: NotificationId,
        /// The request.
        requested: Box<Requested>,
        /// Hash of its content, where its category has a dedup window.
        content: Option<Uuid>,
    },
}

/// What is to be done now.
pub(super) fn occurrence(schedule: &Schedule, facts: &Gathered, hashing: &Hashing, now: Millis) -> Occurrence {
    let (recipient, category) = (&facts.recipient.state, &facts.category.state);
    let due = schedule.due(zone_of(recipient), now);
    let Some(moment) = due.fire else { return Occurrence::None };
    let (Some(terms), Some(content), false) = (&schedule.terms, schedule.content.known(), recipient.erased || !recipient.exists || !category.exists) else {
        return Occurrence::Never;
    };
    let requested = Requested {
        sender: terms.sender.clone(),
        recipient: schedule.recipient,
        category: terms.category.clone(),
        priority: terms.priority.unwrap_or(category.priority),
        channels: terms.channels.clone(),
        fingerprint: fingerprint(hashing, &[b"occurrence", schedule.id.0.as_bytes(), &moment.to_le_bytes()]),
        sandbox: terms.sandbox,
        expires_at: category.expiry(None, now),
        not_before: None,
        topic: terms.topic.clone(),
        digest: category.digest.as_ref().map(|_| hashing.digest(schedule.recipient, &terms.category, &terms.sender, terms.sandbox, None)),
        plan: plan_of(None, terms.channels.is_some(), category).cloned(),
        category_version: category.version,
        origin: Some(Origin::Schedule { schedule: schedule.id, occurrence: moment }),
        template: facts.template.as_ref().and_then(|(_, template)| bound(&template.state, schedule.recipient, recipient)).map(Box::new),
        personal: Personal::from(Content { template: None, ..content.clone() }),
    };
    let told = category.dedup_window.map(|_| hashing.content(&terms.category, content));
    Occurrence::Fire { moment, id: hashing.occurrence(schedule.id, moment), requested: Box::new(requested), content: told }
}

/// In place of the fingerprint of a request: no request has it, for none can name these ids.
pub(super) fn fingerprint(hashing: &Hashing, parts: &[&[u8]]) -> String {
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(&hashing.hash(parts)[..15])
}
