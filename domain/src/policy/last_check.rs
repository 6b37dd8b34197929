//! The check at the last moment: is what was decided still wanted now, and at this hour?

use crate::category::{Category, QuietHoursBehaviour};
use crate::notification::Delivery;
use crate::policy::deciding::{disturbed, zone_of};
use crate::recipient::Recipient;
use crate::subscription::{Subscription, Verdict};
use crate::values::{AddressId, CategoryKey, Millis, Priority, Rule, TopicKey};

/// What to do with a delivery that is about to be attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastCheck {
    /// Call the provider.
    Proceed,
    /// Do not, for this reason.
    Suppress(Rule),
    /// Do not: it is too late.
    Expire,
    /// Not now: the person is not to be disturbed.
    Postpone {
        /// Until when.
        until: Millis,
        /// Why.
        rule: Rule,
    },
}

/// What is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Last<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// Worth nothing from then on.
    pub expires_at: Option<Millis>,
    /// Its category's key.
    pub category: &'a CategoryKey,
    /// Its topic.
    pub topic: Option<&'a TopicKey>,
    /// How urgent.
    pub priority: Priority,
}

/// Checks again what may have changed since it was decided. Limits and dedup windows are not
/// among it: they were counted then.
pub fn last_check(
    last: Last<'_>,
    category: &Category,
    recipient: &Recipient,
    subscription: &Subscription,
    suppressed: &dyn Fn(AddressId) -> bool,
    now: Millis,
) -> LastCheck {
    if recipient.erased {
        return LastCheck::Suppress(Rule::RecipientErased);
    }
    if last.expires_at.is_some_and(|at| at <= now) {
        return LastCheck::Expire;
    }
    let channel = last.delivery.channel;
    if let Verdict::Forbidden(rule) = subscription.verdict(last.category, category, channel, last.topic) {
        return LastCheck::Suppress(rule);
    }
    if let Some(id) = last.delivery.address {
        if recipient.address(id).is_none() {
            return LastCheck::Suppress(Rule::AddressRemoved);
        }
        if !subscription.device_allowed(id) {
            return LastCheck::Suppress(Rule::OptedOutOfDevice);
        }
        if suppressed(id) {
            return LastCheck::Suppress(Rule::AddressSuppressed);
        }
    }
    let observes = category.quiet_hours != QuietHoursBehaviour::Ignore && last.priority != Priority::Critical && channel.has_provider();
    if observes && let Some((until, rule)) = disturbed(subscription, zone_of(recipient), now) {
        if category.quiet_hours == QuietHoursBehaviour::Suppress {
            return LastCheck::Suppress(rule);
        }
        // Asked again when it expires, if that comes first.
        return LastCheck::Postpone { until: last.expires_at.map_or(until, |at| until.min(at)), rule };
    }
    LastCheck::Proceed
}
