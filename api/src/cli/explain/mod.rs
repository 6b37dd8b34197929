//! `bongsu explain`: why a notification came or did not, and why nothing came. `bongsu trace` is its
//! other name: the story and its reasons are told in the same words, by the server.

mod absence;
mod story;
#[cfg(test)]
mod tests;

pub(super) use story::Story;

use super::exit::CliError;
use super::output::Output;
use super::remote::Remote;
use clap::Args;
use commands::ports::{Clock as _, SystemClock};
use std::time::Duration;

/// Pause between two looks with `--follow`.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Explains a notification: what was decided and why, on which facts, every attempt and its outcome.
/// With --recipient: why somebody heard nothing.
#[derive(Debug, Args)]
#[command(
    visible_alias = "trace",
    after_help = "Examples:
  bongsu explain 0198c0de-0000-7000-8000-000000000001
  bongsu explain 0198c0de-0000-7000-8000-000000000001 --follow
  bongsu explain 0198c0de-0000-7000-8000-000000000001 --json
  bongsu explain --recipient alice
  bongsu explain --recipient alice --category orders --from 2026-11-20T00:00:00Z
  bongsu explain --recipient alice --from 2026-11-20T00:00:00+09:00 --to 2026-11-21T00:00:00+09:00

Next: bongsu events catalogue explains each event; bongsu dlq retry --id ID tries a dead letter again"
)]
pub struct Explain {
    /// The notification.
    #[arg(required_unless_present = "recipient", conflicts_with = "recipient")]
    pub id: Option<String>,
    /// Go on telling until every delivery has ended.
    #[arg(long, conflicts_with = "recipient")]
    pub follow: bool,
    /// Who heard nothing: your id of the recipient.
    #[arg(long, value_name = "ID")]
    pub recipient: Option<String>,
    /// Of this category only.
    #[arg(long, value_name = "KEY", requires = "recipient")]
    pub category: Option<String>,
    /// From this moment on (RFC 3339); seven days before the end where left out.
    #[arg(long, value_name = "TIME", requires = "recipient")]
    pub from: Option<String>,
    /// Up to this moment (RFC 3339); now where left out.
    #[arg(long, value_name = "TIME", requires = "recipient")]
    pub to: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Explain {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let client = self.remote.client()?;
        if let Some(recipient) = &self.recipient {
            let asked = absence::Asked { recipient, category: self.category.as_deref(), from: self.from.as_deref(), to: self.to.as_deref() };
            return absence::run(&client, &asked, out).await;
        }
        let id = self.id.as_deref().unwrap_or_default();
        let mut story = Story::fetch(&client, id).await?;
        if !self.follow {
            return if out.json { out.json_value(story.raw()) } else { out.line(story.text()) };
        }
        let mut told = 0;
        loop {
            for event in story.after(told) {
                told = event.sequence;
                if out.json {
                    out.json_line(&event.raw)?;
                } else {
                    out.line(event.line())?;
                }
            }
            if story.is_over() {
                return Ok(());
            }
            SystemClock::default().sleep(LOOK_EVERY).await;
            story = Story::fetch(&client, id).await?;
        }
    }
}
