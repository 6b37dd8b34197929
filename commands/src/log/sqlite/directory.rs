//! Which number a stream has. The newest streams are known in memory; the table
//! `stream_directory` has the others, and gets rows as [`RollingMerge`] says.

use crate::database::{Absent, RollingMerge, Slice};
use crate::log::append::LogError;
use crate::log::recorded::StreamNo;
use domain::StreamId;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::{PoisonError, RwLock};

/// Streams that wait in memory, 5 MB of them. With a million streams in the table sixteen share
/// the page that they dirty, with ten millions two.
const WAITING: usize = 131_072;

/// Streams in the table up to which what is not there is known in memory, in 16 MB at most: to read
/// more ids at the start would take seconds.
const KNOWN_ABSENT: i64 = 6_000_000;
/// Fewest streams that there is room for.
const ROOM: usize = 1_000_000;

const FIND: &str = "SELECT number FROM stream_directory WHERE kind = ?1 AND id = ?2";
const FIND_NEWER: &str = "SELECT number FROM streams WHERE number > (SELECT through FROM stream_directory_end) AND id = ?2 AND kind = ?1";
const NEWER: &str = "SELECT kind, id, number FROM streams WHERE number > (SELECT through FROM stream_directory_end)";
const ENTER: &str = "INSERT OR IGNORE INTO stream_directory (kind, id, number) VALUES (?1, ?2, ?3)";
const ENTERED_IDS: &str = "SELECT id FROM stream_directory";
const COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM stream_directory LIMIT ?1)";
const ENTERED: &str = "UPDATE stream_directory_end SET through = ?1";

/// A kind's number and an id, as in the table: a kind that only a newer build knows has its streams
/// entered all the same.
pub(super) type Key = (u8, [u8; 16]);

fn key(stream: StreamId) -> Key {
    (stream.kind.number(), stream.id.into_bytes())
}

/// See the module. What it tells of is committed.
#[derive(Debug)]
pub struct StreamDirectory {
    newest: RwLock<RollingMerge<Key>>,
    /// Of the table; nothing where it is too large.
    entered: RwLock<Option<Absent>>,
    most: usize,
}

impl Default for StreamDirectory {
    fn default() -> Self {
        Self::keeping(WAITING)
    }
}

impl StreamDirectory {
    /// Of an empty log, keeping so many streams in memory.
    pub(super) fn keeping(most: usize) -> Self {
        Self { newest: RwLock::new(RollingMerge::new(most, [], 0)), entered: RwLock::default(), most }
    }

    /// Forgets what it knows and reads what may not be in the table, from the file of a log whose
    /// newest stream is this.
    pub(super) fn load(&self, connection: &Connection, newest: StreamNo) -> Result<(), LogError> {
        let mut statement = connection.prepare(NEWER)?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs())))?;
        let waiting: Vec<(Key, StreamNo)> = rows.collect::<Result<_, _>>()?;
        *self.entered.write().unwrap_or_else(PoisonError::into_inner) = read_entered(connection)?;
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = RollingMerge::new(self.most, waiting, newest);
        Ok(())
    }

    /// The number of a committed stream. Must not be asked within a read transaction that began
    /// before: an entry may have left the memory for the table meanwhile.
    pub(super) fn find(&self, connection: &Connection, stream: StreamId) -> Result<Option<StreamNo>, LogError> {
        let waiting = self.newest.read().unwrap_or_else(PoisonError::into_inner).get(&key(stream));
        if waiting.is_some() {
            return Ok(waiting);
        }
        // In this order: what leaves the memory is among the entered before.
        let entered = self.entered.read().unwrap_or_else(PoisonError::into_inner);
        if entered.as_ref().is_some_and(|entered| entered.lacks(stream.id.into_bytes())) {
            return Ok(None);
        }
        drop(entered);
        find_with(connection, FIND, stream)
    }

    /// Enters what is due in a transaction that opens `coming` streams.
    pub(super) fn enter(&self, connection: &Connection, coming: usize) -> Result<Slice<Key>, LogError> {
        let slice = self.newest.read().unwrap_or_else(PoisonError::into_inner).slice(coming);
        if !slice.entries.is_empty() {
            self.tell_entered(&slice);
            let mut statement = connection.prepare_cached(ENTER)?;
            for ((kind, id), number) in &slice.entries {
                statement.execute(params![kind, id.as_slice(), number.cast_signed()])?;
            }
        }
        if let Some(through) = slice.through {
            connection.prepare_cached(ENTERED)?.execute([through.cast_signed()])?;
        }
        Ok(slice)
    }

    /// Before it is done: what is said to be there and is not only costs a look.
    fn tell_entered(&self, slice: &Slice<Key>) {
        let mut entered = self.entered.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entered.as_mut() {
            slice.entries.iter().for_each(|((_, id), _)| known.add(*id));
        }
        if entered.as_ref().is_some_and(Absent::is_overfull) {
            *entered = None;
        }
    }

    /// That transaction is durable.
    pub(super) fn committed(&self, slice: &Slice<Key>, opened: impl IntoIterator<Item = (StreamId, StreamNo)>, newest: StreamNo) {
        self.newest.write().unwrap_or_else(PoisonError::into_inner).committed(slice, opened.into_iter().map(|(stream, number)| (key(stream), number)), newest);
    }
}

