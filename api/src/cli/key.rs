//! `bongsu key`.

use super::exit::CliError;
use super::output::Output;
use super::remote::{Remote, operations};
use clap::{Args, Subcommand};
use serde_json::json;

/// Makes API keys.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu key create --name shop --sender shop
  bongsu key create --name ops --admin

Next: BONGSU_KEY=… bongsu send --to alice --title Hi --body there")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Key {
    Create(Create),
}

/// Makes an API key.
///
/// It is printed once and stored only as a hash.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu key create --name shop --sender shop
  bongsu key create --name shop-test --sender shop --sandbox
  bongsu key create --name ops --admin

Next: keep the key in your secret store; BONGSU_KEY=… bongsu send --help")]
pub struct Create {
    /// What people call it.
    #[arg(long)]
    pub name: String,
    /// For this sender.
    #[arg(long, value_name = "SENDER", required_unless_present = "admin", conflicts_with = "admin")]
    pub sender: Option<String>,
    /// For administrators.
    #[arg(long)]
    pub admin: bool,
    /// Everything happens but the providers' calls.
    #[arg(long, requires = "sender")]
    pub sandbox: bool,
    /// Only for these categories.
    #[arg(long = "category", value_name = "CATEGORY", value_delimiter = ',', requires = "sender")]
    pub categories: Vec<String>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Key {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let Self::Create(create) = self;
        let mut input = json!({
            "name": create.name,
            "role": if create.admin { "ADMIN" } else { "SENDER" },
        });
        if let Some(sender) = &create.sender {
            input["sender"] = sender.clone().into();
            input["sandbox"] = create.sandbox.into();
        }
        if !create.categories.is_empty() {
            input["categories"] = create.categories.clone().into();
        }
        let data = create.remote.client()?.run(operations::CREATE_KEY, json!({ "input": input })).await?;
        let created = &data["createApiKey"];
        if out.json {
            return out.json_value(created);
        }
        out.line(created["key"].as_str().unwrap_or_default())?;
        out.note("Shown once. Keep it in a secret store; BONGSU_KEY hands it to commands.");
        Ok(())
    }
}
