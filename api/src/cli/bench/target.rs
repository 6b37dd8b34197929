//! Which provider the measured notifications go to, over what, and who works beside it.
//!
//! Over TLS the simulators speak HTTP/2 with a certificate of their own authority, as the real ones do with a
//! public one; without, FCM speaks HTTP/1.1 and APNs HTTP/2 by prior knowledge.

use super::super::exit::CliError;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// A provider of pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PushProvider {
    /// Firebase Cloud Messaging.
    Fcm,
    /// Apple Push Notification service.
    Apns,
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub provider: PushProvider,
    pub tls: bool,
    /// Webhooks and text messages are sent too.
    pub beside: bool,
    /// From a template.
    pub template: bool,
}

impl Target {
    /// The provider's name in the configuration and in the ledger.
    pub(super) const fn name(self) -> &'static str {
        match self.provider {
            PushProvider::Fcm => "fcm",
            PushProvider::Apns => "apns",
        }
    }

    pub(super) const fn channel(self) -> &'static str {
        match self.provider {
            PushProvider::Fcm => "ANDROID_PUSH",
            PushProvider::Apns => "IOS_PUSH",
        }
    }

    /// The token of a person's device.
    pub(super) fn token(self, person: u64) -> String {
        match self.provider {
            PushProvider::Fcm => format!("good-{person}"),
            PushProvider::Apns => format!("ab{person:062x}"),
        }
    }

    /// The server's configuration. `addresses` are the simulators', `credentials` theirs, `state` their folder.
    pub(super) fn config(self, addresses: &Value, credentials: &Value, state: &Path) -> Result<String, CliError> {
        let text = |of: &Value, name: &str| of[name].as_str().map(ToOwned::to_owned).ok_or_else(|| CliError::failure(format!("the simulators name no {name}")));
        let scheme = if self.tls { "https" } else { "http" };
        let ca = if self.tls { format!("ca_file = {:?}\n", state.join("ca.pem")) } else { String::new() };
        let mut config = match self.provider {
            PushProvider::Fcm => {
                format!("[providers.fcm]\nservice_account_file = {:?}\nendpoint = \"{scheme}://{}\"\n{ca}", state.join("fcm.json"), text(addresses, "fcm")?)
            }
            PushProvider::Apns => format!(
                "[providers.apns]\nkey_file = {:?}\nkey_id = {:?}\nteam_id = {:?}\ntopic = {:?}\nendpoint = \"{scheme}://{}\"\n{ca}",
                state.join("apns.p8"),
                text(credentials, "apns_key_id")?,
                text(credentials, "apns_team_id")?,
                text(credentials, "apns_topic")?,
                text(addresses, if self.tls { "apns" } else { "apns_cleartext" })?
            ),
        };
        if self.beside {
            let written = write!(
                config,
                "\n[providers.webhook]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\ntimeout = \"10s\"\n\n[providers.twilio]\naccount_sid = {:?}\nauth_token_file = {:?}\nfrom = {:?}\nendpoint = \"http://{}\"\n\n[channels.sms]\ncountries = [\"all\"]\n",
                text(credentials, "twilio_account_sid")?,
                state.join("twilio.token"),
                text(credentials, "twilio_from")?,
                text(addresses, "twilio")?
            );
            written.map_err(CliError::failure)?;
        }
        config.push_str("\n[limits]\nkey_requests = 0\n\n[log]\nlevel = \"warn\"\n");
        Ok(config)
    }

    /// What a person has: a device, and beside it a telephone and a webhook.
    pub(super) fn person(self, number: u64, webhook: &str, secret: &str) -> (Value, Value) {
        let id = format!("person-{number}");
        let device = json!({ "recipient": id, "channel": self.channel(), "token": self.token(number) });
        let person = if self.beside {
            json!({ "id": id, "phone": format!("+82105{:07}", number % 10_000_000), "webhook": { "url": format!("{webhook}/{number}"), "secret": secret } })
        } else {
            json!({ "id": id })
        };
        (person, device)
    }
}
