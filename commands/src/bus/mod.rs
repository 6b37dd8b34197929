//! The command bus: load, decide, append; on a conflict reload and decide again, a bounded
//! number of times.
//!
//! Aggregates are driven through `cqrs_es`: [`Store`] is its `EventStore` over our log.
//! `CqrsFramework` itself cannot carry expectations on other streams, which the promises about
//! opt-outs need, so the bus calls `handle` and the store itself.

mod cache;
mod refused;
mod store;
#[cfg(test)]
mod tests;

pub use cache::{AsOf, Cached, StateCache};
pub use refused::Refused;
pub use store::{FactOf, Store};

use crate::accept::recipient_stream;
use crate::log::{Commit, CommitOutcome, Committer, Lane, LogReader, Metadata, Position, Recorded, Sequence, StreamAppend};
use cqrs_es::event_sink::EventSink;
use domain::aggregate::Aggregate;
use domain::recipient::RecipientEvent;
use domain::values::RecipientId;
use domain::{Fact, StreamId};
use std::sync::Arc;

/// Times that a command is decided anew before the caller is told to try later.
const ATTEMPTS: usize = 16;

/// An aggregate that the bus can drive: ours, and `cqrs_es`'s over it.
pub trait Executable:
    Aggregate<Command: Clone, Event: FactOf + Into<Fact>>
    + cqrs_es::Aggregate<Command = <Self as Aggregate>::Command, Event = <Self as Aggregate>::Event, Error = <Self as Aggregate>::Refusal, Services = ()>
{
}

impl<A> Executable for A where
    A: Aggregate<Command: Clone, Event: FactOf + Into<Fact>>
        + cqrs_es::Aggregate<Command = <A as Aggregate>::Command, Event = <A as Aggregate>::Event, Error = <A as Aggregate>::Refusal, Services = ()>
{
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Done<A> {
    /// The state after it.
    pub state: A,
    /// The position from which its effect can be read.
    pub position: Position,
    /// What was recorded; empty where the command asked for what already was.
    pub recorded: Vec<Arc<Recorded>>,
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct Bus {
    committer: Committer,
    log: Arc<dyn LogReader>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bus")
    }
}

impl Bus {
    /// Over a log.
    pub fn new(committer: Committer, log: Arc<dyn LogReader>) -> Self {
        Self { committer, log }
    }

    /// The way in to the log, for those who decide in batches.
    pub const fn committer(&self) -> &Committer {
        &self.committer
    }

    /// The way out of it.
    pub fn log(&self) -> &Arc<dyn LogReader> {
        &self.log
    }

    /// A stream's state and sequence; the default and 0 where it does not exist.
    pub async fn load<A>(&self, stream: StreamId) -> Result<Cached<A>, Refused<A::Refusal>>
    where
        A: Aggregate,
        A::Event: FactOf,
    {
        let events = self.log.read_stream(stream, 0, true).await?;
        let mut state = A::default();
        for event in &events {
            if let Some(event) = A::Event::of(&event.fact) {
                state.evolve(event);
            }
        }
        Ok(Cached { state: Arc::new(state), sequence: events.last().map_or(0, |event| event.sequence) })
    }

    /// Executes a command on one aggregate.
    pub async fn execute<A>(
        &self,
        stream: StreamId,
        metadata: &Arc<Metadata>,
        command: <A as Aggregate>::Command,
    ) -> Result<Done<A>, Refused<<A as Aggregate>::Refusal>>
    where
        A: Executable,
    {
        self.execute_all(stream, metadata, vec![command]).await
    }

    /// Executes commands on one aggregate, all or none of them.
    pub async fn execute_all<A>(
        &self,
        stream: StreamId,
        metadata: &Arc<Metadata>,
        commands: Vec<<A as Aggregate>::Command>,
    ) -> Result<Done<A>, Refused<<A as Aggregate>::Refusal>>
    where
        A: Executable,
    {
        self.carry_out(None, stream, metadata, commands).await
    }

    /// Executes commands whose events may be sealed with a recipient's key, all or none of them. Who is
    /// erased, before or while it is decided, is refused: a key made anew would open nothing of what the
    /// destroyed one had sealed in the same stream.
    pub async fn execute_for<A>(
        &self,
        recipient: RecipientId,
        stream: StreamId,
        metadata: &Arc<Metadata>,
        commands: Vec<<A as Aggregate>::Command>,
    ) -> Result<Done<A>, Refused<<A as Aggregate>::Refusal>>
    where
        A: Executable,
    {
        self.carry_out(Some(recipient_stream(recipient)), stream, metadata, commands).await
    }

    /// Expects the person's stream, where one is named, to be as it was when it was decided.
    async fn carry_out<A>(
        &self,
        person: Option<StreamId>,
        stream: StreamId,
        metadata: &Arc<Metadata>,
        commands: Vec<<A as Aggregate>::Command>,
    ) -> Result<Done<A>, Refused<<A as Aggregate>::Refusal>>
    where
        A: Executable,
    {
        for _ in 0..ATTEMPTS {
            let mut expectations = Vec::new();
            if let Some(person) = person {
                expectations.push((person, self.living(person).await?));
            }
            let loaded = self.load::<A>(stream).await?;
            let mut state = A::clone(&loaded.state);
            let sink = EventSink::default();
            for command in &commands {
                cqrs_es::Aggregate::handle(&mut state, command.clone(), &(), &sink).await.map_err(Refused::Refusal)?;
            }
            let events: Vec<Fact> = sink.collect().await.into_iter().map(Into::into).collect();
            if events.is_empty() {
                return Ok(Done { state, position: self.log.head().await?, recorded: Vec::new() });
            }
            let append = StreamAppend { stream, number: None, expected: loaded.sequence, events };
            match self.commit_one(metadata, vec![append], expectations).await? {
                CommitOutcome::Committed { position, recorded } => {
                    return Ok(Done { state, position, recorded });
                }
                CommitOutcome::Conflict { .. } => {}
            }
        }
        Err(Refused::Contended)
    }

    /// The sequence of a person's stream; refused where it was erased.
    async fn living<R>(&self, person: StreamId) -> Result<Sequence, Refused<R>> {
        let events = self.log.read_stream(person, 0, false).await?;
        if events.iter().any(|event| matches!(event.fact, Fact::Recipient(RecipientEvent::Erased(_)))) {
            return Err(Refused::Erased);
        }
        Ok(events.last().map_or(0, |event| event.sequence))
    }

    /// Appends to several streams at once, all or nothing.
    pub async fn commit_one<R>(
        &self,
        metadata: &Arc<Metadata>,
        appends: Vec<StreamAppend>,
        expectations: Vec<(StreamId, u64)>,
    ) -> Result<CommitOutcome, Refused<R>> {
        let commit = Commit { metadata: Arc::clone(metadata), appends, expectations };
        let mut outcomes = self.committer.commit(Lane::Request, vec![commit]).await?;
        outcomes.pop().ok_or(Refused::Log(crate::log::LogError::Closed))
    }
}
