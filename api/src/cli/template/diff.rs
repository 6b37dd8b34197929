//! `bongsu template diff`: what a push would change.

use super::files::{Files, write};
use super::folder::Folder;
use super::{lines, server};
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::remote::Remote;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tells how a folder's templates differ from the server's drafts, as diff -u does; - is the server's, + the folder's.
///
/// Ends with 0 where nothing differs, with 1 where something does. Templates that are not in the folder are left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template diff templates
  bongsu template diff templates --json

Next: bongsu template push DIR, or bongsu template pull DIR")]
pub struct Diff {
    /// Folder with a folder for each template.
    pub dir: PathBuf,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Diff {
    pub(super) async fn run(&self, out: Output) -> Result<ExitCode, CliError> {
        let folder = Folder::read(&self.dir)?;
        if let Some(mistake) = folder.mistakes.first() {
            return Err(CliError::failure(format!("{mistake}; `bongsu template lint` tells all")));
        }
        let client = self.remote.client()?;
        let mut differences = Vec::new();
        for (key, read) in &folder.templates {
            let there = server::template(&client, key).await?;
            let state = match &there {
                None => "new",
                Some(there) if there.draft != read.source => "changed",
                Some(_) => continue,
            };
            let there = there.map(|there| write(&there.draft)).unwrap_or_default();
            differences.push((key.to_string(), state, told(key.as_str(), &there, &write(&read.source))));
        }
        if out.json {
            let rows: Vec<_> = differences.iter().map(|(key, state, diff)| json!({ "key": key, "state": state, "diff": diff })).collect();
            out.json_value(&rows)?;
        } else {
            differences.iter().try_for_each(|(_, _, diff)| out.line(diff.trim_end()))?;
            out.note(format_args!("{} of {} templates differ", differences.len(), folder.templates.len()));
        }
        Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The differences of all files of a template.
fn told(key: &str, there: &Files, here: &Files) -> String {
    let names: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    let text = |files: &Files, name: &String| files.get(name).cloned().unwrap_or_default();
    names.into_iter().map(|name| lines::unified((&format!("server/{key}/{name}"), &format!("{key}/{name}")), &text(there, name), &text(here, name))).collect()
}
