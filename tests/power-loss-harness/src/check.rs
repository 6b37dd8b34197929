//! Judges one image: what had been promised before the power loss is there, and nothing else came.
//!
//! It opens the databases with SQLite as any program could, which recovers them, and shares no
//! code with the server. Its connections write nothing: no shared memory, no checkpoint at the end.

use crate::reference::{GROWING, Reference, hash};
use anyhow::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::Path;

/// Wrongs that an image can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrong {
    /// What was acknowledged is not there, or cannot be read without its key.
    Lost,
    /// A database is damaged, or differs from what was written.
    Corrupt,
    /// Something arrived at a provider of which the log knows nothing.
    Unexplained,
    /// A read model, or the table of what is owed, is ahead of the log: it would skip events.
    Ahead,
    /// An administrator's key is in force that nobody has.
    LockedOut,
}

/// What an image should have, and the place at which the power went.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The recording.
    pub reference: &'a Reference,
    /// Bytes recorded.
    pub recorded: u64,
    /// The power was there up to this (ns since the epoch).
    pub moment: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many of each wrong, with the first one in words.
    pub wrongs: HashMap<Wrong, (usize, String)>,
    /// Events in the image's log.
    pub head: u64,
}

impl Findings {
    fn add(&mut self, wrong: Wrong, count: usize, what: impl FnOnce() -> String) {
        if count > 0 {
            self.wrongs.entry(wrong).or_insert_with(|| (0, what())).0 += count;
        }
    }
}

/// Opens a database such that looking at it changes nothing: the index of its journal is kept in
/// memory, and closing copies nothing.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Everything is read twice: pages stay for the second time.
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

fn sound(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((answer != "ok").then_some(answer))
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [name], |row| row.get(0))
}

/// Judges the data folder of an image.
pub fn check(data: &Path, expected: &Expected<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let reference = expected.reference;
    let log = data.join("log.db");
    if log.exists()
        && let Err(error) = check_log(&log, reference, &mut findings)
    {
        findings.add(Wrong::Corrupt, 1, || format!("log.db: {error}"));
    }
    let head = findings.head;
    let missing: Vec<_> = reference.promised(expected.recorded).iter().filter(|promise| promise.position.is_none_or(|position| position > head)).collect();
    findings.add(Wrong::Lost, missing.len(), || {
        let first = missing[0];
        format!("{} was promised at {:?}, the log ends at {head}; {} in all", first.answer.id, first.position, missing.len())
    });
    let unknown = reference.arrived(expected.moment).iter().filter(|arrived| arrived.position.is_some_and(|position| position > head)).count();
    findings.add(Wrong::Unexplained, unknown, || format!("{unknown} arrivals belong to attempts that the log does not know; it ends at {head}"));
    if head > 0 {
        check_keys(&data.join("keys.db"), reference, &mut findings);
        if std::fs::read_to_string(data.join("master.key")).ok().as_ref() != Some(&reference.master) {
            findings.add(Wrong::Lost, 1, || "the master key is not there".to_owned());
        }
        let whole = std::fs::read_to_string(data.join("admin.key")).is_ok_and(|key| key.ends_with('\n') && key.len() > 8);
        if reference.administrator.is_some_and(|position| position <= head) && !whole {
            findings.add(Wrong::LockedOut, 1, || "an administrator's key is in force and admin.key is not there".to_owned());
        }
    }
    let Ok(views) = std::fs::read_dir(data.join("views")) else { return Ok(findings) };
    for view in views {
        let path = view?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Err(error) = check_view(&path, &name, reference, &mut findings) {
                findings.add(Wrong::Corrupt, 1, || format!("{name}: {error}"));
            }
        }
    }
    Ok(findings)
}

