//! Why a category says no.

use crate::values::{DigestError, LimitError, PlanError, SentFromError};

/// Refusals of a category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CategoryRefusal {
    /// People have to recognise it.
    #[error("a category's name has 1 to 100 characters, its description at most 1000, without control characters")]
    Text,
    /// It could reach nobody.
    #[error("a category has at least one default channel")]
    NoChannels,
    /// Security and legal notices reach everybody.
    #[error("a required category reaches everybody, so it cannot be opt-in; let it be subscribed by default, or not required")]
    RequiredOptIn,
    /// See the plan's rules.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// See the limits' rules.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// See the rules of digests.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// There is nothing to collect it in.
    #[error("what is over the limit is to join a digest, but the category has no digest settings; give them, or choose to hold or suppress")]
    NoDigest,
    /// Out of bounds.
    #[error("a dedup window has one second to seven days; leave it out for none")]
    DedupWindow,
    /// Out of bounds.
    #[error("a time to live has one second to 366 days; leave it out for none")]
    TimeToLive,
    /// See [`SentFrom::check`](crate::values::SentFrom::check).
    #[error(transparent)]
    From(#[from] SentFromError),
}