/// What the table lacks, unless it is too large.
fn read_entered(connection: &Connection) -> Result<Option<Absent>, LogError> {
    let count: i64 = connection.query_row(COUNT, [KNOWN_ABSENT + 1], |row| row.get(0))?;
    if count > KNOWN_ABSENT {
        return Ok(None);
    }
    let mut entered = Absent::with_capacity(usize::try_from(2 * count).unwrap_or(0).max(ROOM));
    let mut statement = connection.prepare(ENTERED_IDS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        entered.add(row.get(0)?);
    }
    Ok(Some(entered))
}

/// The number of a stream for one who does not share the writer's memory, such as another process.
pub(super) fn find_without(connection: &Connection, stream: StreamId) -> Result<Option<StreamNo>, LogError> {
    // In this order: meanwhile a row may come into the first table, and none leaves the second.
    match find_with(connection, FIND_NEWER, stream)? {
        Some(number) => Ok(Some(number)),
        None => find_with(connection, FIND, stream),
    }
}

fn find_with(connection: &Connection, sql: &str, stream: StreamId) -> Result<Option<StreamNo>, LogError> {
    let number: Option<i64> =
        connection.prepare_cached(sql)?.query_row(params![stream.kind.number(), stream.id.as_bytes().as_slice()], |row| row.get(0)).optional()?;
    Ok(number.map(i64::unsigned_abs))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::StreamDirectory;
    use crate::database::Readers;
    use crate::log::sqlite::{SqliteReader, SqliteWriter};
    use crate::log::{Batch, Commit, CommitOutcome, KeyStore, LogReader, LogWriter, MasterKey, Metadata, Sealer, StreamAppend};
    use crate::ports::SeededRandom;
    use domain::event::Personal;
    use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
    use domain::values::Channel;
    use domain::{AggregateKind, StreamId};
    use std::path::Path;
    use std::sync::Arc;
    use uuid::Uuid;

    fn sealer(folder: &Path) -> Sealer {
        let random = Arc::new(SeededRandom::new(7));
        Sealer::new(Arc::new(KeyStore::open(&folder.join("keys.db"), MasterKey::new([3; 32]), random.clone()).unwrap()), random)
    }

    fn writer(folder: &Path) -> SqliteWriter {
        SqliteWriter::open_with(folder.join("log.db"), sealer(folder), StreamDirectory::keeping(10)).unwrap()
    }

    fn stream(n: usize) -> StreamId {
        StreamId::new(AggregateKind::Subscription, Uuid::from_u128((n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834)))
    }

    /// A batch that opens a stream each.
    fn batch(streams: impl IntoIterator<Item = usize>) -> Batch {
        let event = SubscriptionEvent::Unsubscribed(Unsubscribed {
            recipient: None,
            scope: Scope::Channel(Channel::Email),
            by: ChangedBy::Recipient,
            source: Source::Api,
            personal: Personal::Erased,
        });
        let append = |n| StreamAppend { stream: stream(n), number: None, expected: 0, events: vec![event.clone().into()] };
        let commit = |n| Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![append(n)], expectations: Vec::new() };
        Batch { commits: streams.into_iter().map(commit).collect(), rows: Vec::new() }
    }

    fn open(writer: &mut SqliteWriter, streams: impl IntoIterator<Item = usize>) -> Vec<CommitOutcome> {
        writer.append(batch(streams), 1_000).unwrap()
    }

    fn conflicts(outcomes: &[CommitOutcome]) -> usize {
        outcomes.iter().filter(|outcome| matches!(outcome, CommitOutcome::Conflict { .. })).count()
    }

    #[tokio::test]
    async fn every_stream_is_found_and_opened_once_however_many_there_are_and_whoever_asks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        for round in 0..4 {
            // Each round as after a restart.
            let mut writer = writer(folder.path());
            for n in (round * 60..(round + 1) * 60).step_by(3) {
                assert_eq!(conflicts(&open(&mut writer, n..n + 3)), 0);
            }
            let known = (round + 1) * 60;
            assert_eq!(conflicts(&open(&mut writer, 0..known)), known, "each is there already");
            let beside = SqliteReader::new(Readers::new(path.clone(), 1), sealer(folder.path())).beside(Arc::clone(writer.directory()));
            let apart = SqliteReader::new(Readers::new(path.clone(), 1), sealer(folder.path()));
            for n in 0..known {
                assert_eq!(beside.stream_number(stream(n)).await.unwrap(), Some(n as u64 + 1));
                assert_eq!(apart.stream_number(stream(n)).await.unwrap(), Some(n as u64 + 1));
            }
            assert_eq!((beside.stream_number(stream(known)).await.unwrap(), apart.stream_number(stream(known)).await.unwrap()), (None, None));
        }
        let (entered, through): (i64, i64) = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row("SELECT (SELECT count(*) FROM stream_directory), through FROM stream_directory_end", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert!(entered >= 200 && through > 100, "hardly any wait: {entered} entered, all up to {through}");
    }

    #[test]
    fn a_batch_that_fails_leaves_nothing_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path());
        open(&mut writer, 0..30);
        let blocker = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
        blocker.execute_batch("CREATE TRIGGER full BEFORE INSERT ON stream_directory BEGIN SELECT RAISE(ABORT, 'disk full'); END").unwrap();
        assert!(writer.append(batch([30]), 1_000).is_err());
        blocker.execute_batch("DROP TRIGGER full").unwrap();
        assert_eq!(conflicts(&open(&mut writer, 30..40)), 0, "nothing is known of what failed");
        assert_eq!(conflicts(&open(&mut writer, 0..40)), 40);
    }
}
