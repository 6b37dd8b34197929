//! What a provider's answer to one attempt means: a small closed set, so that nothing beyond
//! the provider's own file knows its wire format.

use super::Millis;
use std::time::Duration;

/// The outcome of one provider call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took responsibility for it.
    Accepted {
        /// The provider's id for the message, where it gives one.
        provider_id: Option<String>,
    },
    /// Transient: try again, after at least this long where the provider says so.
    Retry {
        /// The provider's own wish (`Retry-After`).
        after: Option<Duration>,
        /// Stable short code, e.g. `503 UNAVAILABLE`; no personal data.
        code: String,
    },
    /// Too fast. Consumes no attempt; the scope is paused.
    Throttled {
        /// The provider's own wish.
        after: Option<Duration>,
        /// What is to be paused.
        scope: ThrottleScope,
        /// Stable short code.
        code: String,
    },
    /// This address will not work; others may.
    BadAddress {
        /// In which way.
        kind: BadAddress,
        /// The address is bad only if it was registered before this moment.
        as_of: Option<Millis>,
        /// Stable short code.
        code: String,
    },
    /// Will never work as it is.
    Permanent {
        /// Stable short code.
        code: String,
    },
    /// Our credentials or settings are wrong: the scope is paused, the work kept.
    Misconfigured {
        /// What is wrong.
        scope: Misconfigured,
        /// Stable short code.
        code: String,
    },
    /// Bytes were sent and no verdict came: it may or may not have been delivered.
    Unknown {
        /// Stable short code.
        code: String,
    },
    /// The call was not begun (a slot or the time was missing). Consumes no attempt.
    NotMade {
        /// Stable short code.
        code: String,
    },
}

/// What a throttled answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// This address only.
    Recipient,
    /// The whole provider.
    Provider,
}

/// In which way an address is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAddress {
    /// It no longer exists; drop it.
    Dead,
    /// It cannot take this kind of message (wrong app or environment); kept, marked.
    Unsupported,
    /// It refuses for now (mailbox full) and did so for too long.
    SoftFail,
}

/// What is misconfigured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misconfigured {
    /// Key, token, password.
    Credential,
    /// From-address, topic or sender id.
    Sender,
}
