//! Accepting notifications: gather the facts, decide once, commit; answer when it is durable.
//!
//! The facts (recipient, subscription, category) come from caches; their sequences are
//! expectations of the commit, so a decision on stale ones is refused by the log and made anew.

mod facts;
mod request;
#[cfg(test)]
mod tests;

pub use facts::{Facts, FactsSettings, Gathered, category_stream, recipient_stream, subscription_stream};
pub use request::{Accepted, LONGEST_KEY, Refusal, SendRequest};

use crate::bus::{Bus, Refused};
use crate::failpoint;
use crate::log::{Commit, CommitOutcome, Hashing, Lane, LogError, Metadata, StreamAppend};
use crate::ports::{Clock, Random};
use domain::aggregate::Aggregate;
use domain::notification::{Accept, Notification, NotificationCommand, NotificationEvent, NotificationRefusal};
use domain::policy::deciding::{self, Ask, Decided, Decision};
use domain::values::{NotificationId, Priority, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;

/// Times that a request is decided anew because its facts changed meanwhile.
const ROUNDS: usize = 8;

/// See the module.
#[derive(Clone)]
pub struct Acceptor {
    bus: Bus,
    facts: Arc<Facts>,
    hashing: Hashing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

/// A request on its way.
struct Open {
    index: usize,
    id: NotificationId,
    recipient: RecipientId,
    request: SendRequest,
}

impl Acceptor {
    /// Puts the parts together.
    pub fn new(bus: Bus, facts: Arc<Facts>, hashing: Hashing, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { bus, facts, hashing, clock, random }
    }

    /// Accepts a list, each on its own merits; the answers are in the order of the requests.
    /// An error means that nothing is known to be accepted: ask again with the same keys.
    pub async fn accept(&self, metadata: &Arc<Metadata>, requests: Vec<SendRequest>) -> Result<Vec<Result<Accepted, Refusal>>, LogError> {
        let mut answers: Vec<Option<Result<Accepted, Refusal>>> = requests.iter().map(|_| None).collect();
        let now = self.clock.now();
        let mut open: Vec<Open> = Vec::with_capacity(requests.len());
        for (index, request) in requests.into_iter().enumerate() {
            match request.check(now) {
                Err(refusal) => set(&mut answers, index, Err(refusal)),
                Ok(()) => {
                    let id = match &request.idempotency_key {
                        // Known to this process only.
                        Some(key) if failpoint::planted("dedup-in-memory") => {
                            self.hashing.notification(&request.sender, request.sandbox, &format!("{key} {}", std::process::id()))
                        }
                        Some(key) => self.hashing.notification(&request.sender, request.sandbox, key),
                        None => NotificationId(self.random.id(now)),
                    };
                    let recipient = self.hashing.recipient(&request.recipient);
                    open.push(Open { index, id, recipient, request });
                }
            }
        }
        self.facts.prefetch(&self.bus, open.iter().map(|item| item.recipient)).await?;
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            open = self.round(metadata, open, &mut answers).await?;
        }
        for left in open {
            set(&mut answers, left.index, Err(Refusal::Contended));
        }
        Ok(answers.into_iter().map(|answer| answer.unwrap_or(Err(Refusal::Contended))).collect())
    }

    /// Decides and commits; returns what has to be decided anew.
    async fn round(&self, metadata: &Arc<Metadata>, open: Vec<Open>, answers: &mut [Option<Result<Accepted, Refusal>>]) -> Result<Vec<Open>, LogError> {
        let mut submitted = Vec::with_capacity(open.len());
        let mut commits = Vec::with_capacity(open.len());
        for item in open {
            match self.decide(metadata, &item).await {
                Ok(commit) => {
                    commits.push(commit);
                    submitted.push(item);
                }
                Err(Refused::Refusal(refusal)) => set(answers, item.index, Err(refusal)),
                Err(Refused::Log(error)) => return Err(error),
                Err(Refused::Contended) => set(answers, item.index, Err(Refusal::Contended)),
            }
        }
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let lane = if commits.iter().all(is_critical) { Lane::Urgent } else { Lane::Request };
        let outcomes = self.bus.committer().commit(lane, commits).await?;
        let mut again = Vec::new();
        for (item, outcome) in submitted.into_iter().zip(outcomes) {
            match outcome {
                CommitOutcome::Committed { position, recorded } => {
                    let requested = recorded.first().map_or(position, |event| event.position);
                    set(answers, item.index, Ok(Accepted { id: item.id, position: requested, visible_at: position, duplicate: false }));
                }
                CommitOutcome::Conflict { stream } if stream.kind == AggregateKind::Notification => {
                    let answer = self.repeat(metadata, &item).await?;
                    set(answers, item.index, answer);
                }
                CommitOutcome::Conflict { stream } => {
                    self.facts.forget(stream);
                    again.push(item);
                }
            }
        }
        Ok(again)
    }

    async fn decide(&self, metadata: &Arc<Metadata>, item: &Open) -> Result<Commit, Refused<Refusal>> {
        let recipient = item.recipient;
        let facts = self.facts.gather(&self.bus, recipient, &item.request.category).await?;
        if !facts.recipient.state.exists {
            return Err(Refused::Refusal(Refusal::UnknownRecipient));
        }
        if facts.recipient.state.erased {
            return Err(Refused::Refusal(Refusal::ErasedRecipient));
        }
        if !facts.category.state.exists {
            return Err(Refused::Refusal(Refusal::UnknownCategory));
        }
        let stream = StreamId::new(AggregateKind::Notification, item.id.0);
        // A repeat is answered however late; what is over when it is first asked for is not taken.
        if item.request.expires_at.is_some_and(|at| at <= self.clock.now()) && self.bus.log().stream_number(stream).await?.is_none() {
            return Err(Refused::Refusal(Refusal::Expired));
        }
        let now = self.clock.now();
        let requested = item.request.requested(recipient, &facts, &self.hashing, now);
        let ask = Ask {
            channels: requested.channels.as_deref(),
            expires_at: requested.expires_at,
            plan: requested.plan.as_ref(),
            ..Ask::plain(&requested.category, requested.priority)
        };
        let known = deciding::Facts {
            category: &facts.category.state,
            recipient: &facts.recipient.state,
            subscription: &facts.subscription.state,
            frequency: None,
            overall: &[],
            suppressed: &|_| false,
            collecting_window: 1,
            versions: facts.versions(),
        };
        let decision = deciding::decide(&ask, &known, now);
        let accept = NotificationCommand::Accept(Box::new(Accept { requested, decision }));
        // A new notification has the default state; whether it is new, the log says.
        let events = match Notification::default().decide(accept) {
            Ok(events) => events.into_iter().map(Fact::from).collect(),
            Err(_) => return Err(Refused::Refusal(Refusal::IdempotencyConflict)),
        };
        Ok(Commit {
            metadata: Arc::clone(metadata),
            appends: vec![StreamAppend { stream, number: None, expected: 0, events }],
            expectations: facts.expectations(),
        })
    }

    /// The notification exists already: the same request again, or another under the same key.
    async fn repeat(&self, metadata: &Arc<Metadata>, item: &Open) -> Result<Result<Accepted, Refusal>, LogError> {
        let stream = StreamId::new(AggregateKind::Notification, item.id.0);
        let mut promise = None;
        for _ in 0..ROUNDS {
            let events = self.bus.log().read_stream(stream, 0, false).await?;
            let Some(first) = events.first() else {
                return Ok(Err(Refusal::Contended));
            };
            let notification = Notification::replay(events.iter().filter_map(|event| match &event.fact {
                Fact::Notification(event) => Some(event),
                _ => None,
            }));
            // The fingerprint covers what was asked, not the facts it was decided on.
            let requested = item.request.requested(item.recipient, &Gathered::default(), &self.hashing, self.clock.now());
            let accepted = Accepted { id: item.id, position: first.position, visible_at: first.position, duplicate: true };
            let decision = Decision { outcome: Decided::Expire, facts: domain::values::FactVersions::default(), count: None };
            match notification.decide(NotificationCommand::Accept(Box::new(Accept { requested, decision }))) {
                Err(NotificationRefusal::IdempotencyConflict) => {
                    return Ok(Err(Refusal::IdempotencyConflict));
                }
                Err(_) => return Ok(Err(Refusal::Contended)),
                Ok(events_) if events_.is_empty() => return Ok(Ok(accepted)),
                Ok(decided) => {
                    promise = Some(accepted);
                    let append = StreamAppend {
                        stream,
                        number: Some(first.number),
                        expected: events.len() as u64,
                        events: decided.into_iter().map(NotificationEvent::into).collect(),
                    };
                    let commit = Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations: Vec::new() };
                    let outcomes = self.bus.committer().commit(Lane::Request, vec![commit]).await?;
                    if matches!(outcomes.first(), Some(CommitOutcome::Committed { .. })) {
                        return Ok(Ok(accepted));
                    }
                }
            }
        }
        // Many repeats at once: the promise holds all the same, only this one goes unrecorded.
        Ok(promise.ok_or(Refusal::Contended))
    }
}

/// Whether it asks for something critical, which gets through when all else is refused.
fn is_critical(commit: &Commit) -> bool {
    let critical = |fact: &Fact| matches!(fact, Fact::Notification(NotificationEvent::Requested(requested)) if requested.priority == Priority::Critical);
    commit.appends.iter().flat_map(|append| &append.events).any(critical)
}

fn set(answers: &mut [Option<Result<Accepted, Refusal>>], index: usize, answer: Result<Accepted, Refusal>) {
    if let Some(slot) = answers.get_mut(index) {
        *slot = Some(answer);
    }
}
