//! What is done when something that waited comes due: it is decided anew, and the answer appended.
//!
//! A notification is released or takes the next step of its plan, a digest's window is closed with its
//! summary, a schedule fires an occurrence: each in one commit that expects all streams it was
//! decided on. Who asks twice, or too early, or together with another replica, changes nothing. Rejected: to
//! remember here what was asked (a second truth beside the log).

mod closing;
mod firing;
mod loading;
mod ready;
mod summary;
#[cfg(test)]
mod tests;
mod wording;

use crate::accept::{AcceptorSettings, Chain, Facts, Sources};
use crate::bus::Bus;
use crate::failpoint;
use crate::log::{Commit, CommitOutcome, Hashing, Lane, LogError, Metadata, Position};
use crate::ports::Clock;
use crate::templates::Templates;
use domain::StreamId;
use domain::policy::deciding;
use domain::policy::timers::TimerName;
use domain::values::{AddressId, Limit, Millis};
use ready::{Next, Ready, Work};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
pub use wording::says_summaries;

/// Times that something is decided anew because its facts changed meanwhile.
const ROUNDS: usize = 8;

/// A timer that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DueTimer {
    /// Of which stream.
    pub stream: StreamId,
    /// What is asked.
    pub name: TimerName,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Asked {
    /// It was decided; the events say which timers follow.
    Done {
        /// Of the last event.
        position: Position,
    },
    /// There is nothing to decide any more: the event that says so is, or will be, in the log.
    Nothing,
    /// It is due later.
    Early {
        /// When (ms since the epoch).
        due: Millis,
    },
    /// The facts changed again and again; ask again.
    Contended,
    /// Something that it rests on cannot be read; a person has to repair it. Nothing was changed.
    Unreadable {
        /// What.
        error: LogError,
    },
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct Due {
    bus: Bus,
    facts: Arc<Facts>,
    hashing: Hashing,
    clock: Arc<dyn Clock>,
    overall: Arc<[Limit]>,
    templates: Templates,
    /// Whether templates can name the recipient's own links.
    links: bool,
}

impl std::fmt::Debug for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Due")
    }
}

/// A timer on its way.
#[derive(Clone, Copy)]
struct Open {
    index: usize,
    timer: DueTimer,
}

/// Whether it is about the one stream, and not about the store.
const fn is_unreadable(error: &LogError) -> bool {
    matches!(error, LogError::Poison { .. } | LogError::Newer { .. })
}

impl Due {
    /// Puts the parts together. The settings are those of the acceptor, or the same thing would be decided
    /// otherwise later than at first.
    pub fn new(bus: Bus, facts: Arc<Facts>, hashing: Hashing, clock: Arc<dyn Clock>, settings: AcceptorSettings) -> Self {
        let templates = Templates::new(bus.clone());
        Self { bus, facts, hashing, clock, overall: settings.overall.into(), templates, links: false }
    }

    /// With the templates that others have compiled already; `links` tells whether these can name the recipient's own
    /// links when they are sent.
    pub fn sharing(self, templates: Templates, links: bool) -> Self {
        Self { templates, links, ..self }
    }

