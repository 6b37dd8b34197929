//! Sends each story's notification and tells what happens to it, as it happens.

use super::judgement;
use super::stories::{self, Story};
use crate::cli::exit::CliError;
use crate::cli::explain;
use crate::cli::output::Output;
use crate::cli::remote::{Client, accepted, operations};
use commands::ports::{Clock as _, SystemClock};
use serde_json::json;
use std::io::{ErrorKind, Write};
use std::time::Duration;
use tokio::time::Instant;
use workers::simulators::RunningSimulators;

/// Longest wait for a story to end.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How a story went.
pub(super) struct Told {
    /// Which.
    pub(super) title: &'static str,
    /// The notification, where it was accepted.
    pub(super) id: Option<String>,
    /// What was wrong.
    pub(super) problem: Option<String>,
}

/// Who tells.
pub(super) struct Telling<'a> {
    /// Reads the stories.
    pub(super) administrator: &'a Client,
    /// Sends.
    pub(super) sender: &'a Client,
    /// Know what arrived.
    pub(super) simulators: &'a RunningSimulators,
    /// Where to.
    pub(super) out: Output,
}

impl Telling<'_> {
    /// One after the other, so that they can be read.
    pub(super) async fn all(&self) -> Result<Vec<Told>, CliError> {
        let mut all = Vec::with_capacity(stories::ALL.len());
        for (number, story) in stories::ALL.iter().enumerate() {
            if !self.out.json {
                let gap = if number == 0 { "" } else { "\n" };
                self.say(format_args!("{gap}{}. {}", number + 1, story.title))?;
            }
            let told = self.one(story).await?;
            if self.out.json {
                self.say(json!({ "story": story.title, "notification": told.id, "ended_well": told.problem.is_none(), "problem": told.problem }))?;
            } else {
                let verdict = told.problem.as_ref().map_or_else(|| "as it should be".to_owned(), |problem| format!("NOT as it should be: {problem}"));
                self.say(format_args!("   {verdict}"))?;
            }
            all.push(told);
        }
        Ok(all)
    }

    async fn one(&self, story: &Story) -> Result<Told, CliError> {
        let before = self.received(story);
        let data = self.sender.run(operations::SEND, json!({ "input": story.input() })).await?;
        let id = match accepted(&data["sendNotification"]) {
            Ok(sent) => sent["notification"]["id"].as_str().unwrap_or_default().to_owned(),
            Err(refused) => return Ok(Told { title: story.title, id: None, problem: Some(format!("it was refused: {refused}")) }),
        };
        let over = Instant::now() + PATIENCE;
        let mut told = 0;
        loop {
            let read = explain::Story::fetch(self.administrator, &id).await?;
            for event in read.after(told) {
                told = event.sequence;
                if self.out.json {
                    self.say(&event.raw)?;
                } else {
                    self.say(format_args!("   {}", event.line()))?;
                }
            }
            let ended = read.is_over();
            if ended || Instant::now() >= over {
                let events: Vec<_> = read.after(0).map(|event| event.raw.clone()).collect();
                let problem = if ended {
                    judgement::problem(story, &events, self.received(story).saturating_sub(before))
                } else {
                    Some(format!("it has not ended after {} seconds", PATIENCE.as_secs()))
                };
                return Ok(Told { title: story.title, id: Some(id), problem });
            }
            SystemClock::default().sleep(LOOK_EVERY).await;
        }
    }

    /// A line of the stories. A reader that goes away (`| head`) changes nothing: the stories are
    /// still judged, and the server still has to be stopped in order.
    fn say(&self, text: impl std::fmt::Display) -> Result<(), CliError> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::failure(format!("stdout cannot be written: {error}"))),
            _ => Ok(()),
        }
    }

    /// Messages that really arrived at the story's provider so far.
    fn received(&self, story: &Story) -> u64 {
        story.provider.map_or(0, |provider| self.simulators.ledger().counters().of(provider).delivered)
    }
}
