//! What was considered on the way to an answer. The hot path considers without saying so: `()` is
//! a trace that costs nothing.

use crate::values::{AddressId, Channel, Millis, Rule};

/// The questions, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Does the recipient exist any more?
    Erased,
    /// Is it too late?
    Expired,
    /// Was the same content told lately?
    Content,
    /// Is it too early?
    NotBefore,
    /// Does the person want it over this channel?
    Consent,
    /// May this address be used?
    Address,
    /// Is anything left over which to reach them?
    Reach,
    /// May they be disturbed?
    Quiet,
    /// Is there a free place?
    Limits,
    /// Is it collected?
    Digest,
    /// Nothing stopped it.
    Deliver,
}

impl Question {
    /// The name in queries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Expired => "expired",
            Self::Content => "content",
            Self::NotBefore => "not_before",
            Self::Consent => "consent",
            Self::Address => "address",
            Self::Reach => "reach",
            Self::Quiet => "quiet",
            Self::Limits => "limits",
            Self::Digest => "digest",
            Self::Deliver => "deliver",
        }
    }
}

/// What a question came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Nothing against it.
    Passes,
    /// This stops it, here or altogether.
    Stops,
}

/// One question and what it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Considered {
    /// The question.
    pub question: Question,
    /// What it came to.
    pub finding: Finding,
    /// By which rule.
    pub rule: Option<Rule>,
    /// About which channel.
    pub channel: Option<Channel>,
    /// About which address.
    pub address: Option<AddressId>,
    /// The moment that it turned on: expiry, end of quiet hours, next free place.
    pub moment: Option<Millis>,
}

/// Takes down what is considered.
pub(super) trait Trace {
    fn note(&mut self, considered: Considered);

    fn passes(&mut self, question: Question, rule: Option<Rule>) {
        self.note(Considered { question, finding: Finding::Passes, rule, channel: None, address: None, moment: None });
    }

    fn stops(&mut self, question: Question, rule: Rule, moment: Option<Millis>) {
        self.note(Considered { question, finding: Finding::Stops, rule: Some(rule), channel: None, address: None, moment });
    }
}

impl Trace for () {
    fn note(&mut self, _: Considered) {}
}

impl Trace for Vec<Considered> {
    fn note(&mut self, considered: Considered) {
        self.push(considered);
    }
}
