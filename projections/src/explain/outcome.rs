//! One word and one sentence for a whole notification.

use super::library::Library;
use super::steps::Told;
use super::types::ExplainedStep;
use super::words::{capital, moment};
use commands::accept::digest_stream;
use domain::Fact;
use domain::digest::DigestEvent;
use domain::notification::{DeliveryState, Notification};
use domain::values::Rule;

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A delivery is owed.
    Pending,
    /// Waits for a moment.
    Deferred,
    /// Waits for a free place under a limit.
    Held,
    /// Goes out, or went out, with others.
    Digested,
    /// Not sent: the same content was told lately.
    Deduplicated,
    /// Not sent: decided against.
    Suppressed,
    /// Every delivery was taken by its provider.
    Sent,
    /// Some were, others ended otherwise.
    PartlySent,
    /// None was, and one failed for good.
    Failed,
    /// None was, and one awaits a person.
    DeadLettered,
    /// None was, and a person gave it up.
    Discarded,
    /// Too late.
    Expired,
    /// Taken back.
    Cancelled,
}

impl Outcome {
    /// Of a notification as it is.
    pub fn of(state: &Notification) -> Self {
        let any = |wanted: &dyn Fn(DeliveryState) -> bool| state.deliveries.iter().any(|delivery| wanted(delivery.state));
        let is = |wanted: DeliveryState| any(&move |state| state == wanted);
        if let Some(waiting) = state.waiting {
            return if waiting.rule == Rule::OverLimit { Self::Held } else { Self::Deferred };
        }
        if state.deliveries.is_empty() {
            return match (state.over, state.digested, state.suppressed.last()) {
                (Some(Rule::Cancelled), ..) => Self::Cancelled,
                (Some(_), ..) => Self::Expired,
                (None, Some(_), _) => Self::Digested,
                (None, None, Some((None, Rule::DuplicateContent))) => Self::Deduplicated,
                (None, None, Some(_)) => Self::Suppressed,
                (None, None, None) => Self::Pending,
            };
        }
        if any(&DeliveryState::is_pending) {
            Self::Pending
        } else if any(&DeliveryState::is_taken) {
            if state.deliveries.iter().all(|delivery| delivery.state.is_taken()) { Self::Sent } else { Self::PartlySent }
        } else if is(DeliveryState::DeadLettered) {
            Self::DeadLettered
        } else if is(DeliveryState::Failed) || is(DeliveryState::Bounced) {
            Self::Failed
        } else if is(DeliveryState::Discarded) {
            Self::Discarded
        } else if is(DeliveryState::Expired) {
            Self::Expired
        } else if is(DeliveryState::Cancelled) {
            Self::Cancelled
        } else {
            Self::Suppressed
        }
    }

    /// The name as data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deferred => "deferred",
            Self::Held => "held",
            Self::Digested => "digested",
            Self::Deduplicated => "deduplicated",
            Self::Suppressed => "suppressed",
            Self::Sent => "sent",
            Self::PartlySent => "partly_sent",
            Self::Failed => "failed",
            Self::DeadLettered => "dead_lettered",
            Self::Discarded => "discarded",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The same within a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pending => "on its way",
            Self::Deferred => "waiting for its time",
            Self::Held => "held over a limit",
            Self::Digested => "collected by a digest",
            Self::Deduplicated => "not sent, since the same was told lately",
            Self::Suppressed => "not sent",
            Self::Sent => "sent",
            Self::PartlySent => "sent in part",
            Self::Failed => "failed",
            Self::DeadLettered => "a dead letter",
            Self::Discarded => "given up",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The whole in a sentence.
pub(super) fn sentence(outcome: Outcome, state: &Notification, told: &Told) -> String {
    let last = |wanted: &[&str]| told.steps.iter().rev().find(|step| wanted.contains(&step.event));
    let skipped = || told.steps.iter().filter(|step| step.event == "Suppressed" && step.delivery.is_none() && step.channel.is_some());
    let text = |step: Option<&ExplainedStep>| step.map_or_else(|| outcome.words().to_owned(), |step| step.sentence.clone());
    let said = match outcome {
        Outcome::Deferred | Outcome::Held => text(last(&["Deferred"])),
        Outcome::Digested => text(last(&["Digested"])),
        Outcome::Deduplicated | Outcome::Suppressed if state.deliveries.is_empty() => {
            let whole = told.steps.iter().rev().find(|step| step.event == "Suppressed" && step.channel.is_none());
            let several = state.suppressed.last().is_some_and(|(_, rule)| *rule == Rule::NoChannel);
            let mut parts = vec![text(whole)];
            parts.extend(skipped().filter(|_| several).map(|step| step.sentence.clone()));
            // What was decided for the whole has no channel; why, a channel says.
            if !several && whole.is_some_and(|step| names_a_channel(step.rule)) {
                parts = vec![format!("not sent at all: {}", skipped().map(reason).next().unwrap_or_else(|| text(whole)))];
            }
            parts.join("; ")
        }
        Outcome::Cancelled | Outcome::Expired if state.deliveries.is_empty() => {
            let end = last(&["Cancelled", "Expired"]);
            let waited = last(&["Deferred", "Digested"]).map_or_else(String::new, |step| format!("; before that: {}", step.sentence));
            format!("not sent: {} on {}{waited}", text(end), moment(end.map_or(0, |step| step.at)))
        }
        _ => {
            let mut parts: Vec<String> = told.deliveries.iter().map(|delivery| delivery.sentence.clone()).collect();
            parts.extend(skipped().map(|step| step.sentence.clone()));
            parts.extend(state.step.and(last(&["StepScheduled"])).map(|step| step.sentence.clone()));
            parts.join("; ")
        }
    };
    format!("{}.", capital(&said))
}

/// Rules whose fact depends on the channel that was looked at.
const fn names_a_channel(rule: Option<Rule>) -> bool {
    matches!(rule, Some(Rule::OptedOutOfChannel | Rule::OptedOutOfCategoryChannel | Rule::OptedOutOfDevice | Rule::AddressSuppressed | Rule::NoAddress))
}

fn reason(step: &ExplainedStep) -> String {
    step.sentence.split_once(": ").map_or_else(|| step.sentence.clone(), |(_, reason)| reason.to_owned())
}

/// Whether nothing more happens by itself.
pub(super) fn is_over(state: &Notification, library: &Library) -> bool {
    let collecting = |(digest, window)| {
        !library
            .all(digest_stream(digest))
            .iter()
            .any(|event| matches!(&event.fact, Fact::Digest(DigestEvent::DigestClosed(closed)) if closed.window == window))
    };
    state.exists
        && state.waiting.is_none()
        && state.step.is_none()
        && !state.digested.is_some_and(collecting)
        && !state.deliveries.iter().any(|delivery| delivery.state.is_pending())
}
