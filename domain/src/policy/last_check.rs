//! The check at the last moment: is what was decided at acceptance still wanted now?

use crate::category::Category;
use crate::notification::Delivery;
use crate::recipient::Recipient;
use crate::subscription::{Subscription, Verdict};
use crate::values::{CategoryKey, Millis, Rule};

/// What to do with a delivery that is about to be attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastCheck {
    /// Call the provider.
    Proceed,
    /// Do not, for this reason.
    Suppress(Rule),
    /// Do not: it is too late.
    Expire,
}

/// Checks again what may have changed since acceptance.
pub fn last_check(
    delivery: &Delivery,
    expires_at: Option<Millis>,
    key: &CategoryKey,
    category: &Category,
    recipient: &Recipient,
    subscription: &Subscription,
    now: Millis,
) -> LastCheck {
    if recipient.erased {
        return LastCheck::Suppress(Rule::RecipientErased);
    }
    if expires_at.is_some_and(|at| at <= now) {
        return LastCheck::Expire;
    }
    if let Verdict::Forbidden(rule) = subscription.verdict(key, category.required, delivery.channel) {
        return LastCheck::Suppress(rule);
    }
    match delivery.address {
        Some(id) if recipient.address(id).is_none() => LastCheck::Suppress(Rule::AddressRemoved),
        _ => LastCheck::Proceed,
    }
}
