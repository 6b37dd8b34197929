//! An explanation as data.

use super::Outcome;
use commands::log::Sequence;
use domain::AggregateKind;
use domain::notification::DeliveryState;
use domain::values::{AddressId, Channel, DeliveryNo, Millis, NotificationId, Rule};

/// Why a notification came, or did not.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The notification.
    pub id: NotificationId,
    /// What became of it, in a word.
    pub outcome: Outcome,
    /// The same in a sentence, with its reason.
    pub sentence: String,
    /// Nothing more happens by itself.
    pub over: bool,
    /// The recipient was erased since: personal parts can no longer be read by anybody.
    pub erased: bool,
    /// What happened, in order.
    pub steps: Vec<ExplainedStep>,
    /// The notification on each channel and address.
    pub deliveries: Vec<ExplainedDelivery>,
}

/// An event of the notification.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedStep {
    /// Its place in the notification's story, from 1.
    pub sequence: Sequence,
    /// When (ms since the epoch).
    pub at: Millis,
    /// The event's name.
    pub event: &'static str,
    /// The delivery that it is about.
    pub delivery: Option<DeliveryNo>,
    /// The channel that it is about.
    pub channel: Option<Channel>,
    /// The rule that decided.
    pub rule: Option<Rule>,
    /// Version of the rules.
    pub rules_version: Option<u16>,
    /// What the decision saw; the decisive one first.
    pub facts: Vec<ExplainedFact>,
    /// The event as JSON, without what is sealed: its inputs and the provider's answer.
    pub detail: String,
    /// In words.
    pub sentence: String,
}

/// A fact that a decision saw.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedFact {
    /// Whose stream holds it.
    pub kind: AggregateKind,
    /// The place in that stream up to which the decision had read; 0: it did not exist.
    pub sequence: Sequence,
    /// Since when it was so (ms since the epoch), where one event says it.
    pub at: Option<Millis>,
    /// Who said so: `recipient`, `sender`, `administrator`, `import` or `system`.
    pub by: Option<&'static str>,
    /// By which way: `api`, `one_click` ….
    pub source: Option<String>,
    /// Another notification that it is about: an earlier one of the same content, a summary.
    pub notification: Option<NotificationId>,
    /// The decision turned on it.
    pub decisive: bool,
    /// In words.
    pub sentence: String,
}

impl ExplainedFact {
    /// One without a moment.
    pub(super) const fn new(kind: AggregateKind, sequence: Sequence, sentence: String) -> Self {
        Self { kind, sequence, at: None, by: None, source: None, notification: None, decisive: false, sentence }
    }
}

/// The notification on one channel to one address.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedDelivery {
    /// Number within the notification.
    pub number: DeliveryNo,
    /// The channel.
    pub channel: Channel,
    /// Id of the device or address; never the address itself.
    pub address: Option<AddressId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// The provider that was called last.
    pub provider: Option<String>,
    /// Calls so far.
    pub attempts: u32,
    /// The provider's last answer as a short stable code.
    pub code: Option<String>,
    /// In words.
    pub sentence: String,
}
