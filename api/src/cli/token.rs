//! `bongsu token`.

use super::exit::CliError;
use super::output::Output;
use super::remote::{Remote, operations};
use clap::{Args, Subcommand};
use serde_json::json;

/// Makes tokens for recipients' apps.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu token create --recipient alice

Next: give the token to the app; it reads that recipient's notifications only")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Token {
    Create(Create),
}

/// Makes a short-lived token with which one recipient's app reads its own notifications.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu token create --recipient alice
  bongsu token create --recipient alice --lifetime 600 --json

Next: send it as Authorization: Bearer TOKEN to /graphql")]
pub struct Create {
    /// The recipient, by the id that your services use.
    #[arg(long, value_name = "RECIPIENT")]
    pub recipient: String,
    /// Seconds that it lasts [default: the server's].
    #[arg(long, value_name = "SECONDS")]
    pub lifetime: Option<u32>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Token {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let Self::Create(create) = self;
        let mut input = json!({ "recipient": create.recipient });
        if let Some(seconds) = create.lifetime {
            input["ttlSeconds"] = seconds.into();
        }
        let data = create.remote.client()?.run(operations::MINT_TOKEN, json!({ "input": input })).await?;
        let minted = super::remote::accepted(&data["mintRecipientToken"])?;
        if out.json {
            return out.json_value(minted);
        }
        out.line(minted["token"].as_str().unwrap_or_default())?;
        out.note(format_args!("Lasts until {}.", minted["expiresAt"].as_str().unwrap_or("its time is over")));
        Ok(())
    }
}
