//! `bongsu template test`: a draft, sent to one recipient.

use super::preview::parameters;
use super::server;
use crate::cli::exit::CliError;
use crate::cli::key::ensure_sender;
use crate::cli::output::Output;
use crate::cli::remote::{Remote, accepted, operations};
use clap::Args;
use serde_json::json;

/// Sender in whose name administrators try templates.
const ADMINISTRATORS: &str = "cli";

/// Sends a template's draft to one recipient, with "[Test]" before its title.
///
/// It goes the way of every notification: the recipient's preferences hold, and providers are called. A sender's key must
/// be allowed to write or publish the template; an administrator's sends as the sender "cli", or as --sender.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template test order-shipped --to me
  bongsu template test order-shipped --to me --channel sms --locale ko --parameters '{\"name\":\"Mina\",\"order\":\"1042\",\"tracking_url\":\"https://shop.example/orders/1042\"}'

Next: bongsu explain ID with the id that is printed, then bongsu template push DIR --publish")]
pub struct Trial {
    /// The template.
    pub key: String,
    /// The recipient, by the id that your services use.
    #[arg(long, value_name = "RECIPIENT")]
    pub to: String,
    /// Over which channel.
    #[arg(long, default_value = "email",
          value_parser = ["in_app", "android_push", "ios_push", "email", "webhook", "sms", "voice", "web_push", "chat", "kakao_talk"])]
    pub channel: String,
    /// In which language [default: the template's].
    #[arg(long)]
    pub locale: Option<String>,
    /// Parameters: a JSON object, or a file with one [default: the examples].
    #[arg(long, value_name = "FILE|JSON")]
    pub parameters: Option<String>,
    /// The sender in whose name an administrator sends.
    #[arg(long)]
    pub sender: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Trial {
    pub(super) async fn run(&self, out: Output) -> Result<(), CliError> {
        let key = super::key(&self.key)?;
        let data = parameters(self.parameters.as_deref())?;
        let client = self.remote.client()?;
        let sender = match &self.sender {
            Some(sender) => Some(sender.as_str()),
            None if self.remote.as_administrator()? => {
                ensure_sender(&client, ADMINISTRATORS).await?;
                Some(ADMINISTRATORS)
            }
            None => None,
        };
        let input = json!({
            "key": key.as_str(), "recipient": self.to, "channel": self.channel.to_uppercase(),
            "locale": self.locale, "parameters": data, "sender": sender,
        });
        let answer = client.run(operations::SEND_TEMPLATE_TEST, json!({ "input": input })).await?;
        let sent = &answer["sendTemplateTest"];
        if sent["__typename"] == "TemplateInvalid" {
            return Err(CliError::failure(server::problems(sent)));
        }
        let sent = accepted(sent)?;
        if out.json {
            return out.json_value(sent);
        }
        let id = sent["notification"]["id"].as_str().unwrap_or_default();
        out.line(id)?;
        out.note(format_args!("Accepted. Next: bongsu explain {id}"));
        Ok(())
    }
}
