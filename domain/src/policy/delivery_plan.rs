//! Where a notification goes: decided once, at acceptance, on the facts of that moment.

use crate::category::Category;
use crate::recipient::Recipient;
use crate::subscription::{Subscription, Verdict};
use crate::values::{AddressId, CategoryKey, Channel, FactVersions, Rule};

/// One decision about one channel or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Deliver to this address.
    Deliver {
        /// The channel.
        channel: Channel,
        /// The address, where the channel has one.
        address: Option<AddressId>,
        /// The rule that allows it.
        rule: Rule,
    },
    /// Do not use this channel, or (without one) do nothing at all.
    Skip {
        /// The channel.
        channel: Option<Channel>,
        /// The rule that forbids it.
        rule: Rule,
    },
}

/// The decision on a whole notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPlan {
    /// Decisions in the order of the channels.
    pub steps: Vec<Step>,
    /// The facts it was made on.
    pub facts: FactVersions,
}

/// Decides over which of the channels (asked for, else the category's) and to which addresses.
pub fn decide(
    asked: Option<&[Channel]>,
    key: &CategoryKey,
    category: &Category,
    recipient: &Recipient,
    subscription: &Subscription,
    facts: FactVersions,
) -> DeliveryPlan {
    let explicit = asked.is_some();
    let wanted = asked.unwrap_or(&category.default_channels);
    let mut steps = Vec::with_capacity(wanted.len() + 1);
    let mut usable = false;
    for channel in Channel::ALL.into_iter().filter(|channel| wanted.contains(channel)) {
        match subscription.verdict(key, category.required, channel) {
            Verdict::Forbidden(rule) => steps.push(Step::Skip { channel: Some(channel), rule }),
            Verdict::Allowed(rule) => {
                if !channel.has_provider() {
                    usable = true;
                    steps.push(Step::Deliver { channel, address: None, rule });
                    continue;
                }
                let before = steps.len();
                steps.extend(recipient.addresses_on(channel).map(|address| Step::Deliver { channel, address: Some(address.id), rule }));
                usable |= steps.len() > before;
                // A default channel without address is no news; one that was asked for is.
                if steps.len() == before && explicit {
                    steps.push(Step::Skip { channel: Some(channel), rule: Rule::NoAddress });
                }
            }
        }
    }
    if !usable {
        let rule = match steps.as_slice() {
            [] => Rule::NoAddress,
            [Step::Skip { rule, .. }, rest @ ..] if rest.iter().all(|step| matches!(step, Step::Skip { rule: other, .. } if other == rule)) => *rule,
            _ => Rule::NoChannel,
        };
        steps.push(Step::Skip { channel: None, rule });
    }
    DeliveryPlan { steps, facts }
}
