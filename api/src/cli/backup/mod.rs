//! `bongsu backup`: a consistent copy of a data folder, while the server runs.
//!
//! The order makes it consistent without stopping anybody: read models first, then the log, then
//! the keys. So no read model is ahead of the log, and no event lacks its key. Each file is a
//! snapshot of its own. The manifest is written last: without it the copy is not a backup.

pub(super) mod manifest;
#[cfg(test)]
mod tests;

use super::exit::{CliError, Exit};
use super::folder::Folder;
use super::output::Output;
use crate::app::data_dir::{DataDir, create_private, write_private};
use clap::Args;
use commands::ports::{Clock, SystemClock};
use manifest::{Copied, Manifest};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Copies a data folder into an empty one, while the server runs or not.
///
/// Keys go into its folder keys/: keep that apart from the rest, since whoever has both can read
/// everything. The master key is not copied.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu backup /backups/2026-01-31
  bongsu backup /backups/2026-01-31 --data /var/lib/bongsu --json

Next: keep master.key somewhere safe too; bongsu restore --from /backups/2026-01-31 --data ./try")]
pub struct Backup {
    /// Folder to copy to; it is created, or must be empty.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    /// Which folder.
    #[command(flatten)]
    pub folder: Folder,
}

const NOTE: &str = "keys.db holds one key for each recipient, wrapped by the master key. The master key (master.key of
the data folder, or BONGSU_MASTER_KEY) is not in this backup: without it keys.db is worthless, with
it and the log everything can be read. Keep the three apart. When recipients are erased, delete the
older copies of keys.db; that is what erases them from the backups.";

impl Backup {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let data = self.folder.existing()?;
        let made = tokio::task::spawn_blocking(move || self.copy(&data)).await.map_err(CliError::failure)??;
        if out.json {
            return out.json_value(&made);
        }
        let rows: Vec<Vec<String>> = made
            .files
            .iter()
            .map(|file| vec![file.name.clone(), file.bytes.to_string(), file.position.map_or_else(String::new, |position| position.to_string())])
            .collect();
        out.table(&["file", "bytes", "position"], &rows)?;
        out.note("\nThe master key is not in it. Keep that, and the folder keys/, apart from the rest.");
        Ok(())
    }

    fn copy(&self, data: &DataDir) -> Result<Manifest, CliError> {
        empty(&self.to)?;
        create_private(&self.to)?;
        create_private(&self.to.join("views"))?;
        create_private(&self.to.join("keys"))?;
        let mut files = Vec::new();
        for (name, generation) in super::projection::files::serving(&data.views())? {
            let source = data.views().join(&generation);
            let connection = snapshot(&source)?;
            let position = super::projection::files::checkpoint(&connection, &name)?;
            let target = format!("views/{generation}");
            files.push(self.database(&connection, &target, Some(position))?);
            let pointer = format!("{name}.serving");
            let from = data.views().join(&pointer);
            if from.exists() {
                let text = std::fs::read_to_string(&from).map_err(CliError::failure)?;
                write_private(&self.to.join("views").join(&pointer), text.trim())?;
                files.push(Copied::of(&self.to, &format!("views/{pointer}"), None)?);
            }
        }
        let connection = snapshot(&data.log())?;
        let head = head(&connection)?;
        files.push(self.database(&connection, "log.db", Some(head))?);
        drop(connection);
        let connection = snapshot(&data.keys())?;
        files.push(self.database(&connection, "keys/keys.db", None)?);
        write_private(&self.to.join("keys/README.txt"), NOTE)?;
        let manifest = Manifest::new(SystemClock::default().now(), head, files);
        let text = serde_json::to_string_pretty(&manifest).map_err(CliError::failure)?;
        write_private(&self.to.join(manifest::FILE), &text)?;
        Ok(manifest)
    }

    fn database(&self, connection: &Connection, name: &str, position: Option<u64>) -> Result<Copied, CliError> {
        let target = self.to.join(name);
        commands::database::backup(connection, &target)?;
        std::fs::File::open(&target).and_then(|file| file.sync_all()).map_err(CliError::failure)?;
        Copied::of(&self.to, name, position)
    }
}

/// A connection that sees the database as of now, whatever is written meanwhile. Without the open
/// transaction every write of the server would make SQLite begin the copy again.
fn snapshot(path: &Path) -> Result<Connection, CliError> {
    let connection = commands::database::open_reader(path)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    Ok(connection)
}

/// The newest position of a log.
pub(super) fn head(connection: &Connection) -> Result<u64, CliError> {
    let head: i64 = connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0))?;
    Ok(u64::try_from(head).unwrap_or(0))
}

/// Refuses a folder with anything in it.
pub(super) fn empty(folder: &Path) -> Result<(), CliError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CliError::new(Exit::Conflict, format!("{} is not empty; name another folder, nothing is overwritten", folder.display()))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::failure(format!("{} cannot be used: {error}", folder.display()))),
    }
}
