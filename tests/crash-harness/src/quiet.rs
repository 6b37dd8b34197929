//! Waiting until nothing is owed any more, by looking into the log's file from outside.

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest time from the end of the faults until everything has ended.
const WITHIN: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(250);

/// What is owed, how far the table of it is, and how far the log is.
fn state(log: &Path) -> Result<(i64, i64, i64)> {
    let connection = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY).context("opening the log")?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // Only its one writer may checkpoint.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection.query_row(
        "SELECT (SELECT count(*) FROM pending_deliveries WHERE state IN (0, 1, 2)),
                (SELECT coalesce(max(position), 0) FROM checkpoints WHERE consumer = 'delivery'),
                (SELECT coalesce(max(position), 0) FROM events)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}

/// Returns once nothing is owed and the table says so of the whole log; the time it took.
pub async fn wait(log: &Path) -> Result<Duration> {
    let start = Instant::now();
    loop {
        let (owed, checkpoint, head) = state(log)?;
        if owed == 0 && checkpoint == head {
            return Ok(start.elapsed());
        }
        if start.elapsed() > WITHIN {
            bail!("after {} s {owed} deliveries are still owed, as of {checkpoint} of {head} events", WITHIN.as_secs());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
