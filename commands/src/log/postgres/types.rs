//! The dictionary of event types, shared by all replicas: an entry is made by whoever needs it
//! first, while that one holds the head, and never changes.

use crate::log::LogError;
use crate::log::stored::EventType;
use domain::{AggregateKind, Fact};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Reads the whole dictionary; it has some dozens of rows.
pub(super) async fn load(connection: &mut PgConnection) -> Result<HashMap<i32, EventType>, LogError> {
    let rows: Vec<(i32, i16, String, i32)> = sqlx::query_as("SELECT id, kind, name, version FROM event_types").fetch_all(connection).await?;
    let read = |(id, kind, name, version)| Some((id, EventType { kind: u8::try_from(kind).ok()?, name, version: u16::try_from(version).ok()? }));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Enters a type, within a transaction that holds the head; its number.
pub(super) async fn enter(connection: &mut PgConnection, kind: u8, name: &str, version: u16) -> Result<i32, LogError> {
    let kind = i16::from(kind);
    let insert =
        "INSERT INTO event_types (id, kind, name, version) SELECT (SELECT coalesce(max(id), 0) + 1 FROM event_types), $1, $2, $3 ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(kind).bind(name).bind(i32::from(version)).execute(&mut *connection).await?;
    let find = "SELECT id FROM event_types WHERE kind = $1 AND name = $2 AND version = $3";
    Ok(sqlx::query_scalar(find).bind(kind).bind(name).bind(i32::from(version)).fetch_one(connection).await?)
}

/// Names a type.
pub(super) type TypeKey = (AggregateKind, &'static str);

pub(super) fn key(fact: &Fact) -> TypeKey {
    (fact.kind(), fact.name())
}

/// Numbers of types that are committed.
#[derive(Debug, Default)]
pub(super) struct TypeNumbers(HashMap<TypeKey, i32>);

impl TypeNumbers {
    /// A type's number, if it is known.
    pub(super) fn get(&self, key: TypeKey) -> Option<i32> {
        self.0.get(&key).copied()
    }

    /// Enters a type, within a transaction that holds the head.
    pub(super) async fn enter(connection: &mut PgConnection, key: TypeKey, version: u16) -> Result<i32, LogError> {
        enter(connection, key.0.number(), key.1, version).await
    }

    /// Those entered are committed.
    pub(super) fn committed(&mut self, entered: HashMap<TypeKey, i32>) {
        self.0.extend(entered);
    }
}
