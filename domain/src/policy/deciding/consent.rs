//! Over which channels and to which addresses: the switches, suppressed addresses, and what there is.

use super::ask::{Ask, Decided, Facts, FollowUp, Step};
use super::trace::{Considered, Finding, Question, Trace};
use crate::subscription::Verdict;
use crate::values::{Channel, Millis, NextStep, Rule};

/// Where it can go.
pub(super) struct Reach {
    /// One decision a channel or address.
    pub(super) steps: Vec<Step>,
    /// The step of the plan that these are.
    pub(super) taken: u8,
    /// What leads from it to the next.
    next: Option<NextStep>,
    /// Why it can go nowhere.
    pub(super) unreachable: Option<Rule>,
}

impl Reach {
    /// Deliver there, the next step reckoned from now.
    pub(super) fn deliver(self, now: Millis) -> Decided {
        let next = self.next.map(|next| FollowUp { step: self.taken.saturating_add(1), due: now.saturating_add(next.after), when: next.when });
        Decided::Deliver { steps: self.steps, taken: self.taken, next }
    }
}

/// Where it can go: the first step of the plan, from the one asked about on, that reaches somebody;
/// without a plan, the channels asked for, else those of the category that the recipient prefers.
pub(super) fn reach<T: Trace>(ask: &Ask<'_>, facts: &Facts<'_>, trace: &mut T) -> Reach {
    let mut steps = Vec::with_capacity(4);
    if let Some(plan) = ask.plan {
        let from = ask.step.unwrap_or(0);
        for (number, step) in (from..).zip(plan.steps.iter().skip(usize::from(from))) {
            if channels(&step.channels, true, &|_| true, ask, facts, &mut steps, trace) {
                return Reach { steps, taken: number, next: step.next, unreachable: None };
            }
        }
        let unreachable = Some(why(&steps));
        return Reach { steps, taken: from, next: None, unreachable };
    }
    let wanted = ask.channels.unwrap_or(&facts.category.default_channels);
    let preferred = &facts.subscription.preferred_channels;
    let narrow = ask.channels.is_none() && !preferred.is_empty() && wanted.iter().any(|channel| preferred.contains(channel));
    let usable = if narrow {
        channels(wanted, false, &|channel| preferred.contains(&channel), ask, facts, &mut steps, trace)
    } else {
        channels(wanted, ask.channels.is_some(), &|_| true, ask, facts, &mut steps, trace)
    };
    let unreachable = if usable { None } else { Some(why(&steps)) };
    Reach { steps, taken: 0, next: None, unreachable }
}

/// The one reason for all channels, where there is one.
fn why(steps: &[Step]) -> Rule {
    let mut rules = steps.iter().map(|step| match step {
        Step::Skip { rule, .. } | Step::Deliver { rule, .. } => *rule,
    });
    match rules.next() {
        None => Rule::NoAddress,
        Some(first) => {
            if rules.all(|rule| rule == first) {
                first
            } else {
                Rule::NoChannel
            }
        }
    }
}

/// Decides on some channels; says whether any can be used.
fn channels<T: Trace>(
    wanted: &[Channel],
    explicit: bool,
    preferred: &dyn Fn(Channel) -> bool,
    ask: &Ask<'_>,
    facts: &Facts<'_>,
    steps: &mut Vec<Step>,
    trace: &mut T,
) -> bool {
    let mut usable = false;
    for channel in Channel::ALL.into_iter().filter(|channel| wanted.contains(channel) && preferred(*channel)) {
        let mut note = |question, finding, rule, address| {
            trace.note(Considered { question, finding, rule: Some(rule), channel: Some(channel), address, moment: None });
        };
        let rule = match facts.subscription.verdict(ask.category, facts.category, channel, ask.topic) {
            Verdict::Forbidden(rule) => {
                note(Question::Consent, Finding::Stops, rule, None);
                steps.push(Step::Skip { channel, address: None, rule });
                continue;
            }
            Verdict::Allowed(rule) => rule,
        };
        note(Question::Consent, Finding::Passes, rule, None);
        if !channel.has_provider() {
            usable = true;
            steps.push(Step::Deliver { channel, address: None, rule });
            continue;
        }
        let before = steps.len();
        for address in facts.recipient.addresses_on(channel) {
            let against = if !facts.subscription.device_allowed(address.id) {
                Rule::OptedOutOfDevice
            } else if (facts.suppressed)(address.id) {
                Rule::AddressSuppressed
            } else {
                note(Question::Address, Finding::Passes, rule, Some(address.id));
                usable = true;
                steps.push(Step::Deliver { channel, address: Some(address.id), rule });
                continue;
            };
            note(Question::Address, Finding::Stops, against, Some(address.id));
            steps.push(Step::Skip { channel, address: Some(address.id), rule: against });
        }
        if steps.len() == before {
            note(Question::Address, Finding::Stops, Rule::NoAddress, None);
            // A default channel without address is no news; one that was asked for is.
            if explicit {
                steps.push(Step::Skip { channel, address: None, rule: Rule::NoAddress });
            }
        }
    }
    usable
}
