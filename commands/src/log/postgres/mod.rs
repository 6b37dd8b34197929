//! The log in Postgres: many writers take turns at the head, readers on any replica.

mod draft;
mod listen;
mod raw_reader;
mod raw_writer;
mod reader;
mod rows;
mod types;
mod writer;

pub use listen::listen;
pub use raw_writer::PostgresRawWriter;
pub use reader::PostgresReader;
pub use writer::PostgresWriter;

use crate::log::LogError;

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
