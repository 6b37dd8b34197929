//! The files of read models, read from outside, while a server may be using them.
//!
//! `projections` opens them for writing and clears up after interrupted rebuilds, which only the
//! holder of the data folder's lock may; this only looks.

use crate::cli::exit::CliError;
use rusqlite::{Connection, OptionalExtension};
use std::io::ErrorKind;
use std::path::Path;

/// The file that serves, of each read model that has one: name, file name.
pub(in crate::cli) fn serving(views: &Path) -> Result<Vec<(String, String)>, CliError> {
    let mut all = Vec::new();
    for registration in projections::registry::all() {
        let name = registration.name;
        let generation: u64 = match std::fs::read_to_string(views.join(format!("{name}.serving"))) {
            Ok(text) => text.trim().parse().unwrap_or(1),
            Err(error) if error.kind() == ErrorKind::NotFound => 1,
            Err(error) => return Err(CliError::failure(error)),
        };
        let file = format!("{name}.{generation}.db");
        if views.join(&file).is_file() {
            all.push((name.to_owned(), file));
        }
    }
    Ok(all)
}

/// How far a read model has come.
pub(in crate::cli) fn checkpoint(connection: &Connection, name: &str) -> Result<u64, CliError> {
    let position: Option<i64> = connection.query_row("SELECT position FROM checkpoints WHERE consumer = ?1", [name], |row| row.get(0)).optional()?;
    Ok(position.map_or(0, |position| u64::try_from(position).unwrap_or(0)))
}

/// An event that a consumer could not take in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(in crate::cli) struct Parked {
    /// Which consumer.
    pub consumer: String,
    /// Its place in the log.
    pub position: u64,
    /// Number of its stream.
    pub stream: u64,
    /// Why.
    pub error: String,
}

/// All parked events of one file.
pub(in crate::cli) fn parked(connection: &Connection) -> Result<Vec<Parked>, CliError> {
    let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
    let mut statement = connection.prepare("SELECT consumer, position, stream, error FROM parked ORDER BY consumer, position")?;
    let rows = statement
        .query_map([], |row| Ok(Parked { consumer: row.get(0)?, position: unsigned(row.get(1)?), stream: unsigned(row.get(2)?), error: row.get(3)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where every consumer of one file stands.
pub(in crate::cli) fn checkpoints(connection: &Connection) -> Result<Vec<(String, u64)>, CliError> {
    let mut statement = connection.prepare("SELECT consumer, position FROM checkpoints ORDER BY consumer")?;
    let rows = statement.query_map([], |row| {
        let position: i64 = row.get(1)?;
        Ok((row.get(0)?, u64::try_from(position).unwrap_or(0)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
