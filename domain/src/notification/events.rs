//! Events of a notification.

use crate::event::Personal;
use crate::template::TemplateUse;
use crate::values::{
    AddressId, CategoryKey, Channel, ChannelPlan, Content, DeliveryNo, DigestId, FactVersions, Millis, Origin, Priority, RecipientId, Rule, SenderKey,
    TextCost, TopicKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::receipt_events::*;
pub use super::waiting_events::*;

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A sender asked for it and was promised it: the answer was given after this was durable.
/// Version 1 had no time, topic, digest, plan or origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// Who asked.
    pub sender: SenderKey,
    /// For whom.
    pub recipient: RecipientId,
    /// Which kind.
    pub category: CategoryKey,
    /// How urgent.
    pub priority: Priority,
    /// Channels that were asked for; absent: the category's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
    /// Keyed hash of the whole request: tells a repeat from another request with the same key.
    pub fingerprint: String,
    /// Asked with a sandbox key: everything happens but the provider call.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sandbox: bool,
    /// Worth nothing after this moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// Not to be sent before this moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// The topic that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicKey>,
    /// The digest that collects it if it is to be collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestId>,
    /// The channel plan that it follows: its own, else the category's as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<ChannelPlan>,
    /// The version of the category that it was decided under; absent: not recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub category_version: u32,
    /// What made it, where that was no request of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The template that its content is made from; then the sealed content holds the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Box<TemplateUse>>,
    /// Sealed: the content.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<Content>,
}

impl Requested {
    /// A request that says no more than it has to: of normal priority, over its category's channels, at once.
    pub fn plain(sender: SenderKey, recipient: RecipientId, category: CategoryKey, personal: Personal<Content>) -> Self {
        Self {
            sender,
            recipient,
            category,
            priority: Priority::Normal,
            channels: None,
            fingerprint: String::new(),
            sandbox: false,
            expires_at: None,
            not_before: None,
            topic: None,
            digest: None,
            plan: None,
            category_version: 1,
            origin: None,
            template: None,
            personal,
        }
    }
}

/// The same request came again and was answered with the same id. Recorded a bounded number of
/// times, so that a client's retry loop cannot grow the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deduplicated {
    /// How many repeats have been recorded, this one included.
    pub repeats: u32,
}

/// Decided: it goes out over this channel to this address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Queued {
    /// Number of the delivery within the notification.
    pub delivery: DeliveryNo,
    /// The channel.
    pub channel: Channel,
    /// The address; absent for channels without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressId>,
    /// The rule that allowed it.
    pub rule: Rule,
    /// Version of the rules.
    pub rules: u16,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}

/// Decided: not over this channel or to this address, or, where it was queued, not any more.
/// Version 1 had no `address`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressed {
    /// The delivery that ends, where it was queued before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryNo>,
    /// The channel; absent where the notification as a whole was suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The address, where the channel's other addresses are not concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressId>,
    /// The rule that forbade it.
    pub rule: Rule,
    /// Version of the rules.
    pub rules: u16,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}

/// The provider is about to be called: recorded before the call, so that a crash cannot hide it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptStarted {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The provider, by its configured name.
    pub provider: String,
    /// A repeat after an attempt of unknown outcome: the recipient may see it twice.
    #[serde(default, skip_serializing_if = "is_false")]
    pub after_unknown: bool,
    /// Whom the message comes from, where its category or its sender says so and the provider may; absent: as
    /// configured for the provider. An address or number of ours, not personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// The provider took responsibility. An end of the delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt; 0 for channels without provider.
    pub attempt: u32,
    /// The provider's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Of a text message: its segments and what they cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<TextCost>,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// May work later.
    Transient,
    /// The address does not work.
    BadAddress,
    /// Never works as it is.
    Permanent,
}

/// An attempt came to nothing; what follows is a `RetryScheduled`, `Failed` or `DeadLettered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptFailed {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt.
    pub attempt: u32,
    /// In which way.
    pub class: FailureClass,
    /// The provider's answer as a short stable code.
    pub code: String,
}

