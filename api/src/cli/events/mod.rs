//! `bongsu events`: the log itself.

mod shown;

pub(super) use shown::EventShown;

use super::exit::CliError;
use super::folder::Folder;
use super::output::Output;
use clap::{Args, Subcommand};
use commands::log::LogReader;
use commands::ports::{Clock as _, SystemClock};
use std::time::Duration;

/// Events read at a time.
const PAGE: usize = 1_000;
/// Pause between two looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Reads the log of a data folder, while the server runs or not.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu events tail --type Sent,DeadLettered
  bongsu events read --after 1000 --limit 50 --json

Next: bongsu events catalogue explains each event")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Events {
    Tail(Tail),
    Read(Read),
    Catalogue(Catalogue),
}

/// Which events.
#[derive(Debug, Args)]
pub struct Filter {
    /// Which folder.
    #[command(flatten)]
    pub folder: Folder,
    /// Only these types, such as Sent,DeadLettered.
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Only of this stream: an id, with or without its kind before it.
    #[arg(long, value_name = "ID")]
    pub stream: Option<String>,
    /// Open personal parts with the master key of the folder.
    #[arg(long)]
    pub open: bool,
}

/// Follows new events until Ctrl-C; one a line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu events tail
  bongsu events tail --type Sent,Failed --json | jq .payload

Next: bongsu explain ID tells the story of one notification")]
pub struct Tail {
    /// Which.
    #[command(flatten)]
    pub filter: Filter,
    /// Begin so many events before the newest.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: u64,
}

/// Reads stored events in the order of the log; one a line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu events read --limit 100
  bongsu events read --after 5000 --type Requested --json
  bongsu events read --stream 0198c0de-0000-7000-8000-000000000001 --open

Next: bongsu events catalogue explains each event")]
pub struct Read {
    /// Which.
    #[command(flatten)]
    pub filter: Filter,
    /// Begin after this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub after: u64,
    /// At most so many.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// Explains every type of event, as Markdown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu events catalogue > docs/events.md

Next: bongsu events read --type Requested")]
pub struct Catalogue {}

impl Events {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        match self {
            Self::Catalogue(_) => out.line(domain::catalogue::markdown().trim_end()),
            Self::Read(read) => {
                read.filter.check()?;
                let log = read.filter.folder.log_opened(read.filter.open)?;
                follow(log.as_ref(), &read.filter, read.after, read.limit.unwrap_or(u64::MAX), false, out).await
            }
            Self::Tail(tail) => {
                tail.filter.check()?;
                let log = tail.filter.folder.log_opened(tail.filter.open)?;
                let from = log.head().await?.saturating_sub(tail.last);
                follow(log.as_ref(), &tail.filter, from, u64::MAX, true, out).await
            }
        }
    }
}

impl Filter {
    /// Refuses types that do not exist, which would otherwise match nothing, for ever.
    fn check(&self) -> Result<(), CliError> {
        let known: Vec<&'static str> = domain::Fact::catalogue().iter().map(|entry| entry.name).collect();
        for name in &self.types {
            if !known.contains(&name.as_str()) {
                let hint = crate::config::source::nearest(name, known.iter().copied()).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                return Err(CliError::usage(format!("there is no event type {name}{hint}")));
            }
        }
        Ok(())
    }

    fn wants(&self, event: &commands::log::Recorded) -> bool {
        let stream = event.stream.to_string();
        (self.types.is_empty() || self.types.iter().any(|name| name == event.fact.name()))
            && self.stream.as_deref().is_none_or(|wanted| stream == wanted || event.stream.id.to_string() == wanted)
    }
}

async fn follow(log: &dyn LogReader, filter: &Filter, mut after: u64, limit: u64, for_ever: bool, out: Output) -> Result<(), CliError> {
    let mut shown = 0;
    loop {
        let page = log.read_after(after, PAGE, filter.open).await?;
        for event in &page {
            after = event.position;
            if !filter.wants(event) {
                continue;
            }
            if shown >= limit {
                return Ok(());
            }
            shown += 1;
            let event = EventShown::of(event);
            if out.json {
                out.json_line(&event)?;
            } else {
                out.line(event.text())?;
            }
        }
        if page.is_empty() {
            if !for_ever {
                return Ok(());
            }
            SystemClock::default().sleep(LOOK_EVERY).await;
        }
    }
}
