//! `bongsu template push`: from files onto the server.

use super::folder::Folder;
use super::lint::remarks;
use super::remark::Level;
use super::server::{self, OnServer};
use crate::cli::exit::CliError;
use crate::cli::output::{Output, table};
use crate::cli::remote::{Client, Remote};
use clap::Args;
use domain::values::TemplateKey;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes a folder's templates onto the server as drafts, and publishes them with --publish.
///
/// Everything is tried here first; where there are problems, nothing is written. What says the same already is not
/// written again. Layouts and partials go first, so that what rests on them gets the new ones. Templates that are
/// not in the folder stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template push templates
  bongsu template push templates --publish --yes
  BONGSU_SERVER=https://notify.example.com bongsu template push templates --publish --yes --json

Next: bongsu template test KEY --to RECIPIENT sends a draft to yourself")]
pub struct Push {
    /// Folder with a folder for each template.
    pub dir: PathBuf,
    /// Publish what was written, and what rests on it.
    #[arg(long)]
    pub publish: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// A template, and what the server has of it.
struct Planned {
    key: TemplateKey,
    there: Option<OnServer>,
    differs: bool,
}

/// What became of it.
struct Done {
    key: TemplateKey,
    saved: Option<i64>,
    version: Option<i64>,
}

impl Push {
    pub(super) async fn run(&self, out: Output) -> Result<ExitCode, CliError> {
        let folder = Folder::read(&self.dir)?;
        let problems: Vec<_> = remarks(&folder).into_iter().filter(|remark| remark.level == Level::Problem).collect();
        if !problems.is_empty() {
            if out.json {
                out.json_value(&json!({ "problems": problems.len(), "findings": problems }))?;
            } else {
                problems.iter().try_for_each(|problem| out.line(problem))?;
                out.note(format_args!("{} problems; nothing was written", problems.len()));
            }
            return Ok(ExitCode::FAILURE);
        }
        let client = self.remote.client()?;
        let plan = plan(&client, &folder).await?;
        let new = plan.iter().filter(|planned| planned.there.is_none()).count();
        let changed = plan.iter().filter(|planned| planned.differs).count() - new;
        if new + changed > 0 || self.publish {
            let then = if self.publish { "; all of the folder is published where there is something new" } else { "" };
            out.confirm(&format!("Templates: {new} new, {changed} written anew as drafts{then}."), self.yes, "bongsu template diff")?;
        }
        let mut done = Vec::new();
        for planned in plan {
            match self.one(&client, &folder, planned).await {
                Ok(one) => done.push(one),
                // What was written before it stays written.
                Err(error) => {
                    tell(&done, out)?;
                    return Err(error);
                }
            }
        }
        tell(&done, out).map(|()| ExitCode::SUCCESS)
    }

    async fn one(&self, client: &Client, folder: &Folder, planned: Planned) -> Result<Done, CliError> {
        let Planned { key, there, differs } = planned;
        let seen = there.as_ref().map_or(0, |there| there.revision);
        let saved = match folder.templates.get(&key).filter(|_| differs) {
            Some(read) => Some(server::save(client, &key, &read.source, seen).await?),
            None => None,
        };
        // The server knows whether something is new in it: a layout may be.
        let published = if self.publish { server::publish(client, &key, saved.unwrap_or(seen)).await } else { Ok(None) };
        let version = match published {
            // Somebody else's layout, which lies here because lint asks for it: it is as it was.
            Err(refused) if saved.is_none() && refused.code.as_deref() == Some("FORBIDDEN") => None,
            published => published?,
        };
        Ok(Done { key, saved, version })
    }
}

async fn plan(client: &Client, folder: &Folder) -> Result<Vec<Planned>, CliError> {
    let mut plan = Vec::new();
    for key in folder.in_order() {
        let there = server::template(client, &key).await?;
        let here = folder.templates.get(&key).map(|read| &read.source);
        let differs = there.as_ref().map(|there| &there.draft) != here;
        plan.push(Planned { key, there, differs });
    }
    Ok(plan)
}

fn tell(done: &[Done], out: Output) -> Result<(), CliError> {
    if out.json {
        let rows: Vec<_> = done.iter().map(|done| json!({ "key": done.key.as_str(), "revision": done.saved, "version": done.version })).collect();
        return out.json_value(&rows);
    }
    let changed = |done: &&Done| done.saved.is_some() || done.version.is_some();
    let word = |what: &str, number: Option<i64>| number.map_or_else(String::new, |number| format!("{what} {number}"));
    let rows: Vec<Vec<String>> =
        done.iter().filter(changed).map(|done| vec![done.key.to_string(), word("draft", done.saved), word("version", done.version)]).collect();
    if !rows.is_empty() {
        out.line(table(&["template", "written", "published"], &rows))?;
    }
    out.note(format_args!("{} templates unchanged", done.len() - rows.len()));
    Ok(())
}
