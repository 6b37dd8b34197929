//! `bongsu config`.

use super::exit::CliError;
use super::output::Output;
use crate::config::{Config as Settings, Layers, Sources, reference, show};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Shows the configuration.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu config show --origin
  bongsu config reference --toml > bongsu.toml

Next: bongsu check tries the configuration out")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Config {
    Show(Show),
    Reference(Reference),
}

/// The values in force, secrets masked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu config show
  bongsu config show --origin --config /etc/bongsu.toml
  bongsu config show --json

Next: bongsu config reference explains each key")]
pub struct Show {
    /// Also where each value came from.
    #[arg(long)]
    pub origin: bool,
    /// Only what differs from the default.
    #[arg(long)]
    pub changed: bool,
    /// Configuration file [default: bongsu.toml in this folder, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// All keys with their meaning and default.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu config reference
  bongsu config reference --toml > bongsu.toml

Next: uncomment what you need, then bongsu check")]
pub struct Reference {
    /// A file to start from, in place of the explanation.
    #[arg(long)]
    pub toml: bool,
}

impl Config {
    pub(super) fn run(self, out: Output) -> Result<(), CliError> {
        let sections = Settings::sections();
        match self {
            Self::Reference(reference) => {
                let text = if reference.toml { reference::toml(&sections) } else { reference::markdown(&sections) };
                out.line(text.trim_end())
            }
            Self::Show(show) => {
                let sources = Sources::of_process(show.config.clone());
                let layers = Layers::read(&sources, &sections)?;
                show.print(&layers, out)?;
                // Shown even where it is wrong, since that is when one looks.
                Settings::load(&sources)?;
                Ok(())
            }
        }
    }
}

impl Show {
    fn print(&self, layers: &Layers, out: Output) -> Result<(), CliError> {
        let values: Vec<_> = show::values(layers, &Settings::sections()).into_iter().filter(|value| !self.changed || !value.is_default).collect();
        if out.json {
            return out.json_value(&values);
        }
        let rows: Vec<Vec<String>> = values
            .into_iter()
            .map(|value| {
                let mut row = vec![value.key, value.value.unwrap_or_default()];
                if self.origin {
                    row.push(value.origin);
                }
                row
            })
            .collect();
        if self.origin { out.table(&["key", "value", "origin"], &rows) } else { out.table(&["key", "value"], &rows) }
    }
}
