//! What a sender asks for, and what it is told.

use super::facts::Gathered;
use crate::log::{Hashing, Position};
use base64::Engine as _;
use domain::event::Personal;
use domain::notification::Requested;
use domain::policy::deciding::plan_of;
use domain::values::{CategoryKey, Channel, Content, ContentError, Millis, NotificationId, Priority, RecipientId, SenderKey};

/// Longest idempotency key and recipient id, in bytes.
pub const LONGEST_KEY: usize = 255;

/// One notification to one recipient, as asked for.
#[derive(Clone)]
pub struct SendRequest {
    /// Who asks.
    pub sender: SenderKey,
    /// With a sandbox key.
    pub sandbox: bool,
    /// For whom, by the sender's own id.
    pub recipient: String,
    /// Which kind.
    pub category: CategoryKey,
    /// Over which channels; none: the category's.
    pub channels: Option<Vec<Channel>>,
    /// How urgent; none: the category's.
    pub priority: Option<Priority>,
    /// Makes repeats harmless.
    pub idempotency_key: Option<String>,
    /// What to tell.
    pub content: Content,
    /// Worth nothing after this.
    pub expires_at: Option<Millis>,
}

/// Without the sender's own ids, which may be people's addresses.
impl std::fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendRequest").field("sender", &self.sender).field("category", &self.category).field("content", &self.content).finish_non_exhaustive()
    }
}

/// A promise: it is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: NotificationId,
    /// Of its `Requested`; the same for a repeat.
    pub position: Position,
    /// From here on queries can show it.
    pub visible_at: Position,
    /// It had been accepted before.
    pub duplicate: bool,
}

/// Why it was not accepted; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The idempotency key.
    #[error("an idempotency key has 1 to {LONGEST_KEY} bytes")]
    IdempotencyKey,
    /// The same key, another request.
    #[error("this idempotency key was used for another notification; use a new key for new content")]
    IdempotencyConflict,
    /// No such recipient.
    #[error("there is no recipient of this id; create it with upsertRecipient")]
    UnknownRecipient,
    /// Erased.
    #[error("this recipient was erased and cannot be notified")]
    ErasedRecipient,
    /// No such category.
    #[error("there is no category of this key; an administrator creates it with defineCategory")]
    UnknownCategory,
    /// An empty list of channels.
    #[error("channels is an empty list; leave it out to use the category's channels")]
    NoChannels,
    /// Already over.
    #[error("expiresAt is in the past")]
    Expired,
    /// The facts changed again and again.
    #[error("too many changes of the same recipient at the same time; try again")]
    Contended,
}

impl SendRequest {
    /// Checks what can be checked without any facts.
    pub(super) fn check(&self, now: Millis) -> Result<(), Refusal> {
        self.content.check()?;
        if self.idempotency_key.as_ref().is_some_and(|key| !(1..=LONGEST_KEY).contains(&key.len())) {
            return Err(Refusal::IdempotencyKey);
        }
        if self.channels.as_ref().is_some_and(Vec::is_empty) {
            return Err(Refusal::NoChannels);
        }
        if self.expires_at.is_some_and(|at| at <= now) && self.idempotency_key.is_none() {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    /// The event that records it.
    pub(super) fn requested(&self, recipient: RecipientId, facts: &Gathered, hashing: &Hashing, now: Millis) -> Requested {
        Requested {
            sender: self.sender.clone(),
            recipient,
            category: self.category.clone(),
            priority: self.priority.unwrap_or(facts.category.state.priority),
            channels: self.channels.clone(),
            fingerprint: self.fingerprint(recipient, hashing),
            sandbox: self.sandbox,
            expires_at: facts.category.state.expiry(self.expires_at, now),
            not_before: None,
            topic: None,
            digest: None,
            plan: plan_of(None, self.channels.is_some(), &facts.category.state).cloned(),
            category_version: facts.category.state.version,
            origin: None,
            personal: Personal::Known(self.content.clone()),
        }
    }

    fn fingerprint(&self, recipient: RecipientId, hashing: &Hashing) -> String {
        let optional = |text: &Option<String>| text.as_ref().map_or_else(|| vec![0], |text| [&[1], text.as_bytes()].concat());
        let channels: Option<Vec<u8>> = self.channels.as_ref().map(|channels| {
            let mut numbers: Vec<u8> = channels.iter().map(|channel| channel.number()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        });
        let content = &self.content;
        let hash = hashing.hash(&[
            b"fingerprint/1",
            recipient.0.as_bytes(),
            self.category.as_str().as_bytes(),
            &channels.map_or_else(|| vec![0], |channels| [vec![1], channels].concat()),
            &[self.priority.map_or(255, Priority::rank)],
            &self.expires_at.unwrap_or(0).to_le_bytes(),
            content.body.as_bytes(),
            &optional(&content.title),
            &optional(&content.html),
            &optional(&content.data),
            &optional(&content.collapse_key),
            &optional(&content.metadata),
        ]);
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(&hash[..15])
    }
}
