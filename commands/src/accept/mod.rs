//! Accepting notifications: gather the facts, decide once, commit; answer when it is durable.
//!
//! The facts (recipient, subscription, category) come from caches; their sequences are
//! expectations of the commit, so a decision on stale ones is refused by the log and made anew.

mod binding;
mod chain;
mod facts;
mod fingerprint;
mod gathered;
mod preview;
mod request;
#[cfg(test)]
pub(crate) mod tests;
mod turns;

pub use binding::{Unusable, usable};
pub(crate) use binding::{bound, sendable};
pub(crate) use chain::{Chain, Question, Sources};
pub(crate) use facts::folded;
pub use facts::{Facts, FactsSettings};
pub use gathered::{Gathered, address_stream, category_stream, digest_stream, frequency_stream, recipient_stream, subscription_stream, template_stream};
pub(crate) use request::question;
pub use request::{Accepted, LONGEST_KEY, Refusal, SendRequest};

use crate::attachments::{Attachments, Unattachable};
use crate::bus::{Bus, Refused};
use crate::failpoint;
use crate::log::{Commit, CommitOutcome, Hashing, Lane, LogError, Metadata, StreamAppend};
use crate::ports::{Clock, Random};
use domain::aggregate::Aggregate;
use domain::event::Personal;
use domain::notification::{Accept, Notification, NotificationCommand, NotificationEvent, NotificationRefusal, Requested};
use domain::policy::deciding::{self, Ask, Decided, Decision};
use domain::values::{Limit, Millis, NotificationId, Priority, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Times that a request is decided anew because its facts changed meanwhile.
const ROUNDS: usize = 8;

/// What deciding rests on besides facts.
#[derive(Debug, Clone, Default)]
pub struct AcceptorSettings {
    /// How many a recipient may get over all categories together.
    pub overall: Vec<Limit>,
}

/// See the module.
#[derive(Clone)]
pub struct Acceptor {
    bus: Bus,
    facts: Arc<Facts>,
    hashing: Hashing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    overall: Arc<[Limit]>,
    attachments: Option<Attachments>,
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

/// A request with the facts to decide it on.
struct Prepared {
    item: Open,
    facts: Gathered,
    requested: Requested,
    /// Hash of its content, where its category has a dedup window.
    content: Option<Uuid>,
}

impl Prepared {
    fn question(&self) -> Question<'_> {
        Question {
            ask: self.ask(),
            notification: self.item.id,
            recipient: self.item.recipient,
            sender: &self.requested.sender,
            sandbox: self.requested.sandbox,
        }
    }

    fn ask(&self) -> Ask<'_> {
        question(&self.requested, self.content)
    }
}

impl Acceptor {
    /// Puts the parts together.
    pub fn new(bus: Bus, facts: Arc<Facts>, hashing: Hashing, clock: Arc<dyn Clock>, random: Arc<dyn Random>, settings: AcceptorSettings) -> Self {
        Self { bus, facts, hashing, clock, random, overall: settings.overall.into(), attachments: None }
    }

    /// Takes files too.
    #[must_use]
    pub fn with(self, attachments: Attachments) -> Self {
        Self { attachments: Some(attachments), ..self }
    }

