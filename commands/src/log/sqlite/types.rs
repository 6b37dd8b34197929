//! The dictionary of event types: a row of the log names its type by a small number.

use crate::log::LogError;
use crate::log::stored::EventType;
use domain::{AggregateKind, Fact};
use rusqlite::Connection;
use std::collections::HashMap;

/// Reads the whole dictionary; it has some dozens of rows.
pub(super) fn load(connection: &Connection) -> Result<HashMap<i64, EventType>, LogError> {
    let mut statement = connection.prepare("SELECT id, kind, name, version FROM event_types")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, EventType { kind: row.get(1)?, name: row.get(2)?, version: row.get(3)? })))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The writer's side: number of a type, given one at first use.
#[derive(Debug, Default)]
pub(super) struct TypeNumbers(HashMap<(AggregateKind, &'static str), i64>);

impl TypeNumbers {
    pub(super) fn number(&mut self, connection: &Connection, fact: &Fact) -> Result<i64, LogError> {
        let key = (fact.kind(), fact.name());
        if let Some(number) = self.0.get(&key) {
            return Ok(*number);
        }
        let version = fact.body().version();
        connection.execute("INSERT OR IGNORE INTO event_types (kind, name, version) VALUES (?1, ?2, ?3)", (key.0.number(), key.1, version))?;
        let number =
            connection
                .query_row("SELECT id FROM event_types WHERE kind = ?1 AND name = ?2 AND version = ?3", (key.0.number(), key.1, version), |row| row.get(0))?;
        self.0.insert(key, number);
        Ok(number)
    }

    /// After a rollback numbers may not exist any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