/// The log is sound, and a beginning of what was written; sets the head.
fn check_log(path: &Path, reference: &Reference, findings: &mut Findings) -> rusqlite::Result<()> {
    let connection = open(path)?;
    if let Some(damage) = sound(&connection)? {
        findings.add(Wrong::Corrupt, 1, || format!("log.db: {damage}"));
    }
    if !has_table(&connection, "events")? {
        return Ok(());
    }
    for (table, sql) in GROWING {
        let known = &reference.rows[table];
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            if known.get(count) != Some(&hash(row, columns)?) {
                findings.add(Wrong::Corrupt, 1, || format!("log.db: row {} of {table} is not what was written", count + 1));
                break;
            }
            count += 1;
        }
        if table == "events" {
            findings.head = count as u64;
        }
    }
    let (streams, through, listed): (i64, i64, i64) = connection.query_row(
        "SELECT (SELECT count(*) FROM streams), (SELECT max(through) FROM stream_directory_end),
                (SELECT count(*) FROM stream_directory WHERE number <= (SELECT max(through) FROM stream_directory_end))",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if through > streams || listed != through {
        findings.add(Wrong::Corrupt, 1, || format!("log.db: {listed} streams are in the directory, which is said to be whole up to {through} of {streams}"));
    }
    let head = findings.head;
    let table: i64 = connection.query_row("SELECT coalesce(max(position), 0) FROM checkpoints", [], |row| row.get(0))?;
    if table.unsigned_abs() > head {
        findings.add(Wrong::Ahead, 1, || format!("what is owed is known up to {table}, the log ends at {head}"));
    }
    Ok(())
}

/// All keys that the image's events need are there, as they were made.
fn check_keys(path: &Path, reference: &Reference, findings: &mut Findings) {
    let found = || -> rusqlite::Result<HashMap<Vec<u8>, Vec<u8>>> {
        if !path.exists() {
            return Ok(HashMap::new());
        }
        let connection = open(path)?;
        if let Some(damage) = sound(&connection)? {
            return Err(rusqlite::Error::InvalidParameterName(damage));
        }
        if !has_table(&connection, "keys")? {
            return Ok(HashMap::new());
        }
        connection.prepare("SELECT subject, wrapped FROM keys")?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let keys = match found() {
        Ok(keys) => keys,
        Err(error) => {
            findings.add(Wrong::Corrupt, 1, || format!("keys.db: {error}"));
            return;
        }
    };
    let head = findings.head;
    let needed = reference.sealed.iter().take_while(|(position, _)| *position <= head);
    let missing = needed.filter(|(_, subject)| keys.get(subject).is_none_or(|key| reference.keys.get(subject) != Some(key))).count();
    findings.add(Wrong::Lost, missing, || format!("{missing} keys are gone that events up to {head} are sealed with"));
}

/// A read model is sound, not ahead of the log, and has a row for each notification up to its
/// checkpoint. An older one is fine: it goes on from where it stands.
fn check_view(path: &Path, name: &str, reference: &Reference, findings: &mut Findings) -> rusqlite::Result<()> {
    let connection = open(path)?;
    if let Some(damage) = sound(&connection)? {
        findings.add(Wrong::Corrupt, 1, || format!("{name}: {damage}"));
    }
    if !has_table(&connection, "checkpoints")? {
        return Ok(());
    }
    let checkpoint: u64 = connection.query_row("SELECT coalesce(max(position), 0) FROM checkpoints", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
    let head = findings.head;
    if checkpoint > head {
        findings.add(Wrong::Ahead, 1, || format!("{name} stands at {checkpoint}, the log ends at {head}"));
    }
    if name.starts_with("notifications.") && has_table(&connection, "notifications")? {
        let expected = reference.requested.partition_point(|position| *position <= checkpoint);
        let found: i64 = connection.query_row("SELECT count(*) FROM notifications", [], |row| row.get(0))?;
        if found.unsigned_abs() != expected as u64 {
            findings.add(Wrong::Corrupt, 1, || format!("{name} has {found} notifications as of {checkpoint}, there are {expected}"));
        }
    }
    Ok(())
}
