//! The log in SQLite: one writer, `synchronous=FULL`, read-only readers beside it.

mod directory;
mod raw_reader;
mod raw_writer;
mod reader;
#[cfg(test)]
mod tests;
mod types;
mod writer;

pub use directory::StreamDirectory;
pub use raw_writer::SqliteRawWriter;
pub use reader::SqliteReader;
pub use writer::SqliteWriter;

use crate::database::DatabaseError;
use crate::log::LogError;

impl From<DatabaseError> for LogError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}

impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}
