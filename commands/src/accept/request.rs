//! What a sender asks for, and what it is told.

use super::binding::{Unusable, bound, usable};
use super::fingerprint::fingerprint;
use super::gathered::Gathered;
use crate::attachments::Unattachable;
use crate::log::{Hashing, Position};
use domain::calendar::{LocalDateTime, TimeZone};
use domain::event::Personal;
use domain::notification::Requested;
use domain::policy::deciding::{Ask, plan_of, zone_of};
use domain::values::{
    CategoryKey, Channel, ChannelPlan, Content, ContentError, DAY_MS, Millis, NotificationId, PlanError, Priority, RecipientId, SenderKey, TopicKey,
};
use uuid::Uuid;

/// Longest idempotency key and recipient id, in bytes.
pub const LONGEST_KEY: usize = 255;

/// How far ahead a notification can be asked for (ms).
const FARTHEST: Millis = 366 * DAY_MS;

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
    /// Not to be sent before.
    pub not_before: Option<Millis>,
    /// The same by the recipient's clock, in the zone where they are when it is accepted.
    pub local_time: Option<LocalDateTime>,
    /// What it is about, for those who subscribe to topics.
    pub topic: Option<TopicKey>,
    /// Which digest of the category collects it, by the sender's own name; none: the one of all that
    /// name none.
    pub digest_key: Option<String>,
    /// Over which channels first, and over which later; none: the channels, or the category's plan.
    pub plan: Option<ChannelPlan>,
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
    /// Two answers to one question.
    #[error("give channels or a plan, not both; the steps of a plan name their channels")]
    PlanAndChannels,
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Two answers to one question.
    #[error("give sendAt or localTime, not both")]
    TwoTimes,
    /// Out of bounds.
    #[error("a notification can be asked for at most 366 days ahead; give an earlier time")]
    TooFarAhead,
    /// It could never be sent.
    #[error("expiresAt is not after sendAt, so it could never be sent; give a later expiry or an earlier time")]
    ExpiresTooEarly,
    /// The digest's name.
    #[error("a digest key has 1 to {LONGEST_KEY} bytes")]
    DigestKey,
    /// The template.
    #[error(transparent)]
    Template(#[from] Unusable),
    /// A file.
    #[error(transparent)]
    Attachment(#[from] Unattachable),
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
        if let Some(plan) = &self.plan {
            if self.channels.is_some() {
                return Err(Refusal::PlanAndChannels);
            }
            plan.check()?;
        }
        if self.digest_key.as_ref().is_some_and(|key| !(1..=LONGEST_KEY).contains(&key.len())) {
            return Err(Refusal::DigestKey);
        }
        self.check_time(now)?;
        if self.expires_at.is_some_and(|at| at <= now) && self.idempotency_key.is_none() {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    fn check_time(&self, now: Millis) -> Result<(), Refusal> {
        if self.not_before.is_some() && self.local_time.is_some() {
            return Err(Refusal::TwoTimes);
        }
        // Where the recipient is does not matter for these bounds.
        let moment = self.not_before.or_else(|| self.local_time.map(|local| TimeZone::default().moment(local)));
        if moment.is_some_and(|at| at > now.saturating_add(FARTHEST)) {
            return Err(Refusal::TooFarAhead);
        }
        if let (Some(from), Some(until)) = (self.not_before, self.expires_at)
            && until <= from
        {
            return Err(Refusal::ExpiresTooEarly);
        }
        Ok(())
    }

    /// Whether it can be made from its template, where it names one.
    pub(super) fn bindable(&self, facts: &Gathered) -> Result<(), Unusable> {
        match (&facts.template, &self.content.parameters) {
            (Some((_, template)), parameters) => usable(&template.state, &self.sender, parameters.as_deref().unwrap_or("{}")),
            (None, _) => Ok(()),
        }
    }

    /// The event that records it.
    pub(super) fn requested(&self, recipient: RecipientId, facts: &Gathered, hashing: &Hashing, now: Millis) -> Requested {
        let category = &facts.category.state;
        let not_before = self.not_before.or_else(|| self.local_time.map(|local| zone_of(&facts.recipient.state).moment(local)));
        let digest = category.digest.as_ref().map(|_| hashing.digest(recipient, &self.category, &self.sender, self.sandbox, self.digest_key.as_deref()));
        Requested {
            sender: self.sender.clone(),
            recipient,
            category: self.category.clone(),
            priority: self.priority.unwrap_or(category.priority),
            channels: self.channels.clone(),
            fingerprint: fingerprint(self, recipient, hashing),
            sandbox: self.sandbox,
            expires_at: category.expiry(self.expires_at, not_before.map_or(now, |at| at.max(now))),
            not_before,
            topic: self.topic.clone(),
            digest,
            plan: plan_of(self.plan.as_ref(), self.channels.is_some(), category).cloned(),
            category_version: category.version,
            origin: None,
            template: facts.template.as_ref().and_then(|(_, template)| bound(&template.state, recipient, &facts.recipient.state)).map(Box::new),
            personal: Personal::from(Content { template: None, ..self.content.clone() }),
        }
    }
}

/// The question that a request puts when it is new. `content` is the hash of its content, where its
/// category has a dedup window.
pub(crate) fn question(requested: &Requested, content: Option<Uuid>) -> Ask<'_> {
    Ask {
        channels: requested.channels.as_deref(),
        topic: requested.topic.as_ref(),
        not_before: requested.not_before,
        expires_at: requested.expires_at,
        digest: requested.digest,
        plan: requested.plan.as_ref(),
        content,
        ..Ask::plain(&requested.category, requested.priority)
    }
}
