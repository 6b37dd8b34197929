//! Reading the table: lanes, due timers, what was in flight when the process died.

use super::Item;
use commands::database::Readers;
use commands::log::LogError;
use domain::notification::{Delivery, DeliveryState};
use domain::values::{AddressId, CategoryKey, Channel, Millis, NotificationId, Priority, RecipientId, SenderKey};
use rusqlite::{Row, params};
use uuid::Uuid;

pub(super) const READY: i64 = 0;
const WAITING: i64 = 1;
pub(super) const FLIGHT: i64 = 2;
const DEAD: i64 = 3;

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

/// See the module. Clones share the pool.
#[derive(Debug, Clone)]
pub struct PendingRows {
    readers: Readers,
}

const COLUMNS: &str = "SELECT stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position, requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats FROM pending_deliveries";

impl PendingRows {
    /// Over the log's file.
    pub const fn new(readers: Readers) -> Self {
        Self { readers }
    }

    /// Lanes that have something ready.
    pub async fn lanes(&self) -> Result<Vec<Lane>, LogError> {
        self.readers
            .read(|connection| {
                let mut lanes = Vec::new();
                for route in Route::all() {
                    for priority in Priority::DESCENDING {
                        // One index seek a sender, however many rows each has.
                        let mut after = String::new();
                        let mut statement = connection.prepare_cached(
                            "SELECT sender FROM pending_deliveries WHERE state = 0 AND channel = ?1 AND priority = ?2 AND sender > ?3 ORDER BY sender LIMIT 1",
                        )?;
                        loop {
                            let mut rows = statement.query(params![route.number(), priority.rank(), after])?;
                            let Some(row) = rows.next()? else { break };
                            after = row.get(0)?;
                            if let Ok(sender) = SenderKey::new(&after) {
                                lanes.push(Lane { route, priority, sender });
                            }
                        }
                    }
                }
                Ok(lanes)
            })
            .await
    }

    /// The oldest that are ready in a lane.
    pub async fn ready(&self, lane: Lane, most: usize) -> Result<Vec<Item>, LogError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "{COLUMNS} WHERE state = 0 AND channel = ?1 AND priority = ?2 AND sender = ?3 ORDER BY stream, delivery LIMIT ?4"
                ))?;
                let rows = statement
                    .query_map(params![lane.route.number(), lane.priority.rank(), lane.sender.as_str(), i64::try_from(most).unwrap_or(i64::MAX)], read)?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })
            .await
    }

    /// Those whose moment comes before `until`, soonest first.
    pub async fn due(&self, until: Millis, most: usize) -> Result<Vec<Item>, LogError> {
        self.readers
            .read(move |connection| {
                let keys: Vec<(i64, i64)> = connection
                    .prepare_cached("SELECT subject, part FROM timers WHERE kind = 'retry' AND due <= ?1 ORDER BY due LIMIT ?2")?
                    .query_map(params![until, i64::try_from(most).unwrap_or(i64::MAX)], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, _>>()?;
                let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE stream = ?1 AND delivery = ?2"))?;
                let mut items = Vec::with_capacity(keys.len());
                for key in keys {
                    let mut rows = statement.query_map(key, read)?;
                    if let Some(item) = rows.next() {
                        items.push(item?);
                    }
                }
                Ok(items)
            })
            .await
    }

    /// Attempts that were recorded and have no outcome.
    pub async fn in_flight(&self) -> Result<Vec<Item>, LogError> {
        self.readers
            .read(|connection| {
                let mut statement = connection.prepare(&format!("{COLUMNS} WHERE state = 2 ORDER BY stream, delivery"))?;
                let rows = statement.query_map([], read)?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })
            .await
    }

    /// How many are owed, by channel, priority and state name.
    pub async fn counts(&self) -> Result<Vec<(Route, Priority, &'static str, u64)>, LogError> {
        self.readers
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT channel, priority, state, count(*) FROM pending_deliveries GROUP BY channel, priority, state")?;
                let rows = statement.query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, u8>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?)))?;
                let mut counts = Vec::new();
                for row in rows {
                    let (channel, priority, state, count) = row?;
                    let name = match state {
                        WAITING => "waiting",
                        FLIGHT => "in_flight",
                        DEAD => "dead_lettered",
                        _ => "queued",
                    };
                    if let (Some(route), Some(priority)) = (Route::from_number(channel), Priority::from_rank(priority)) {
                        counts.push((route, priority, name, u64::try_from(count).unwrap_or(0)));
                    }
                }
                Ok(counts)
            })
            .await
    }
}

fn broken(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.to_owned().into())
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Item> {
    let id = |column| row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes);
    let address: Option<[u8; 16]> = row.get(9)?;
    let state = match row.get::<_, i64>(14)? {
        WAITING => DeliveryState::Waiting { due: row.get(15)? },
        FLIGHT => DeliveryState::InFlight,
        DEAD => DeliveryState::DeadLettered,
        _ => DeliveryState::Ready,
    };
    let channel = Route::from_number(row.get(6)?).ok_or_else(|| broken(6, "no such channel"))?.channel;
    Ok(Item {
        stream: unsigned(row.get(0)?),
        notification: NotificationId(id(2)?),
        recipient: RecipientId(id(3)?),
        sender: SenderKey::new(&row.get::<_, String>(4)?).map_err(|error| broken(4, &error.to_string()))?,
        category: CategoryKey::new(&row.get::<_, String>(5)?).map_err(|error| broken(5, &error.to_string()))?,
        priority: Priority::from_rank(row.get(7)?).ok_or_else(|| broken(7, "no such priority"))?,
        sandbox: row.get(8)?,
        requested_position: unsigned(row.get(10)?),
        requested_at: row.get(11)?,
        expires_at: row.get(12)?,
        sequence: unsigned(row.get(13)?),
        delivery: Delivery {
            number: row.get(1)?,
            channel,
            address: address.map(|bytes| AddressId(Uuid::from_bytes(bytes))),
            state,
            attempt: row.get(16)?,
            counted: row.get(17)?,
            after_unknown: row.get(18)?,
            unknown_repeats: row.get(19)?,
        },
        requested: None,
    })
}
