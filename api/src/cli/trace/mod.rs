//! `bongsu trace`: the story of a notification.

mod story;
#[cfg(test)]
mod tests;
mod words;

pub(super) use story::Story;

use super::exit::CliError;
use super::output::Output;
use super::remote::Remote;
use clap::Args;
use commands::ports::{Clock as _, SystemClock};
use std::time::Duration;

/// Pause between two looks with `--follow`.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tells the story of a notification: what was decided and why, every attempt and its outcome, a
/// delivery at a time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu trace 0198c0de-0000-7000-8000-000000000001
  bongsu trace 0198c0de-0000-7000-8000-000000000001 --follow
  bongsu trace 0198c0de-0000-7000-8000-000000000001 --json

Next: bongsu events catalogue explains each event; bongsu dlq retry --id ID tries a dead letter again")]
pub struct Trace {
    /// The notification.
    pub id: String,
    /// Go on telling until every delivery has ended.
    #[arg(long)]
    pub follow: bool,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Trace {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let client = self.remote.client()?;
        let mut story = Story::fetch(&client, &self.id).await?;
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
            story = Story::fetch(&client, &self.id).await?;
        }
    }
}
