//! The questions in SQLite.

use super::{Counts, Lane, Route, limit, state_name, state_of, unsigned};
use crate::pending::Item;
use commands::database::Readers;
use commands::log::LogError;
use domain::notification::Delivery;
use domain::values::{AddressId, CategoryKey, Millis, NotificationId, Priority, RecipientId, SenderKey, TopicKey};
use rusqlite::{Row, params};
use uuid::Uuid;

const COLUMNS: &str = "SELECT stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position, requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats, topic FROM pending_deliveries";

pub(super) async fn lanes(readers: &Readers) -> Result<Vec<Lane>, LogError> {
    readers
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

pub(super) async fn ready(readers: &Readers, lane: Lane, most: usize) -> Result<Vec<Item>, LogError> {
    readers
        .read(move |connection| {
            let mut statement = connection
                .prepare_cached(&format!("{COLUMNS} WHERE state = 0 AND channel = ?1 AND priority = ?2 AND sender = ?3 ORDER BY stream, delivery LIMIT ?4"))?;
            let rows = statement.query_map(params![lane.route.number(), lane.priority.rank(), lane.sender.as_str(), limit(most)], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .await
}

pub(super) async fn due(readers: &Readers, until: Millis, most: usize) -> Result<Vec<Item>, LogError> {
    readers
        .read(move |connection| {
            let keys: Vec<(i64, i64)> = connection
                .prepare_cached("SELECT subject, part FROM timers WHERE kind = 'retry' AND due <= ?1 ORDER BY due LIMIT ?2")?
                .query_map(params![until, limit(most)], |row| Ok((row.get(0)?, row.get(1)?)))?
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

pub(super) async fn in_flight(readers: &Readers, most: usize) -> Result<Vec<Item>, LogError> {
    readers
        .read(move |connection| {
            let mut statement = connection.prepare(&format!("{COLUMNS} WHERE state = 2 ORDER BY stream, delivery LIMIT ?1"))?;
            let rows = statement.query_map([limit(most)], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .await
}

pub(super) async fn counts(readers: &Readers) -> Result<Counts, LogError> {
    readers
        .read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT channel, priority, state, count(*) FROM pending_deliveries GROUP BY channel, priority, state")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, u8>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?)))?;
            let mut counts = Vec::new();
            for row in rows {
                let (channel, priority, state, count) = row?;
                let name = state_name(state);
                if let (Some(route), Some(priority)) = (Route::from_number(channel), Priority::from_rank(priority)) {
                    counts.push((route, priority, name, u64::try_from(count).unwrap_or(0)));
                }
            }
            Ok(counts)
        })
        .await
}

fn broken(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.to_owned().into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Item> {
    let id = |column| row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes);
    let address: Option<[u8; 16]> = row.get(9)?;
    let state = state_of(row.get(14)?, row.get(15)?);
    let channel = Route::from_number(row.get(6)?).ok_or_else(|| broken(6, "no such channel"))?.channel;
    Ok(Item {
        stream: unsigned(row.get(0)?),
        notification: NotificationId(id(2)?),
        recipient: RecipientId(id(3)?),
        sender: SenderKey::new(&row.get::<_, String>(4)?).map_err(|error| broken(4, &error.to_string()))?,
        category: CategoryKey::new(&row.get::<_, String>(5)?).map_err(|error| broken(5, &error.to_string()))?,
        topic: row.get::<_, Option<String>>(20)?.map(|key| TopicKey::new(&key)).transpose().map_err(|error| broken(20, &error.to_string()))?,
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
