//! What a consumer wants changed: statements with their values, executed later in the
//! transaction that also moves its checkpoint. Handing out the transaction itself was rejected:
//! the handler would depend on the store.

use crate::database::IndexKey;

/// A value to bind.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

macro_rules! from_integer {
    ($($type:ty),+) => { $(impl From<$type> for Value {
        fn from(value: $type) -> Self { Self::Integer(value as i64) }
    })+ };
}
from_integer!(i64, u64, u32, u16, u8, bool, usize);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<uuid::Uuid> for Value {
    fn from(value: uuid::Uuid) -> Self {
        Self::Blob(value.as_bytes().to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// SQL of one row's change, written once in the code: never built from input. SQLite executes it
/// row by row; for Postgres it is turned into one statement for many rows (`super::sets`). So it is
/// in words that both understand: `INSERT … VALUES (?1, …)`, `INSERT … SELECT … FROM … WHERE …`,
/// `UPDATE … WHERE …` or `DELETE … WHERE …`.
#[derive(Debug, PartialEq, Eq)]
pub struct Sql {
    /// The statement.
    pub text: &'static str,
    /// A letter for each value: `i` an integer, `t` text, `b` bytes. Any may be NULL.
    pub types: &'static str,
    /// So many of the first values say which row it is. Statements about different rows may be
    /// executed in any order; all of one consumer's take the same view of what a row is.
    pub key: usize,
}

/// One statement with its values, in the order of `?1`, `?2` ….
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The statement.
    pub sql: &'static Sql,
    /// The values.
    pub values: Vec<Value>,
}

/// Statements of one batch, in order.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Changes {
    statements: Vec<Statement>,
    entries: Vec<(IndexKey, u64)>,
}

impl Changes {
    /// Adds a statement.
    pub fn push(&mut self, sql: &'static Sql, values: Vec<Value>) {
        self.statements.push(Statement { sql, values });
    }

    /// A new row, by its number, is to be found by this key. Where the store keeps an index by the
    /// key itself this says nothing new; where it keeps a [deferred](crate::database::DeferredIndex)
    /// one it is entered later. Numbers only grow.
    pub fn enter(&mut self, key: IndexKey, number: u64) {
        self.entries.push((key, number));
    }

    /// What is to be entered.
    pub fn entries(&self) -> &[(IndexKey, u64)] {
        &self.entries
    }

    /// How many statements.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The statements.
    pub fn iter(&self) -> std::slice::Iter<'_, Statement> {
        self.statements.iter()
    }

    /// Takes them out.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

/// Executes changes within a transaction.
pub(crate) fn execute(transaction: &rusqlite::Connection, changes: &Changes) -> rusqlite::Result<()> {
    for Statement { sql, values } in changes.iter() {
        transaction.prepare_cached(sql.text)?.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}
