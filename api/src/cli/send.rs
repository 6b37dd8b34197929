//! `bongsu send`.

use super::exit::CliError;
use super::output::Output;
use super::remote::{Remote, operations};
use clap::Args;
use serde_json::{Value, json};

/// Sends a notification to one recipient.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu send --to alice --title Hello --body \"Your parcel is here\"
  bongsu send --to alice --title Code --body 123456 --priority high --channel android_push
  bongsu send --to alice --title Hello --body Again --idempotency-key parcel-17

Next: bongsu explain ID with the id that is printed")]
pub struct Send {
    /// The recipient, by the id that your services use.
    #[arg(long, value_name = "RECIPIENT")]
    pub to: String,
    /// Title.
    #[arg(long)]
    pub title: String,
    /// Text.
    #[arg(long)]
    pub body: String,
    /// Category.
    #[arg(long, default_value = "general")]
    pub category: String,
    /// Only over these channels [default: the category's].
    #[arg(long = "channel", value_name = "CHANNEL", value_delimiter = ',',
          value_parser = ["in_app", "android_push", "ios_push", "email", "webhook", "sms", "voice", "web_push", "chat", "kakao_talk"])]
    pub channels: Vec<String>,
    /// How urgent.
    #[arg(long, value_parser = ["low", "normal", "high", "critical"])]
    pub priority: Option<String>,
    /// A repeat with the same key is recognised and not sent again.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Send {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let client = self.remote.sender().await?;
        let data = client.run(operations::SEND, json!({ "input": self.input() })).await?;
        let sent = super::remote::accepted(&data["sendNotification"])?;
        if out.json {
            return out.json_value(sent);
        }
        let id = sent["notification"]["id"].as_str().unwrap_or_default();
        out.line(id)?;
        let word = if sent["duplicate"] == true { "Accepted before under this key" } else { "Accepted" };
        out.note(format_args!("{word}. Next: bongsu explain {id}"));
        Ok(())
    }

    fn input(&self) -> Value {
        let upper = |name: &String| name.to_uppercase();
        let mut input = json!({
            "recipient": self.to,
            "category": self.category,
            "content": { "title": self.title, "body": self.body },
        });
        if !self.channels.is_empty() {
            input["channels"] = self.channels.iter().map(upper).collect();
        }
        if let Some(priority) = &self.priority {
            input["priority"] = upper(priority).into();
        }
        if let Some(key) = &self.idempotency_key {
            input["idempotencyKey"] = key.clone().into();
        }
        input
    }
}
