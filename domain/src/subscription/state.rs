//! The subscription's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Channel, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a switch is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    All,
    /// One channel.
    Channel(Channel),
    /// One category.
    Category(CategoryKey),
}

/// Who changed a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangedBy {
    /// The person.
    Recipient,
    /// A sender, on the person's behalf.
    Sender,
}

/// Does not want it any more. Honoured from the next provider call on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unsubscribed {
    /// What.
    pub scope: Scope,
    /// Who said so.
    pub by: ChangedBy,
}

/// Wants it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resubscribed {
    /// What.
    pub scope: Scope,
    /// Who said so.
    pub by: ChangedBy,
}

crate::plain_bodies!(Unsubscribed, Resubscribed);
crate::events! {
    /// What can have happened to a subscription.
    SubscriptionEvent of Subscription { Unsubscribed = 1, Resubscribed = 1 }
}

/// A recipient's switches; everybody is subscribed to everything at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What is switched off.
    pub off: BTreeSet<Scope>,
}

/// What can be asked of a subscription.
#[derive(Debug, Clone)]
pub struct SetSubscription {
    /// What.
    pub scope: Scope,
    /// On or off.
    pub subscribed: bool,
    /// Who says so.
    pub by: ChangedBy,
    /// The category in `scope` is required and cannot be switched off.
    pub required: bool,
}

/// Why a subscription says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionRefusal {
    /// Security and legal notices cannot be switched off.
    #[error("this category is required and cannot be switched off")]
    RequiredCategory,
}

/// What the switches say about a category on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May be sent, by this rule.
    Allowed(Rule),
    /// May not, by this rule.
    Forbidden(Rule),
}

impl Subscription {
    /// Whether a category may go over a channel. A required category passes the switch for
    /// everything and its own, but not a channel that was switched off as a whole.
    pub fn verdict(&self, category: &CategoryKey, required: bool, channel: Channel) -> Verdict {
        if self.off.is_empty() {
            return Verdict::Allowed(if required { Rule::RequiredCategory } else { Rule::DefaultOptIn });
        }
        if self.off.contains(&Scope::Channel(channel)) {
            return Verdict::Forbidden(Rule::OptedOutOfChannel);
        }
        if required {
            return Verdict::Allowed(Rule::RequiredCategory);
        }
        if self.off.contains(&Scope::All) {
            return Verdict::Forbidden(Rule::OptedOutOfAll);
        }
        if self.off.contains(&Scope::Category(category.clone())) {
            return Verdict::Forbidden(Rule::OptedOutOfCategory);
        }
        Verdict::Allowed(Rule::DefaultOptIn)
    }
}

impl Aggregate for Subscription {
    type Command = SetSubscription;
    type Event = SubscriptionEvent;
    type Refusal = SubscriptionRefusal;

    fn decide(&self, command: SetSubscription) -> Result<Vec<SubscriptionEvent>, SubscriptionRefusal> {
        let SetSubscription { scope, subscribed, by, required } = command;
        if required && !subscribed {
            return Err(SubscriptionRefusal::RequiredCategory);
        }
        Ok(match (self.off.contains(&scope), subscribed) {
            (true, true) => vec![SubscriptionEvent::Resubscribed(Resubscribed { scope, by })],
            (false, false) => vec![SubscriptionEvent::Unsubscribed(Unsubscribed { scope, by })],
            _ => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &SubscriptionEvent) {
        match event {
            SubscriptionEvent::Unsubscribed(e) => {
                self.off.insert(e.scope.clone());
            }
            SubscriptionEvent::Resubscribed(e) => {
                self.off.remove(&e.scope);
            }
        }
    }
}
