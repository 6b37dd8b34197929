//! `bongsu key`.

use super::exit::CliError;
use super::output::Output;
use super::remote::{Client, Remote, accepted, operations};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

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
            "role": if create.admin { "ADMINISTRATOR" } else { "SENDER" },
        });
        if let Some(sender) = &create.sender {
            input["sender"] = sender.clone().into();
            input["sandbox"] = create.sandbox.into();
        }
        if !create.categories.is_empty() {
            input["categories"] = create.categories.clone().into();
        }
        let client = create.remote.client()?;
        if let Some(sender) = &create.sender {
            ensure_sender(&client, sender).await?;
        }
        let created = issue(&client, &input).await?;
        let created = &created;
        if out.json {
            return out.json_value(created);
        }
        out.line(created["secret"].as_str().unwrap_or_default())?;
        out.note("Shown once. Keep it in a secret store; BONGSU_KEY hands it to commands.");
        Ok(())
    }
}

/// Registers a sender under its own key, unless there is one.
pub(super) async fn ensure_sender(client: &Client, sender: &str) -> Result<(), CliError> {
    let known = client.run(operations::SENDERS, Value::Null).await?;
    let known = known["senders"].as_array();
    if known.is_some_and(|senders| senders.iter().any(|known| known["key"] == sender)) {
        return Ok(());
    }
    let input = json!({ "key": sender, "name": sender });
    let data = client.run(operations::REGISTER_SENDER, json!({ "input": input })).await?;
    accepted(&data["registerSender"]).map(|_| ())
}

/// Issues a key; the object has its `secret`.
pub(super) async fn issue(client: &Client, input: &Value) -> Result<Value, CliError> {
    let data = client.run(operations::CREATE_KEY, json!({ "input": input })).await?;
    accepted(&data["createApiKey"]).cloned()
}
