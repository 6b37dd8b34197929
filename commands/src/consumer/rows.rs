//! Where a consumer's rows live: beside the log (in its transactions), or in a file of their own.

use super::changes::{Changes, Sql, execute};
use crate::database::{self, DatabaseError, Deferral, DeferredIndex, IndexKey, Migrations, Readers, Threads};
use crate::log::{Committer, LogError, Position};
use rusqlite::{Connection, OptionalExtension};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Why rows could not be changed; worth trying again, but for [`Self::Fenced`].
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The file refuses.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The log refuses.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Another replica runs this consumer now; nothing was changed.
    #[error("another replica runs this consumer now")]
    Fenced,
}

impl From<rusqlite::Error> for RowsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The future of a change.
pub type Changing<'a, T> = Pin<Box<dyn Future<Output = Result<T, RowsError>> + Send + 'a>>;

/// Where a consumer stands.
pub(super) static SET_CHECKPOINT: Sql = Sql {
    text: "INSERT INTO checkpoints (consumer, position) VALUES (?1, ?2) ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
    types: "ti",
    key: 1,
};
const GET_CHECKPOINT: &str = "SELECT position FROM checkpoints WHERE consumer = ?1";
const PARKED: &str = "SELECT DISTINCT stream FROM parked WHERE consumer = ?1";

/// Port to a consumer's rows.
pub trait Rows: Send + Sync + 'static {
    /// Where the consumer stands, whoever runs it.
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position>;
    /// Where the consumer stands, for who is about to run it: whoever ran it before changes nothing
    /// from now on.
    fn begin(&self, consumer: &'static str) -> Changing<'_, Position> {
        self.checkpoint(consumer)
    }
    /// Whether other replicas may run it.
    fn is_shared(&self) -> bool {
        false
    }
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
        changes.push(&SET_CHECKPOINT, vec![consumer.into(), checkpoint.into()]);
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
    deferral: Option<Deferral>,
    /// There once what it defers is complete.
    deferred: Arc<OnceLock<DeferredIndex>>,
}

/// Reads of one file at once.
const READERS: usize = 4;

impl FileRows {
    /// Opens or creates the file.
    pub fn open(path: &Path, migrations: Migrations, deferral: Option<Deferral>) -> Result<Self, DatabaseError> {
        let mut connection = database::open_writer(path)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        database::migrate(&mut connection, migrations)?;
        let name = path.file_stem().map_or_else(|| "writer".to_owned(), |stem| format!("write {}", stem.to_string_lossy()));
        Ok(Self {
            writer: Arc::new(Mutex::new(connection)),
            thread: Threads::new(name, 1),
            readers: Readers::new(path.to_owned(), READERS),
            deferral,
            deferred: Arc::default(),
        })
    }

    /// Read-only connections to it.
    pub const fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Makes the indexes of all rows there are, by SQL that may be executed again. Until then
    /// nothing is entered into a deferred one: filling it from the finished rows is quicker.
    pub fn index(&self, sql: &'static str) -> Result<(), DatabaseError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.execute_batch(sql)?;
        if let Some(how) = self.deferral {
            self.deferred.get_or_init(|| DeferredIndex::new(how));
        }
        drop(writer);
        Ok(())
    }

    /// Runs a read in one snapshot, with the numbers of all rows of a key that the deferred index
    /// may lack in it.
    pub async fn read_by_key<T, E>(&self, key: IndexKey, read: impl FnOnce(&Connection, &[u64]) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + From<rusqlite::Error> + Send + 'static,
    {
        let deferred = Arc::clone(&self.deferred);
        let read = move |connection: &Connection| match deferred.get() {
            Some(deferred) => deferred.read(connection, &key, read),
            None => read(connection, &[]),
        };
        self.readers.read(read).await
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
        changes.push(&SET_CHECKPOINT, vec![consumer.into(), checkpoint.into()]);
        let (writer, deferred) = (Arc::clone(&self.writer), Arc::clone(&self.deferred));
        Box::pin(async move {
            let done = self.thread.run(move |_| {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let due = deferred.get().map(|index| (index, index.coming(changes.entries())));
                let transaction = writer.transaction()?;
                execute(&transaction, &changes)?;
                if let Some((index, due)) = &due {
                    index.enter(&transaction, due)?;
                }
                transaction.commit()?;
                if let Some((index, due)) = &due {
                    index.committed(due);
                }
                Ok::<_, rusqlite::Error>(())
            });
            Ok(done.await??)
        })
    }
}
