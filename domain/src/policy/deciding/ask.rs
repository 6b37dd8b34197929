//! What is asked, on which facts, and the answer.

use crate::category::Category;
use crate::frequency::Frequency;
use crate::recipient::Recipient;
use crate::subscription::Subscription;
use crate::values::{AddressId, CategoryKey, Channel, ChannelPlan, DigestId, FactVersions, Limit, Millis, NextWhen, Priority, Rule, TopicKey};
use uuid::Uuid;

/// What is asked about a notification.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Its category.
    pub category: &'a CategoryKey,
    /// Channels that were asked for; none: the category's.
    pub channels: Option<&'a [Channel]>,
    /// Its topic.
    pub topic: Option<&'a TopicKey>,
    /// How urgent.
    pub priority: Priority,
    /// Not to be sent before.
    pub not_before: Option<Millis>,
    /// Worth nothing from then on.
    pub expires_at: Option<Millis>,
    /// The digest that would collect it; none where it must not be collected (a summary).
    pub digest: Option<DigestId>,
    /// The plan that it follows: see [`plan_of`](super::plan_of).
    pub plan: Option<&'a ChannelPlan>,
    /// The step of the plan that is due; none: the notification as a whole, from its first step.
    pub step: Option<u8>,
    /// Keyed hash of its content. Only when it is asked about first: later, it is the content
    /// that was told.
    pub content: Option<Uuid>,
    /// The place under the limits that it holds already.
    pub place: Option<Millis>,
    /// The limit that it waits for with that place.
    pub limit: Option<Limit>,
}

impl<'a> Ask<'a> {
    /// A question about the category and nothing else.
    pub const fn plain(category: &'a CategoryKey, priority: Priority) -> Self {
        Self {
            category,
            channels: None,
            topic: None,
            priority,
            not_before: None,
            expires_at: None,
            digest: None,
            plan: None,
            step: None,
            content: None,
            place: None,
            limit: None,
        }
    }

    /// The question about a notification that waited, or whose step (from its plan) is due.
    pub fn again(notification: &'a crate::notification::Notification, step: Option<u8>) -> Self {
        Self {
            category: &notification.category,
            channels: notification.channels.as_deref(),
            topic: notification.topic.as_ref(),
            priority: notification.priority,
            not_before: notification.not_before,
            expires_at: notification.expires_at,
            digest: notification.digest,
            plan: notification.plan.as_ref(),
            step,
            content: None,
            place: notification.place,
            limit: None,
        }
    }
}

/// What the answer rests on.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The category.
    pub category: &'a Category,
    /// The recipient.
    pub recipient: &'a Recipient,
    /// What the recipient chose.
    pub subscription: &'a Subscription,
    /// What the recipient was told lately; only needed where [`counts`](super::counts) says so.
    pub frequency: Option<&'a Frequency>,
    /// Limits over all categories together.
    pub overall: &'a [Limit],
    /// Whether nothing may go to an address.
    pub suppressed: &'a dyn Fn(AddressId) -> bool,
    /// The window in which its digest collects now; only looked at where the question names one.
    pub collecting_window: u32,
    /// The sequences of all these.
    pub versions: FactVersions,
}

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
    /// Do not use this channel, or not this address of it.
    Skip {
        /// The channel.
        channel: Channel,
        /// The address, where it is about that one only.
        address: Option<AddressId>,
        /// The rule that forbids it.
        rule: Rule,
    },
}

impl Step {
    /// Whether somebody may hear it: history in an app makes no noise.
    pub(super) const fn disturbs(&self) -> bool {
        matches!(self, Self::Deliver { channel, .. } if channel.has_provider())
    }
}

/// The step of the plan that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUp {
    /// Number of the step.
    pub step: u8,
    /// When it is due.
    pub due: Millis,
    /// What has to be so then.
    pub when: NextWhen,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Deliver now.
    Deliver {
        /// In the order of the channels.
        steps: Vec<Step>,
        /// The step of the plan that these are; earlier ones that were asked about reach nobody.
        taken: u8,
        /// The step that follows.
        next: Option<FollowUp>,
    },
    /// Ask again at a moment.
    Defer {
        /// When: after now, and no later than the expiry.
        until: Millis,
        /// Why.
        rule: Rule,
        /// The limit whose place at `until` it was given.
        limit: Option<Limit>,
    },
    /// Let a digest collect it.
    Digest {
        /// Which.
        digest: DigestId,
        /// In which of its windows.
        window: u32,
        /// Why.
        rule: Rule,
    },
    /// Do not send it.
    Suppress {
        /// Why.
        rule: Rule,
        /// Why each channel cannot be used, where it was looked at.
        steps: Vec<Step>,
    },
    /// Do not send it: it is too late.
    Expire,
}

/// What is to be counted with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// The place that it takes.
    pub at: Option<Millis>,
    /// Counts for its category only.
    pub alone: bool,
    /// The content that it tells.
    pub content: Option<Uuid>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub outcome: Decided,
    /// The facts it was decided on.
    pub facts: FactVersions,
    /// What is to be counted in the same commit.
    pub count: Option<Counting>,
}

impl Decision {
    /// The rule that it rests on: of the first delivery, or of what stopped it.
    pub fn rule(&self) -> Rule {
        match &self.outcome {
            Decided::Defer { rule, .. } | Decided::Digest { rule, .. } | Decided::Suppress { rule, .. } => *rule,
            Decided::Expire => Rule::Expired,
            Decided::Deliver { steps, .. } => {
                steps.iter().find_map(|step| if let Step::Deliver { rule, .. } = step { Some(*rule) } else { None }).unwrap_or(Rule::DefaultOptIn)
            }
        }
    }
}