    /// Decides what is due; an answer for each, in their order. An error is nobody's own: nothing is known
    /// about any of them, and to ask again is harmless.
    pub async fn ask(&self, metadata: &Arc<Metadata>, due: Vec<DueTimer>) -> Result<Vec<Asked>, LogError> {
        let mut answers: Vec<Asked> = due.iter().map(|_| Asked::Contended).collect();
        let mut open: Vec<Open> = due.into_iter().enumerate().map(|(index, timer)| Open { index, timer }).collect();
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            open = self.round(metadata, open, &mut answers).await?;
        }
        Ok(answers)
    }

    /// Decides and commits; returns what has to be decided anew.
    async fn round(&self, metadata: &Arc<Metadata>, open: Vec<Open>, answers: &mut [Asked]) -> Result<Vec<Open>, LogError> {
        let now = self.clock.now();
        let (mut commits, mut submitted, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        for (item, next) in self.load(metadata, open, now).await? {
            match next {
                Next::Answer(answer) => set(answers, item.index, answer),
                Next::Commit(commit) => {
                    commits.push(commit);
                    submitted.push(item);
                }
                Next::Decide(one) => ready.push((item, *one)),
            }
        }
        let streams: BTreeSet<StreamId> = ready.iter().flat_map(|(_, one)| one.streams(&self.overall)).collect();
        let _turns = self.facts.turns().take(streams).await;
        let suppressed = self.suppressed(&mut ready, answers).await?;
        let sources = Sources { bus: &self.bus, facts: &self.facts, overall: &self.overall, suppressed: &suppressed };
        let mut chain = Chain::default();
        for (item, one) in ready {
            match self.decide(metadata, &sources, &mut chain, one, now).await {
                Ok(Ok(commit)) => {
                    commits.push(commit);
                    submitted.push(item);
                }
                Ok(Err(answer)) => set(answers, item.index, answer),
                Err(error) if is_unreadable(&error) => set(answers, item.index, Asked::Unreadable { error }),
                Err(error) => return Err(error),
            }
        }
        drop(chain);
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.bus.committer().commit(Lane::Internal, commits).await?;
        let mut again = Vec::new();
        for (item, outcome) in submitted.into_iter().zip(outcomes) {
            match outcome {
                CommitOutcome::Committed { position, .. } => set(answers, item.index, Asked::Done { position }),
                CommitOutcome::Conflict { stream } => {
                    self.facts.forget(stream);
                    again.push(item);
                }
            }
        }
        Ok(again)
    }

    /// Of all addresses that matter, those to which nothing may go. Who has one that cannot be read is
    /// answered so, and left out.
    async fn suppressed(&self, ready: &mut Vec<(Open, Ready)>, answers: &mut [Asked]) -> Result<HashSet<AddressId>, LogError> {
        match self.facts.suppressed(&self.bus, ready.iter().flat_map(|(_, one)| one.facts.addresses(one.question().ask))).await {
            Err(error) if is_unreadable(&error) => {}
            found => return found,
        }
        let mut suppressed = HashSet::new();
        for (item, one) in std::mem::take(ready) {
            match self.facts.suppressed(&self.bus, one.facts.addresses(one.question().ask)).await {
                Ok(found) => {
                    suppressed.extend(found);
                    ready.push((item, one));
                }
                Err(error) if is_unreadable(&error) => set(answers, item.index, Asked::Unreadable { error }),
                Err(error) => return Err(error),
            }
        }
        Ok(suppressed)
    }

    /// Decides one on what those before it count and collect.
    async fn decide(
        &self,
        metadata: &Arc<Metadata>,
        sources: &Sources<'_>,
        chain: &mut Chain,
        mut one: Ready,
        now: Millis,
    ) -> Result<Result<Commit, Asked>, LogError> {
        let mut appends = Vec::with_capacity(3);
        if let Work::Close { digest, window, requested } = &mut one.work {
            match self.close(sources, chain, *digest, *window, &one.facts, requested, now).await? {
                Ok(closed) => {
                    appends.push(closed.append);
                    if !closed.told {
                        return Ok(Ok(Commit { metadata: Arc::clone(metadata), appends, expectations: one.facts.expectations() }));
                    }
                }
                Err(answer) => return Ok(Err(answer)),
            }
        }
        if matches!(one.work, Work::Release { .. }) && failpoint::planted("release-undecided") {
            // As if nobody had looked at the switches again. Its sequence stays, so that it is committed.
            one.facts.subscription.state = Arc::default();
        }
        let question = one.question();
        let decision = chain.consider(sources, &one.facts, &question, now, deciding::decide).await?;
        let mut commit = Commit { metadata: Arc::clone(metadata), appends, expectations: one.facts.expectations() };
        chain.settle(&self.overall, &one.facts, &question, &decision, now, &mut commit);
        commit.appends.extend(one.appends(decision, now));
        Ok(Ok(commit))
    }
}

fn set(answers: &mut [Asked], index: usize, answer: Asked) {
    if let Some(slot) = answers.get_mut(index) {
        *slot = answer;
    }
}
