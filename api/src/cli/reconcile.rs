//! `bongsu reconcile`: the books with each provider.

use super::exit::CliError;
use super::folder::Folder;
use super::output::{Output, rfc3339};
use chrono::{Days, NaiveDate, NaiveTime};
use clap::Args;
use commands::ports::{Clock as _, SystemClock};
use projections::reconciliation::{Reconciliation, Row, Scope, Theirs, scan};
use std::fs::File;
use std::io::{BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Compares, per day, provider and channel, what we sent with what the provider took and reported,
/// and lists every attempt where the two differ.
///
/// It reads the log, and may run beside the server. With a list downloaded from the provider it also
/// finds what the provider lost, has twice, or has and we hold for refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu reconcile
  bongsu reconcile --day 2026-11-21 --provider twilio
  bongsu reconcile --day 2026-11-21 --provider twilio --against twilio-messages.ndjson
  bongsu reconcile --from 2026-11-01 --days 7 --json

A list has one JSON object a line, with our ids (notification, delivery, attempt) or the provider's
(provider_id or sid). Exit status 1 says that there are differences.

Next: bongsu explain ID for a notification that is named")]
pub struct Reconcile {
    /// Which folder.
    #[command(flatten)]
    pub folder: Folder,
    /// The day (UTC); today when left out.
    #[arg(long, value_name = "DAY", conflicts_with = "from")]
    pub day: Option<NaiveDate>,
    /// The first of several days (UTC).
    #[arg(long, value_name = "DAY")]
    pub from: Option<NaiveDate>,
    /// How many days from there.
    #[arg(long, value_name = "COUNT", requires = "from", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=366))]
    pub days: u64,
    /// Only this provider, by its configured name.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// The provider's own list; needs --provider.
    #[arg(long, value_name = "FILE", requires = "provider")]
    pub against: Option<PathBuf>,
    /// How long a provider may take to report before it is missed, such as 1h.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub patience: Duration,
    /// Attempts to look at, at most; each takes about 200 bytes of memory.
    #[arg(long, value_name = "COUNT", default_value_t = projections::reconciliation::MOST_ATTEMPTS)]
    pub most: usize,
}

impl Reconcile {
    pub(super) async fn run(self, out: Output) -> Result<ExitCode, CliError> {
        let log = self.folder.log()?;
        let now = SystemClock::default().now();
        let first = self.day.or(self.from).or_else(|| Some(chrono::DateTime::from_timestamp_millis(now)?.date_naive()));
        let after = first.and_then(|first| first.checked_add_days(Days::new(self.days)));
        let (Some(first), Some(after)) = (first, after) else { return Err(CliError::failure("that day is beyond the calendar".to_owned())) };
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let patience = i64::try_from(self.patience.as_millis()).unwrap_or(i64::MAX);
        let scope = Scope { from: midnight(first), upto: midnight(after), provider: self.provider.clone(), patience };
        let theirs = self.against.as_ref().map(|path| list(path, self.provider.as_deref())).transpose()?;
        let mut progress = super::output::Progress::new("events", std::io::stderr().is_terminal());
        let books = scan(log.as_ref(), scope, theirs.as_ref(), now, self.most, |position, head| progress.at(position, head, None));
        let books = books.await.map_err(|error| CliError::failure(error.to_string()))?;
        progress.finish();
        if out.json {
            out.json_value(&books)?;
        } else {
            out.line(text(&books))?;
        }
        Ok(if books.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let millis = crate::config::duration_millis(text).and_then(|millis| u64::try_from(millis).ok());
    millis.map(Duration::from_millis).ok_or_else(|| "must be a time such as 30s, 10m, 1h or 2d".to_owned())
}

fn list(path: &PathBuf, provider: Option<&str>) -> Result<Theirs, CliError> {
    let file = File::open(path).map_err(|error| CliError::failure(format!("{} cannot be opened: {error}", path.display())))?;
    Theirs::read(BufReader::new(file), provider).map_err(|error| CliError::failure(format!("{}: {error}", path.display())))
}

/// `9.9 KRW + 0.0237 USD`; a dash where no price was configured.
fn costs(row: &Row) -> String {
    if row.costs.is_empty() { "-".to_owned() } else { row.costs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ") }
}

fn text(books: &Reconciliation) -> String {
    if books.rows.is_empty() {
        return "No provider was called in that time.".to_owned();
    }
    let head = [
        "day",
        "provider",
        "channel",
        "sent",
        "accepted",
        "refused",
        "unknown",
        "under way",
        "delivered",
        "bounced",
        "unreported",
        "repeats",
        "segments",
        "cost",
    ];
    let rows: Vec<Vec<String>> = books
        .rows
        .iter()
        .map(|row| {
            let figures = [row.attempts, row.accepted, row.refused, row.unknown, row.under_way, row.delivered, row.bounced, row.unreported, row.repeats];
            [row.day.clone(), row.provider.clone(), row.channel.clone()]
                .into_iter()
                .chain(figures.map(|figure| figure.to_string()))
                .chain([row.segments.to_string(), costs(row)])
                .collect()
        })
        .collect();
    let mut text = super::output::table(&head, &rows);
    if books.differences.is_empty() {
        text.push_str("\n\nNo differences.");
        return text;
    }
    text.push_str(&format!("\n\n{} differences:", books.differences.len() as u64 + books.more));
    for one in &books.differences {
        let id = one.provider_id.as_deref().map_or_else(String::new, |id| format!(", its id {id}"));
        let at = if one.at == 0 { "never".to_owned() } else { rfc3339(one.at) };
        text.push_str(&format!(
            "\n  {} {at} notification {} delivery {} attempt {} by {} (ours: {}{id})\n    {}",
            one.kind.name(),
            one.notification,
            one.delivery,
            one.attempt,
            one.provider,
            one.ours,
            one.words
        ));
    }
    if books.more > 0 {
        text.push_str(&format!("\n  and {} more; ask for one provider, or for a shorter time", books.more));
    }
    text
}
