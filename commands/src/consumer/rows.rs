//! Where a consumer's rows live: beside the log (in its transactions), or in a file of their own.

use super::changes::{Changes, execute};
use crate::database::{self, DatabaseError, Migrations, Readers, Threads};
use crate::log::{Committer, LogError, Position};
use rusqlite::{Connection, OptionalExtension};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Why rows could not be changed; always worth trying again.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The file refuses.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The log refuses.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<rusqlite::Error> for RowsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The future of a change.
pub type Changing<'a, T> = Pin<Box<dyn Future<Output = Result<T, RowsError>> + Send + 'a>>;

const SET_CHECKPOINT: &str = "INSERT INTO checkpoints (consumer, position) VALUES (?1, ?2) ON CONFLICT (consumer) DO UPDATE SET position = excluded.position";
const GET_CHECKPOINT: &str = "SELECT position FROM checkpoints WHERE consumer = ?1";
const PARKED: &str = "SELECT DISTINCT stream FROM parked WHERE consumer = ?1";

/// Port to a consumer's rows.
pub trait Rows: Send + Sync + 'static {
    /// Where the consumer stands.
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position>;
    /// Streams that the consumer has parked.
    fn parked(&self, consumer: &'static str) -> Changing<'_, Vec<u64>>;
    /// Changes rows and checkpoint in one transaction.
    fn apply(&self, consumer: &'static str, changes: Changes, checkpoint: Position) -> Changing<'_, ()>;
}

/// Rows in the log's own database.
#[derive(Debug, Clone)]
pub struct LogRows {
    committer: Committer,
    readers: Readers,
}

impl LogRows {
    /// Over the log.
    pub const fn new(committer: Committer, readers: Readers) -> Self {
        Self { committer, readers }
    }
}

fn read_checkpoint(connection: &Connection, consumer: &str) -> Result<Position, RowsError> {
    let position: Option<i64> = connection.prepare_cached(GET_CHECKPOINT)?.query_row([consumer], |row| row.get(0)).optional()?;
    Ok(position.and_then(|position| u64::try_from(position).ok()).unwrap_or(0))
}

fn read_parked(connection: &Connection, consumer: &str) -> Result<Vec<u64>, RowsError> {
    let mut statement = connection.prepare_cached(PARKED)?;
    let streams = statement.query_map([consumer], |row| row.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(streams.into_iter().filter_map(|stream| u64::try_from(stream).ok()).collect())
}

impl Rows for LogRows {
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position> {
        Box::pin(self.readers.read(move |connection| read_checkpoint(connection, consumer)))
    }

    fn parked(&self, consumer: &'static str) -> Changing<'_, Vec<u64>> {
        Box::pin(self.readers.read(move |connection| read_parked(connection, consumer)))
    }

    fn apply(&self, consumer: &'static str, mut changes: Changes, checkpoint: Position) -> Changing<'_, ()> {
        changes.push(SET_CHECKPOINT, vec![consumer.into(), checkpoint.into()]);
        Box::pin(async move { Ok(self.committer.change_rows(changes).await?) })
    }
}

/// Rows in a file of their own, which can be rebuilt from the log: written `NORMAL`, since losing
/// the newest transactions to a power cut loses rows and checkpoint alike.
#[derive(Debug, Clone)]
pub struct FileRows {
    writer: Arc<Mutex<Connection>>,
    thread: Threads<()>,
    readers: Readers,
}

/// Reads of one file at once.
const READERS: usize = 4;

impl FileRows {
    /// Opens or creates the file.
    pub fn open(path: &Path, migrations: Migrations) -> Result<Self, DatabaseError> {
        let mut connection = database::open_writer(path)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        database::migrate(&mut connection, migrations)?;
        let name = path.file_stem().map_or_else(|| "writer".to_owned(), |stem| format!("write {}", stem.to_string_lossy()));
        Ok(Self { writer: Arc::new(Mutex::new(connection)), thread: Threads::new(name, 1), readers: Readers::new(path.to_owned(), READERS) })
    }

    /// Read-only connections to it.
    pub const fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Executes statements of the schema's, such as those that make indexes.
    pub fn execute(&self, sql: &'static str) -> Result<(), DatabaseError> {
        Ok(self.writer.lock().unwrap_or_else(PoisonError::into_inner).execute_batch(sql)?)
    }

    /// Copies the file, consistently.
    pub fn backup(&self, to: &Path) -> Result<(), DatabaseError> {
        database::backup(&self.writer.lock().unwrap_or_else(PoisonError::into_inner), to)
    }
}

impl Rows for FileRows {
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position> {
        Box::pin(self.readers.read(move |connection| read_checkpoint(connection, consumer)))
    }

    fn parked(&self, consumer: &'static str) -> Changing<'_, Vec<u64>> {
        Box::pin(self.readers.read(move |connection| read_parked(connection, consumer)))
    }

    fn apply(&self, consumer: &'static str, mut changes: Changes, checkpoint: Position) -> Changing<'_, ()> {
        changes.push(SET_CHECKPOINT, vec![consumer.into(), checkpoint.into()]);
        let writer = Arc::clone(&self.writer);
        Box::pin(async move {
            let done = self.thread.run(move |_| {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let transaction = writer.transaction()?;
                execute(&transaction, &changes)?;
                transaction.commit()
            });
            Ok(done.await??)
        })
    }
}
