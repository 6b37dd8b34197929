//! Reading the table: lanes, due timers, what was in flight when a process died. The same questions
//! to SQLite and to Postgres.

mod postgres;
mod sqlite;

use super::Item;
use commands::database::Readers;
use commands::failpoint;
use commands::log::{LogError, Position};
use commands::replicas::{Peers, Share};
use domain::notification::DeliveryState;
use domain::values::{Channel, Millis, Priority, SenderKey};
use sqlx::PgPool;

pub(super) const READY: i64 = 0;
pub(super) const WAITING: i64 = 1;
pub(super) const FLIGHT: i64 = 2;
pub(super) const DEAD: i64 = 3;

/// A state as stored, with the moment it is due.
pub(super) const fn state_number(state: DeliveryState) -> (i64, Millis) {
    match state {
        DeliveryState::Waiting { due } => (WAITING, due),
        DeliveryState::InFlight => (FLIGHT, 0),
        DeliveryState::DeadLettered => (DEAD, 0),
        _ => (READY, 0),
    }
}

/// What a worker serves: a channel, for real or as a rehearsal. Apart, so that a sandbox runs
/// without any provider and is not held by one that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The channel.
    pub channel: Channel,
    /// Everything but the provider call.
    pub sandbox: bool,
}

impl Route {
    /// Every route that a worker can serve.
    pub fn all() -> impl Iterator<Item = Self> {
        Channel::ALL.into_iter().filter(|channel| channel.has_provider()).flat_map(|channel| [false, true].map(|sandbox| Self { channel, sandbox }))
    }

    /// The number in the table: that of the channel, plus 128 for the sandbox.
    pub const fn number(self) -> u8 {
        self.channel.number() | if self.sandbox { 128 } else { 0 }
    }

    /// Reads [`number`](Self::number) back.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(Self { channel: Channel::from_number(number & 127)?, sandbox: number & 128 != 0 })
    }
}

/// A lane of the queue: everything in it is drained in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The route.
    pub route: Route,
    /// The priority.
    pub priority: Priority,
    /// The sender.
    pub sender: SenderKey,
}

/// How many are owed: by route, priority and the name of their state.
pub type Counts = Vec<(Route, Priority, &'static str, u64)>;

/// See the module. Clones share the connections.
#[derive(Debug, Clone)]
pub enum PendingRows {
    /// In the log's file.
    File(Readers),
    /// In the log's schema.
    Postgres(PgPool),
}

impl PendingRows {
    /// Lanes that have something ready.
    pub async fn lanes(&self) -> Result<Vec<Lane>, LogError> {
        match self {
            Self::File(readers) => sqlite::lanes(readers).await,
            Self::Postgres(pool) => postgres::lanes(pool).await,
        }
    }

    /// The oldest that are ready in a lane; of a share, where there is one; and where others may keep what was
    /// requested after a place, only what was before it or was attempted. In the log's file everything is one
    /// process's.
    pub async fn ready(&self, lane: Lane, most: usize, share: Option<&Share>, kept_after: Option<Position>) -> Result<Vec<Item>, LogError> {
        match self {
            Self::File(readers) => sqlite::ready(readers, lane, most).await,
            Self::Postgres(pool) => postgres::ready(pool, &lane, most, share, kept_after).await,
        }
    }

    /// Those whose moment comes before `until`, soonest first; likewise.
    pub async fn due(&self, until: Millis, most: usize, share: Option<&Share>) -> Result<Vec<Item>, LogError> {
        match self {
            Self::File(readers) => sqlite::due(readers, until, most).await,
            Self::Postgres(pool) => postgres::due(pool, until, most, share).await,
        }
    }

    /// Attempts of processes that have ended, without an outcome: at most so many. In the log's file all
    /// are of the process before this one.
    pub async fn in_flight(&self, peers: &Peers, most: usize) -> Result<Vec<Item>, LogError> {
        if failpoint::planted("no-recovery") {
            return Ok(Vec::new());
        }
        match self {
            Self::File(readers) => sqlite::in_flight(readers, most).await,
            Self::Postgres(pool) => postgres::in_flight(pool, peers, most).await,
        }
    }

    /// How many are owed.
    pub async fn counts(&self) -> Result<Counts, LogError> {
        match self {
            Self::File(readers) => sqlite::counts(readers).await,
            Self::Postgres(pool) => postgres::counts(pool).await,
        }
    }
}

/// What operators call a state.
const fn state_name(state: i64) -> &'static str {
    match state {
        WAITING => "waiting",
        FLIGHT => "in_flight",
        DEAD => "dead_lettered",
        _ => "queued",
    }
}

/// A state as stored.
const fn state_of(number: i64, due: Millis) -> DeliveryState {
    match number {
        WAITING => DeliveryState::Waiting { due },
        FLIGHT => DeliveryState::InFlight,
        DEAD => DeliveryState::DeadLettered,
        _ => DeliveryState::Ready,
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
