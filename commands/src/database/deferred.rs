//! An index of a table whose newest entries wait in memory, so that they enter its B-tree in the
//! B-tree's order ([`RollingMerge`] says why, docs/decisions/0003 what it saves).
//!
//! The rows are the truth: an entry only says which rows to look at. So a reader gets too many
//! now and then, and never too few: what waits is known before its row is committed, and leaves
//! the memory after its entry is committed and while no reader is about to begin. Rows newer than
//! the last that is entered for certain are entered at the next opening. Keeping the rows
//! themselves in memory was rejected: they change, and would have to change in two places.

use super::rolling_merge::{RollingMerge, Slice};
use rusqlite::Connection;
use std::sync::{PoisonError, RwLock};

/// Entries of one key that wait: a reader looks at the row of each, so a busy key's further ones
/// are entered at once. Their pages are dirty anyway.
const OF_ONE_KEY: usize = 32;

/// A key, such as a recipient.
pub type IndexKey = [u8; 16];

/// How entries get into an index.
#[derive(Debug, Clone, Copy)]
pub struct Deferral {
    /// SQL that enters the row of number `?1` as it is now, or nothing if it is not to be found.
    pub enter: &'static str,
    /// SQL that notes that all rows up to number `?1` are entered.
    pub entered: &'static str,
    /// Entries that wait in memory, some 80 bytes each.
    pub waiting: usize,
}

/// See the module.
#[derive(Debug)]
pub struct DeferredIndex {
    how: Deferral,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    waiting: RollingMerge<(IndexKey, u64)>,
    newest: u64,
}

/// What is to be entered in one transaction.
#[derive(Debug)]
pub struct Due {
    at_once: Vec<u64>,
    slice: Slice<(IndexKey, u64)>,
}

impl DeferredIndex {
    /// Of rows that are all entered.
    pub fn new(how: Deferral) -> Self {
        Self { how, state: RwLock::new(State { waiting: RollingMerge::new(how.waiting, [], 0), newest: 0 }) }
    }

    /// Before a transaction that has these new rows, in the order of their numbers: they can be
    /// found from now on. If it fails, it is tried again with the same ones.
    pub fn coming(&self, entries: &[(IndexKey, u64)]) -> Due {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let slice = state.waiting.slice(entries.len());
        let mut at_once = Vec::new();
        for (key, number) in entries {
            if of(&state.waiting, key).nth(OF_ONE_KEY - 1).is_some() && state.waiting.get(&(*key, *number)).is_none() {
                at_once.push(*number);
            } else {
                state.waiting.wait((*key, *number), *number);
            }
            state.newest = state.newest.max(*number);
        }
        drop(state);
        Due { at_once, slice }
    }

    /// Within that transaction, after the rows.
    pub fn enter(&self, transaction: &Connection, due: &Due) -> rusqlite::Result<()> {
        let mut enter = transaction.prepare_cached(self.how.enter)?;
        for number in due.slice.entries.iter().map(|(_, number)| number).chain(&due.at_once) {
            enter.execute([number.cast_signed()])?;
        }
        if let Some(through) = due.slice.through {
            transaction.prepare_cached(self.how.entered)?.execute([through.cast_signed()])?;
        }
        Ok(())
    }

    /// That transaction is committed.
    pub fn committed(&self, due: &Due) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let newest = state.newest;
        state.waiting.committed(&due.slice, [], newest);
    }

    /// Runs a read in one snapshot, with the numbers of all rows of a key that the index may lack
    /// in it, in order.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        connection: &Connection,
        key: &IndexKey,
        read: impl FnOnce(&Connection, &[u64]) -> Result<T, E>,
    ) -> Result<T, E> {
        let snapshot = connection.unchecked_transaction()?;
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        // It begins with the first look at the file.
        connection.prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?.query_row([], |_| Ok(()))?;
        let waiting: Vec<u64> = of(&state.waiting, key).collect();
        drop(state);
        let found = read(connection, &waiting)?;
        snapshot.finish()?;
        Ok(found)
    }
}