/// Nobody knows whether the attempt reached the provider: the answer was lost, or we crashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptUnknown {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt.
    pub attempt: u32,
    /// What happened, as a short stable code.
    pub code: String,
}

/// Why an attempt did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The provider said «too fast».
    Throttled,
    /// Our credentials or settings are wrong; the provider is paused until they work.
    Misconfigured,
    /// The call was not begun in time after its record.
    NotMade,
}

/// The attempt does not count, the delivery is kept and tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt that did not count.
    pub attempt: u32,
    /// Why.
    pub reason: HoldReason,
    /// The provider's answer as a short stable code.
    pub code: String,
    /// Not before this moment (ms since the epoch).
    pub until: Millis,
}

/// The next attempt is due at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryScheduled {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// When (ms since the epoch).
    pub due: Millis,
    /// The attempt before had an unknown outcome.
    #[serde(default, skip_serializing_if = "is_false")]
    pub after_unknown: bool,
}

/// It will not be delivered. An end of the delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// In which way.
    pub class: FailureClass,
    /// The provider's answer as a short stable code.
    pub code: String,
    /// The address is bad only if it was registered before this moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Millis>,
    /// The provider reported the address dead: it is dropped from the recipient.
    #[serde(default, skip_serializing_if = "is_false")]
    pub address_dead: bool,
}

/// Retries are exhausted; a person decides. An end of the delivery until it is redriven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLettered {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Attempts that were made.
    pub attempts: u32,
    /// The last answer as a short stable code.
    pub code: String,
    /// The last outcome was unknown: it may have been delivered.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unknown: bool,
}

/// A person tries a dead letter again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Redriven {
    /// The delivery.
    pub delivery: DeliveryNo,
}

/// A person gave a dead letter up. An end of the delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Discarded {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The person's words; an operator's note, not personal.
    pub reason: String,
}

/// The sender took it back before the provider was called. An end of the delivery. Version 1 was
/// always about one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// The delivery; absent: the notification as a whole, while it waited or was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryNo>,
}

/// The sender took it back while a call was under way, which cannot be undone: that call is its last. Its outcome
/// follows, and then an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CancelRequested {
    /// The delivery.
    pub delivery: DeliveryNo,
}

/// Too late to be worth sending. An end of the delivery. Version 1 was always about one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// The delivery; absent: the notification as a whole, before anything was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryNo>,
}

/// Shown to the recipient, on whatever device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {}

/// Read by the recipient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Read {}

/// Put away by the recipient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Archived {}

crate::personal_body!(Requested, subject = recipient);
crate::plain_bodies!(
    Deduplicated,
    Queued,
    Suppressed,
    AttemptStarted,
    Sent,
    AttemptFailed,
    AttemptUnknown,
    Held,
    RetryScheduled,
    Failed,
    DeadLettered,
    Redriven,
    Discarded,
    Cancelled,
    CancelRequested,
    Expired,
    Seen,
    Read,
    Archived,
    Deferred,
    Released,
    Digested,
    StepScheduled,
    StepTaken,
    StepSkipped,
    Postponed,
    Delivered,
    Bounced,
    Complained,
    Opened,
    Clicked,
);
crate::events! {
    /// What can have happened to a notification.
    NotificationEvent of Notification {
        Requested = 2, Deduplicated = 1, Queued = 1, Suppressed = 2, AttemptStarted = 1, Sent = 1,
        AttemptFailed = 1, AttemptUnknown = 1, Held = 1, RetryScheduled = 1, Failed = 1,
        DeadLettered = 1, Redriven = 1, Discarded = 1, Cancelled = 2, CancelRequested = 1, Expired = 2, Seen = 1,
        Read = 1, Archived = 1, Deferred = 1, Released = 1, Digested = 1, StepScheduled = 1,
        StepTaken = 1, StepSkipped = 1, Postponed = 1, Delivered = 1, Bounced = 1, Complained = 1,
        Opened = 1, Clicked = 1,
    }
}