    /// The facts that it decides on.
    pub const fn facts(&self) -> &Arc<Facts> {
        &self.facts
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
        let now = self.clock.now();
        let mut prepared = Vec::with_capacity(open.len());
        for item in open {
            let index = item.index;
            match self.prepare(item, now).await {
                Ok(ready) => prepared.push(ready),
                Err(Refused::Refusal(refusal)) => set(answers, index, Err(refusal)),
                Err(Refused::Log(error)) => return Err(error),
                Err(Refused::Erased) => set(answers, index, Err(Refusal::ErasedRecipient)),
                Err(Refused::Contended) => set(answers, index, Err(Refusal::Contended)),
            }
        }
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let streams: BTreeSet<StreamId> = prepared.iter().flat_map(|ready| ready.question().streams(&ready.facts, &self.overall)).collect();
        // Held until the answer: whoever is next decides on what this one counted.
        let _turns = self.facts.turns().take(streams).await;
        let (commits, submitted) = self.decide(metadata, prepared, now).await?;
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

    /// The facts of one request, and what it asks for on them.
    async fn prepare(&self, item: Open, now: Millis) -> Result<Prepared, Refused<Refusal>> {
        let facts = self.facts.gather(&self.bus, item.recipient, &item.request.category).await?;
        if !facts.recipient.state.exists {
            return Err(Refused::Refusal(Refusal::UnknownRecipient));
        }
        if facts.recipient.state.erased {
            return Err(Refused::Refusal(Refusal::ErasedRecipient));
        }
        if !facts.category.state.exists {
            return Err(Refused::Refusal(Refusal::UnknownCategory));
        }
        // A repeat is answered however late, whatever has become of its template; what is over when it is first asked
        // for is not taken.
        if item.request.expires_at.is_some_and(|at| at <= now) && self.bus.log().stream_number(stream_of(item.id)).await?.is_none() {
            return Err(Refused::Refusal(Refusal::Expired));
        }
        let mut facts = facts;
        if let Some(key) = &item.request.content.template {
            facts.template = Some(self.facts.template(&self.bus, key).await?);
        }
        if let Err(unusable) = item.request.bindable(&facts)
            && self.bus.log().stream_number(stream_of(item.id)).await?.is_none()
        {
            return Err(Refused::Refusal(Refusal::Template(unusable)));
        }
        let mut requested = item.request.requested(item.recipient, &facts, &self.hashing, now);
        // The last thing: what is refused for another reason keeps nothing longer.
        match self.refer(&item.request, requested.not_before).await {
            Ok(sizes) => measured(&mut requested, sizes),
            Err(_) if self.bus.log().stream_number(stream_of(item.id)).await?.is_some() => {}
            Err(unattachable) => return Err(Refused::Refusal(Refusal::Attachment(unattachable))),
        }
        let content = facts.category.state.dedup_window.map(|_| self.hashing.content(&item.request.category, &item.request.content));
        Ok(Prepared { item, facts, requested, content })
    }

    /// Keeps the files of a request, and tells their sizes.
    async fn refer(&self, request: &SendRequest, not_before: Option<Millis>) -> Result<Vec<u64>, Unattachable> {
        let files = &request.content.attachments;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let attachments = self.attachments.as_ref().ok_or(Unattachable::Off)?;
        attachments.refer(&request.sender, files, not_before.unwrap_or(0)).await
    }

    /// Decides one after the other, each on what those before it count.
    async fn decide(&self, metadata: &Arc<Metadata>, prepared: Vec<Prepared>, now: Millis) -> Result<(Vec<Commit>, Vec<Open>), LogError> {
        let suppressed = self.facts.suppressed(&self.bus, prepared.iter().flat_map(|ready| ready.facts.addresses(ready.ask()))).await?;
        let sources = Sources { bus: &self.bus, facts: &self.facts, overall: &self.overall, suppressed: &suppressed };
        let (mut commits, mut submitted) = (Vec::with_capacity(prepared.len()), Vec::with_capacity(prepared.len()));
        let mut chain = Chain::default();
        for ready in prepared {
            let question = ready.question();
            let decision = chain.consider(&sources, &ready.facts, &question, now, deciding::decide).await?;
            // What it appends itself comes first: that it exists already is said before anything else.
            let own = StreamAppend { stream: stream_of(ready.item.id), number: None, expected: 0, events: Vec::new() };
            let mut commit = Commit { metadata: Arc::clone(metadata), appends: vec![own], expectations: ready.facts.expectations() };
            chain.settle(&self.overall, &ready.facts, &question, &decision, now, &mut commit);
            if let Some(own) = commit.appends.first_mut() {
                own.events = requested_events(ready.requested, decision);
            }
            commits.push(commit);
            submitted.push(ready.item);
        }
        Ok((commits, submitted))
    }

    /// The notification exists already: the same request again, or another under the same key.
    async fn repeat(&self, metadata: &Arc<Metadata>, item: &Open) -> Result<Result<Accepted, Refusal>, LogError> {
        let stream = stream_of(item.id);
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

/// Says how large its files are.
fn measured(requested: &mut Requested, sizes: Vec<u64>) {
    if let Personal::Known(content) = &mut requested.personal {
        content.attachments.iter_mut().zip(sizes).for_each(|(file, bytes)| file.bytes = bytes);
    }
}

/// A notification's stream.
pub(crate) const fn stream_of(id: NotificationId) -> StreamId {
    StreamId::new(AggregateKind::Notification, id.0)
}

/// The first events of a notification. Whether it is a new one, the log says.
pub(crate) fn requested_events(requested: Requested, decision: Decision) -> Vec<Fact> {
    let accept = NotificationCommand::Accept(Box::new(Accept { requested, decision }));
    // What does not exist yet refuses nothing.
    Notification::default().decide(accept).unwrap_or_default().into_iter().map(Fact::from).collect()
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