fn of<'a>(waiting: &'a RollingMerge<(IndexKey, u64)>, key: &IndexKey) -> impl Iterator<Item = u64> + use<'a> {
    waiting.range((*key, 0)..=(*key, u64::MAX)).map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Deferral, DeferredIndex, Due, IndexKey, OF_ONE_KEY};
    use crate::database::{open_reader, open_writer};
    use rusqlite::{Connection, params};
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    const HOW: Deferral = Deferral {
        enter: "INSERT OR IGNORE INTO by_key (key, number) SELECT key, number FROM things WHERE number = ?1",
        entered: "UPDATE by_key_end SET through = max(through, ?1)",
        waiting: 20,
    };

    fn open(path: &Path) -> Connection {
        let connection = open_writer(path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE things (number INTEGER PRIMARY KEY, key BLOB);
                CREATE TABLE by_key (key BLOB, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID;
                CREATE TABLE by_key_end (through INTEGER);
                INSERT INTO by_key_end VALUES (0);",
            )
            .unwrap();
        connection
    }

    fn key(number: u64) -> IndexKey {
        u128::from(number % 13).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834).to_be_bytes()
    }

    fn write(connection: &mut Connection, index: &DeferredIndex, things: &[(IndexKey, u64)]) -> rusqlite::Result<Due> {
        let due = index.coming(things);
        let transaction = connection.transaction()?;
        for (key, number) in things {
            transaction.execute("INSERT INTO things (number, key) VALUES (?1, ?2)", params![number.cast_signed(), key])?;
        }
        index.enter(&transaction, &due)?;
        transaction.commit()?;
        index.committed(&due);
        Ok(due)
    }

    /// The rows of a key, and those of them that neither wait nor are in the index.
    fn look(connection: &Connection, index: &DeferredIndex, key: IndexKey) -> (i64, Vec<i64>) {
        index
            .read(connection, &key, |connection, waiting| {
                let all: i64 = connection.query_row("SELECT count(*) FROM things WHERE key = ?1", [key], |row| row.get(0))?;
                let mut lacking = connection.prepare_cached("SELECT number FROM things WHERE key = ?1 EXCEPT SELECT number FROM by_key WHERE key = ?1")?;
                let lacking: Vec<i64> = lacking.query_map([key], |row| row.get(0))?.collect::<Result<_, _>>()?;
                Ok::<_, rusqlite::Error>((all, lacking.into_iter().filter(|number| !waiting.contains(&number.unsigned_abs())).collect()))
            })
            .unwrap()
    }

    #[test]
    fn a_reader_misses_nothing_whatever_the_writer_does_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("things.db");
        let (mut writer, index, over) = (open(&path), DeferredIndex::new(HOW), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (path, index, over) = (&path, &index, &over);
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(move || {
                        let connection = open_reader(path).unwrap();
                        let (mut looks, mut most) = (0_u64, 0);
                        while !over.load(Ordering::Acquire) {
                            let (all, missed) = look(&connection, index, key(looks));
                            assert_eq!(missed, [0_i64; 0]);
                            (looks, most) = (looks + 1, most.max(all));
                        }
                        (looks, most)
                    })
                })
                .collect();
            for first in (1..6_000).step_by(6) {
                let things: Vec<_> = (first..first + 6).map(|number| (key(number * number), number)).collect();
                write(&mut writer, index, &things).unwrap();
            }
            over.store(true, Ordering::Release);
            for reader in readers {
                assert!(reader.join().is_ok_and(|(looks, most)| looks > 0 && most > 0));
            }
        });
        let through: i64 = writer.query_row("SELECT through FROM by_key_end", [], |row| row.get(0)).unwrap();
        let (entered, early): (i64, i64) =
            writer.query_row("SELECT count(*), count(*) FILTER (WHERE number <= ?1) FROM by_key", [through], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!(through > 5_000 && early == through, "all up to {through} are entered: {early}");
        assert!(entered < 6_000, "some wait");
    }

    #[test]
    fn what_fails_is_tried_again_and_what_never_comes_is_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, index) = (open(&folder.path().join("things.db")), DeferredIndex::new(Deferral { waiting: 2, ..HOW }));
        write(&mut writer, &index, &[(key(1), 1), (key(2), 2)]).unwrap();
        writer.execute_batch("CREATE TRIGGER full BEFORE INSERT ON by_key BEGIN SELECT RAISE(ABORT, 'disk full'); END").unwrap();
        let next = [(key(1), 3), (key(4), 4)];
        assert!(write(&mut writer, &index, &next).is_err());
        assert_eq!(look(&writer, &index, key(1)), (1, vec![]));
        writer.execute_batch("DROP TRIGGER full").unwrap();
        write(&mut writer, &index, &next).unwrap();
        for which in 1..5 {
            assert_eq!(look(&writer, &index, key(which)).1, [0_i64; 0]);
        }
    }

    #[test]
    fn a_busy_key_does_not_make_its_readers_look_at_many_rows() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, index) = (open(&folder.path().join("things.db")), DeferredIndex::new(Deferral { waiting: 1_000, ..HOW }));
        let things: Vec<_> = (1..=100).map(|number| (key(7), number)).collect();
        let due = write(&mut writer, &index, &things).unwrap();
        assert_eq!(due.at_once.len(), 100 - OF_ONE_KEY);
        assert_eq!(look(&writer, &index, key(7)), (100, vec![]));
        assert!(index.coming(&things[..OF_ONE_KEY]).at_once.is_empty(), "those that wait go on waiting when they come again");
    }
}
