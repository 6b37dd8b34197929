//! `bongsu projection`: the read models.

mod database;
pub(super) mod files;
mod rebuild;

use super::exit::CliError;
use super::folder::Folder;
use super::output::Output;
use super::remote::Remote;
use crate::config::Secret;
use clap::{Args, Subcommand};
use serde::Serialize;

/// Looks after the read models: what queries are answered from.
///
/// They can always be built anew from the log; building them never sends anything.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu projection list
  bongsu projection rebuild notifications

Next: bongsu projection parked shows events that could not be taken in")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Projection {
    List(List),
    Rebuild(Rebuild),
    Parked(Parked),
}

/// Shows where each read model and process manager stands.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu projection list
  bongsu projection list --data /var/lib/bongsu --json
  BONGSU_POSTGRES__URL=postgres://bongsu:...@db:5432/bongsu bongsu projection list

Next: bongsu projection rebuild NAME where one is behind or wrong")]
pub struct List {
    /// Which folder, or database.
    #[command(flatten)]
    pub folder: Folder,
}

/// Builds a read model anew from the whole log, beside the one that serves, and switches when it
/// has caught up.
///
/// A running server does it while it goes on; otherwise this command does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu projection rebuild notifications
  bongsu projection rebuild notifications --data /var/lib/bongsu --json

Next: bongsu projection list")]
pub struct Rebuild {
    /// Its name, as `projection list` shows it.
    pub name: String,
    /// Which server, and its folder.
    #[command(flatten)]
    pub remote: Remote,
}

/// Shows events that a read model or process manager could not take in.
///
/// The later events of their streams wait with them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu projection parked
  bongsu projection parked --json
  BONGSU_POSTGRES__URL=postgres://bongsu:...@db:5432/bongsu bongsu projection parked

Next: bongsu events read --after POSITION-1 --limit 1 shows the event; after an upgrade that can
read it, bongsu projection rebuild NAME")]
pub struct Parked {
    /// Which folder, or database.
    #[command(flatten)]
    pub folder: Folder,
}

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    position: u64,
    behind: u64,
    parked: usize,
    #[serde(flatten)]
    place: Place,
}

/// Where the rows are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// In the data folder.
    File(String),
    /// In Postgres.
    Schema(String),
}

impl Projection {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(out).await,
            Self::Rebuild(rebuild) => rebuild::run(rebuild, out).await,
            Self::Parked(parked) => parked.run(out).await,
        }
    }
}

impl List {
    async fn run(self, out: Output) -> Result<(), CliError> {
        let all = match &self.folder.postgres {
            Some(url) => in_database(&self.folder, url).await?,
            None => in_files(&self.folder).await?,
        };
        if out.json {
            return out.json_value(&all);
        }
        let row = |shown: Shown| {
            let (Place::File(place) | Place::Schema(place)) = shown.place;
            vec![shown.name, shown.position.to_string(), shown.behind.to_string(), shown.parked.to_string(), place]
        };
        let place = if self.folder.postgres.is_some() { "schema" } else { "file" };
        out.table(&["name", "position", "behind", "parked", place], &all.into_iter().map(row).collect::<Vec<_>>())
    }
}

async fn in_files(folder: &Folder) -> Result<Vec<Shown>, CliError> {
    let data = folder.existing()?;
    let head = folder.log()?.head().await?;
    let mut all = Vec::new();
    for (name, file) in files::serving(&data.views())? {
        let connection = commands::database::open_reader(&data.views().join(&file))?;
        let (position, parked) = (files::checkpoint(&connection, &name)?, files::parked(&connection)?);
        all.push(Shown { position, behind: head.saturating_sub(position), parked: parked.len(), name, place: Place::File(format!("views/{file}")) });
    }
    let connection = commands::database::open_reader(&data.log())?;
    let parked = files::parked(&connection)?;
    for (name, position) in files::checkpoints(&connection)? {
        all.push(Shown::of(name, position, head, &parked, Place::File("log.db".to_owned())));
    }
    Ok(all)
}

async fn in_database(folder: &Folder, url: &Secret) -> Result<Vec<Shown>, CliError> {
    let kept = database::kept(url).await?;
    let head = folder.log()?.head().await?;
    let shown = |kept: &database::Kept| -> Vec<Shown> {
        kept.consumers.iter().map(|(name, position)| Shown::of(name.clone(), *position, head, &kept.parked, kept.place())).collect()
    };
    Ok(kept.iter().flat_map(shown).collect())
}

impl Shown {
    fn of(name: String, position: u64, head: u64, parked: &[files::Parked], place: Place) -> Self {
        let parked = parked.iter().filter(|event| event.consumer == name).count();
        Self { name, position, behind: head.saturating_sub(position), parked, place }
    }
}

impl Parked {
    async fn run(self, out: Output) -> Result<(), CliError> {
        let mut all = Vec::new();
        if let Some(url) = &self.folder.postgres {
            all.extend(database::kept(url).await?.into_iter().flat_map(|kept| kept.parked));
        } else {
            let data = self.folder.existing()?;
            all.extend(files::parked(&commands::database::open_reader(&data.log())?)?);
            for (_, file) in files::serving(&data.views())? {
                all.extend(files::parked(&commands::database::open_reader(&data.views().join(&file))?)?);
            }
        }
        if out.json {
            return out.json_value(&all);
        }
        if all.is_empty() {
            return out.line("No event is parked.");
        }
        let rows: Vec<Vec<String>> =
            all.into_iter().map(|event| vec![event.consumer, event.position.to_string(), event.stream.to_string(), event.error]).collect();
        out.table(&["consumer", "position", "stream", "error"], &rows)
    }
}
