//! `bongsu template diff`: what a push would change.

use super::folder::Folder;
use super::server;
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::remote::Remote;
use crate::template_files::{differences, write};
use clap::Args;
use serde_json::json;
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
        let mut found = Vec::new();
        for (key, read) in &folder.templates {
            let there = server::template(&client, key).await?;
            let state = match &there {
                None => "new",
                Some(there) if there.draft != read.source => "changed",
                Some(_) => continue,
            };
            let there = there.map(|there| write(&there.draft)).unwrap_or_default();
            let told = differences((&format!("server/{key}"), key.as_str()), &there, &write(&read.source));
            found.push((key.to_string(), state, told.into_iter().map(|(_, told)| told).collect::<String>()));
        }
        if out.json {
            let rows: Vec<_> = found.iter().map(|(key, state, diff)| json!({ "key": key, "state": state, "diff": diff })).collect();
            out.json_value(&rows)?;
        } else {
            found.iter().try_for_each(|(_, _, diff)| out.line(diff.trim_end()))?;
            out.note(format_args!("{} of {} templates differ", found.len(), folder.templates.len()));
        }
        Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
