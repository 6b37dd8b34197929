//! `bongsu template`: templates as files, tried and shown without sending anything.
//!
//! A folder of files is the whole truth of what it holds, and the server's drafts can be made the same as it
//! (`push`) or it the same as them (`pull`). What is tried here is tried by the same code as on the server.

mod diff;
mod embedded;
mod examine;
mod folder;
mod lint;
mod preview;
mod pull;
mod push;
mod remark;
mod server;
#[cfg(test)]
mod tests;
mod trial;

pub use embedded::install;
pub use examine::examine;

use super::exit::CliError;
use super::output::Output;
use clap::Subcommand;
use domain::values::TemplateKey;
use std::process::ExitCode;

/// Templates: keep them as files, try them and show them.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu template lint templates
  bongsu template preview templates/order-shipped --channel email --locale ko
  bongsu template push templates --publish

Next: docs/guides/templates.md tells the format of the files; docs/templates has some to begin with")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Template {
    Lint(lint::Lint),
    Preview(preview::Preview),
    Pull(pull::Pull),
    Push(push::Push),
    Diff(diff::Diff),
    Test(trial::Trial),
    /// Tries one that is given on standard input; the server starts this.
    #[command(
        hide = true,
        after_help = "Examples:
  bongsu template examine < question.json

Next: bongsu template lint DIR is for people"
    )]
    Examine,
}

impl Template {
    /// Does it.
    pub async fn run(self, out: Output) -> Result<ExitCode, CliError> {
        let done = ExitCode::SUCCESS;
        match self {
            Self::Lint(command) => command.run(out),
            Self::Preview(command) => command.run(out).await.map(|()| done),
            Self::Pull(command) => command.run(out).await.map(|()| done),
            Self::Push(command) => command.run(out).await,
            Self::Diff(command) => command.run(out).await,
            Self::Test(command) => command.run(out).await.map(|()| done),
            Self::Examine => examine(),
        }
    }
}

/// A key that was typed.
fn key(text: &str) -> Result<TemplateKey, CliError> {
    TemplateKey::new(text).map_err(|error| CliError::usage(format!("`{text}` is no template's key: {error}")))
}

fn no_template(key: &TemplateKey) -> CliError {
    CliError::not_found(format!("the server has no template {key} that this key may look at"))
}
