//! What the switches say about a category on a channel.
//!
//! From the strongest to the weakest:
//! 1. A channel that was switched off stays off, even for a required category: the person cannot
//!    be reached there.
//! 2. A required category passes every other switch.
//! 3. Everything off is off, whatever was chosen before or in particular: whoever says «nothing
//!    more» does not list their opt-ins first. Switching everything on again brings back what was
//!    chosen in particular.
//! 4. The most specific explicit choice: the category on this channel, else the category. Leaving a
//!    category turns its channels off with it, so that what is on here was asked for after that.
//! 5. A topic that was switched off, also within a category that was asked for.
//! 6. The category's default. «Everything» or a channel that is switched *on* is no consent to an
//!    opt-in category: it only lifts its own opt-out.
//!
//! Rejected: the last word wins, by the order in the log. Nobody can say from the page of their
//! preferences what that would come to.

use super::events::Scope;
use super::state::Subscription;
use crate::category::Category;
use crate::values::{AddressId, CategoryKey, Channel, Rule, TopicKey};

/// What the switches say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May be sent, by this rule.
    Allowed(Rule),
    /// May not, by this rule.
    Forbidden(Rule),
}

impl Subscription {
    /// Whether a category may go over a channel. See the module for the order.
    pub fn verdict(&self, key: &CategoryKey, category: &Category, channel: Channel, topic: Option<&TopicKey>) -> Verdict {
        if self.switches.is_empty() {
            return by_default(category);
        }
        let choice = |scope: &Scope| self.switches.get(scope).copied();
        if choice(&Scope::Channel(channel)) == Some(false) {
            return Verdict::Forbidden(Rule::OptedOutOfChannel);
        }
        if category.required {
            return Verdict::Allowed(Rule::RequiredCategory);
        }
        if choice(&Scope::All) == Some(false) {
            return Verdict::Forbidden(Rule::OptedOutOfAll);
        }
        let narrow = choice(&Scope::CategoryChannel { category: key.clone(), channel });
        if narrow == Some(false) {
            return Verdict::Forbidden(Rule::OptedOutOfCategoryChannel);
        }
        let explicit = narrow.or_else(|| choice(&Scope::Category(key.clone())));
        if explicit == Some(false) {
            return Verdict::Forbidden(Rule::OptedOutOfCategory);
        }
        if topic.is_some_and(|topic| self.topic_off(topic)) {
            return Verdict::Forbidden(Rule::OptedOutOfTopic);
        }
        if explicit == Some(true) { Verdict::Allowed(Rule::OptedIn) } else { by_default(category) }
    }

    /// Whether the person switched this topic off.
    pub fn topic_off(&self, topic: &TopicKey) -> bool {
        self.switches.get(&Scope::Topic(topic.clone())) == Some(&false)
    }

    /// Whether opens and clicks of this person's mails may be watched. Whoever wants nothing more is not
    /// watched either, while they read what is required.
    pub fn may_be_tracked(&self) -> bool {
        [Scope::Tracking, Scope::All].iter().all(|scope| self.switches.get(scope) != Some(&false))
    }

    /// Whether the person left this device (or other address) switched on. Also of required
    /// categories: a device is a place, as a channel is.
    pub fn device_allowed(&self, address: AddressId) -> bool {
        self.switches.is_empty() || self.switches.get(&Scope::Device(address)).copied() != Some(false)
    }
}

fn by_default(category: &Category) -> Verdict {
    match (category.required, category.subscribed_by_default) {
        (true, _) => Verdict::Allowed(Rule::RequiredCategory),
        (false, true) => Verdict::Allowed(Rule::DefaultOptIn),
        (false, false) => Verdict::Forbidden(Rule::NotOptedIn),
    }
}
