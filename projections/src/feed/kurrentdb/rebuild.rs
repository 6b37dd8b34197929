//! A log from its mirror.
//!
//! `$all` has the events of a page in any order, so they are put in order of their positions here.
//! They are handed on in whole commits: a log that ends within one would hold a state that never
//! was. Each event is compared with its id, which is made of everything it consists of.

use super::connection::Connection;
use super::error::MirrorError;
use super::target::Target;
use commands::log::Position;
use commands::log::raw::{RawError, RawEvent, RawWriter};
use commands::ports::Clock;
use eventstore::Position as Place;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Events written in one transaction, at least.
const BATCH: usize = 2_000;
/// Events kept while one before them is missing. The mirror keeps each page together, and that is a
/// hundredth of it: what is not found so far is not there.
const WAITING: usize = 50_000;
/// Attempts in a row without an event in between.
const ATTEMPTS: u32 = 5;
/// Pause between them.
const PAUSE: Duration = Duration::from_secs(2);

/// Why no log could be made.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The mirror.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The new log.
    #[error(transparent)]
    Write(#[from] RawError),
    /// There is nothing.
    #[error("{place} holds no log; check the server and the prefix")]
    Empty {
        /// Where it was looked.
        place: String,
    },
    /// Two events of one position.
    #[error("the mirror holds position {position} twice; two logs were mirrored under one prefix")]
    Twice {
        /// Which.
        position: Position,
    },
    /// The thread that writes died.
    #[error("the writing of the log was broken off: {reason}")]
    BrokenOff {
        /// How.
        reason: String,
    },
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The newest event of the new log.
    pub position: Position,
    /// What the mirror has beyond it and that cannot be used.
    pub missing: Option<Missing>,
}

/// A hole in the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The first event that is not there.
    pub position: Position,
    /// The newest event that is there.
    pub newest: Position,
}

/// See the module.
pub struct Rebuild {
    target: Target,
    clock: Arc<dyn Clock>,
}

impl Rebuild {
    /// From this mirror.
    pub const fn new(target: Target, clock: Arc<dyn Clock>) -> Self {
        Self { target, clock }
    }

    /// Fills an empty log with all whole commits from the first position on, up to the first hole.
    /// `told` hears how far it is, and how far it goes.
    pub async fn run(&self, writer: impl RawWriter, mut told: impl FnMut(Position, Position) + Send) -> Result<Rebuilt, RebuildError> {
        let Some(last) = Connection::open(&self.target, &self.clock)?.last().await? else {
            return Err(RebuildError::Empty { place: self.target.place() });
        };
        // Of its page not the newest, perhaps, but near enough for people.
        let newest = last.event.position;
        let mut told = move |position: Position| told(position, newest.max(position));
        let mut order = Order { next: writer.head() + 1, ..Order::default() };
        let mut writer = Some(writer);
        let (mut place, mut failures) = (None, 0);
        loop {
            match self.read(&mut order, &mut place, &mut writer, &mut told).await {
                Ok(()) => break,
                Err((RebuildError::Mirror(error), further)) if !error.needs_a_person() => {
                    failures = if further { 1 } else { failures + 1 };
                    if failures >= ATTEMPTS {
                        return Err(error.into());
                    }
                    tracing::warn!(%error, "reading the mirror broke off; it is gone on with");
                    self.clock.sleep(PAUSE).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
        order.write(&mut writer, 1, &mut told).await?;
        Ok(order.end(writer.map_or(0, |writer| writer.head())))
    }

    /// Reads from a place on; an error says whether there was anything before it.
    async fn read<W: RawWriter>(
        &self,
        order: &mut Order,
        place: &mut Option<Place>,
        writer: &mut Option<W>,
        told: &mut (impl FnMut(Position) + Send),
    ) -> Result<(), (RebuildError, bool)> {
        let mut further = false;
        let read = async {
            let connection = Connection::open(&self.target, &self.clock)?;
            let mut all = connection.all(*place).await?;
            while order.waiting.len() < WAITING
                && let Some((mirrored, at)) = all.next().await?
            {
                // Where reading goes on, its place is included.
                if *place == Some(at) {
                    continue;
                }
                order.take(mirrored.event)?;
                (*place, further) = (Some(at), true);
                order.write(writer, BATCH, told).await?;
            }
            Ok(())
        };
        read.await.map_err(|error| (error, further))
    }
}

/// Events on their way into order.
#[derive(Debug, Default)]
struct Order {
    /// Position that comes next.
    next: Position,
    /// Events beyond it.
    waiting: BTreeMap<Position, RawEvent>,
    /// Events in order that are not written yet; the last commit may not be whole.
    ready: Vec<RawEvent>,
    /// How many of them are of whole commits.
    whole: usize,
    newest: Position,
}

impl Order {
    fn take(&mut self, event: RawEvent) -> Result<(), RebuildError> {
        let position = event.position;
        self.newest = self.newest.max(position);
        if position < self.next || self.waiting.contains_key(&position) {
            return Err(RebuildError::Twice { position });
        }
        self.waiting.insert(position, event);
        while let Some(event) = self.waiting.remove(&self.next) {
            let ends = event.commit.last == event.position;
            self.next += 1;
            self.ready.push(event);
            if ends {
                self.whole = self.ready.len();
            }
        }
        Ok(())
    }

    /// Writes the whole commits if they are at least so many events.
    async fn write<W: RawWriter>(&mut self, writer: &mut Option<W>, least: usize, told: &mut (impl FnMut(Position) + Send)) -> Result<(), RebuildError> {
        if self.whole < least {
            return Ok(());
        }
        let batch: Vec<RawEvent> = self.ready.drain(..self.whole).collect();
        self.whole = 0;
        let Some(mut taken) = writer.take() else {
            return Err(RebuildError::BrokenOff { reason: "an earlier write did not come back".to_owned() });
        };
        let write = move || taken.write(&batch).map(|()| taken);
        let written = tokio::task::spawn_blocking(write).await.map_err(|error| RebuildError::BrokenOff { reason: error.to_string() })??;
        told(written.head());
        *writer = Some(written);
        Ok(())
    }

    fn end(&self, position: Position) -> Rebuilt {
        let missing = (self.newest > position).then_some(Missing { position: self.next, newest: self.newest });
        Rebuilt { position, missing }
    }
}
