//! `bongsu dlq`: deliveries whose retries are exhausted.

use super::exit::CliError;
use super::output::{Output, table};
use super::remote::{Client, Remote, operations};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Dead letters asked for at a time.
const PAGE: usize = 100;

/// Looks after dead letters: deliveries whose retries are exhausted and that await a person.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu dlq list
  bongsu dlq retry --code \"503 UNAVAILABLE\" --dry-run
  bongsu dlq discard --id ID --reason \"customer left\"

Next: bongsu explain ID tells how one came about")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Dlq {
    List(List),
    Show(Show),
    Retry(Retry),
    Discard(Discard),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only of this notification.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Only with this last answer of the provider.
    #[arg(long)]
    pub code: Option<String>,
    /// Only over this channel.
    #[arg(long)]
    pub channel: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Lists dead letters, the newest last.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu dlq list
  bongsu dlq list --channel email --json

Next: bongsu dlq show ID, bongsu dlq retry --id ID")]
pub struct List {
    /// Which.
    #[command(flatten)]
    pub filter: Filter,
}

/// Shows one notification's dead letters and its story.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu dlq show 0198c0de-0000-7000-8000-000000000001

Next: bongsu dlq retry --id ID, or bongsu dlq discard --id ID --reason …")]
pub struct Show {
    /// The notification.
    pub id: String,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Tries dead letters again, with all their attempts anew.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu dlq retry --code \"503 UNAVAILABLE\" --dry-run
  bongsu dlq retry --channel email --yes

Next: bongsu status, and bongsu dlq list for those that fail again")]
pub struct Retry {
    /// Which.
    #[command(flatten)]
    pub filter: Filter,
    /// Only say which and how many.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Gives dead letters up for good.
///
/// They stay in the log, with the reason.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu dlq discard --id ID --reason \"customer left\"
  bongsu dlq discard --code \"400 INVALID_ARGUMENT\" --reason \"bad template\" --dry-run

Next: bongsu audit counts them as discarded")]
pub struct Discard {
    /// Which.
    #[command(flatten)]
    pub filter: Filter,
    /// Why; kept in the log, so nothing personal.
    #[arg(long)]
    pub reason: String,
    /// Only say which and how many.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

impl Dlq {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        match self {
            Self::List(list) => {
                let client = list.filter.remote.client()?;
                let found = list.filter.find(&client).await?;
                print(&found, out)
            }
            Self::Show(show) => show.run(out).await,
            Self::Retry(retry) => {
                let change = Change { question: "are tried again", document: operations::REDRIVE, field: "redriveDeadLetters", reason: None };
                change.apply(&retry.filter, retry.dry_run, retry.yes, out).await
            }
            Self::Discard(discard) => {
                let change =
                    Change { question: "are given up for good", document: operations::DISCARD, field: "discardDeadLetters", reason: Some(discard.reason) };
                change.apply(&discard.filter, discard.dry_run, discard.yes, out).await
            }
        }
    }
}

impl Filter {
    /// All that match, page by page.
    async fn find(&self, client: &Client) -> Result<Vec<Value>, CliError> {
        let mut found = Vec::new();
        let mut after = Value::Null;
        loop {
            let variables = json!({ "first": PAGE, "after": after, "code": self.code });
            let data = client.run(operations::DEAD_LETTERS, variables).await?;
            let page = data["deadLetters"].as_array().cloned().unwrap_or_default();
            let Some(last) = page.last() else {
                return Ok(found);
            };
            after = last["cursor"].clone();
            let full = page.len() == PAGE;
            found.extend(page.into_iter().filter(|letter| self.wants(letter)));
            if !full {
                return Ok(found);
            }
        }
    }

    fn wants(&self, letter: &Value) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found));
        is(&self.id, letter["notification"]["id"].as_str().unwrap_or_default()) && is(&self.channel, channel(letter))
    }
}

/// The channel of a dead letter's delivery.
fn channel(letter: &Value) -> &str {
    let deliveries = letter["notification"]["deliveries"].as_array();
    deliveries
        .and_then(|all| all.iter().find(|delivery| delivery["number"] == letter["delivery"]))
        .and_then(|delivery| delivery["channel"].as_str())
        .unwrap_or_default()
}

impl Show {
    async fn run(self, out: Output) -> Result<(), CliError> {
        let client = self.remote.client()?;
        let story = super::explain::Story::fetch(&client, &self.id).await?;
        if out.json {
            return out.json_value(story.raw());
        }
        out.line(story.text())
    }
}

/// Retrying and discarding differ in little.
struct Change {
    question: &'static str,
    document: &'static str,
    field: &'static str,
    reason: Option<String>,
}

impl Change {
    async fn apply(self, filter: &Filter, dry_run: bool, yes: bool, out: Output) -> Result<(), CliError> {
        let client = filter.remote.client()?;
        let found = filter.find(&client).await?;
        if found.is_empty() {
            return Err(CliError::not_found("no dead letter matches"));
        }
        if dry_run {
            print(&found, out)?;
            out.note(format_args!("{} dead letters match. Nothing was changed.", found.len()));
            return Ok(());
        }
        out.confirm(&format!("{} dead letters {}.", found.len(), self.question), yes, "--dry-run")?;
        let mut count = 0;
        for part in found.chunks(PAGE) {
            let ids: Vec<&Value> = part.iter().map(|letter| &letter["id"]).collect();
            let mut input = json!({ "ids": ids, "limit": PAGE });
            if let Some(reason) = &self.reason {
                input["reason"] = reason.clone().into();
            }
            let data = client.run(self.document, json!({ "input": input })).await?;
            count += data[self.field]["count"].as_u64().unwrap_or(0);
        }
        if out.json {
            return out.json_value(&json!({ "count": count }));
        }
        out.line(format_args!("{count} dead letters {}.", self.question))
    }
}

fn print(letters: &[Value], out: Output) -> Result<(), CliError> {
    if out.json {
        return out.json_value(&letters);
    }
    if letters.is_empty() {
        return out.line("There are no dead letters.");
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = letters
        .iter()
        .map(|letter| {
            let mut row = vec![text(&letter["notification"]["id"]), text(&letter["delivery"]), channel(letter).to_lowercase()];
            row.extend(["attempts", "code", "at"].map(|field| text(&letter[field])));
            if letter["unknown"] == true {
                row.push("may have been delivered".to_owned());
            }
            row
        })
        .collect();
    out.line(table(&["notification", "delivery", "channel", "attempts", "last answer", "at", ""], &rows))
}
