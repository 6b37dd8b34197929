//! `[providers.*]`: the third parties that deliver. One file each.
//!
//! A provider is on as soon as anything in its section is set; `enabled = false` switches it off
//! without losing the rest. Credentials come from a file, from the environment or from the
//! configuration file itself.

mod apns;
mod credential;
mod fcm;
mod slack;
mod smtp;
mod twilio;
mod vonage;
mod web_push;
mod webhook;

pub use apns::Apns;
pub use fcm::Fcm;
pub use slack::Slack;
pub use smtp::{Encryption, Smtp};
pub use twilio::Twilio;
pub use vonage::Vonage;
pub use web_push::WebPush;
pub use webhook::{Network, Webhook};

use super::section::{Reader, Section, SectionDoc};
use std::collections::HashMap;
use std::num::NonZeroU32;

/// The providers that are on.
#[derive(Debug, Clone)]
pub struct Providers {
    /// Push to Android.
    pub fcm: Option<Fcm>,
    /// Push to Apple devices.
    pub apns: Option<Apns>,
    /// E-mail.
    pub smtp: Option<Smtp>,
    /// Webhooks.
    pub webhook: Option<Webhook>,
    /// Text messages.
    pub twilio: Option<Twilio>,
    /// Push to browsers.
    pub web_push: Option<WebPush>,
    /// Chat.
    pub slack: Option<Slack>,
    /// Text messages.
    pub vonage: Option<Vonage>,
}

impl Providers {
    /// The documentation of all providers.
    pub fn describe_all() -> Vec<SectionDoc> {
        vec![
            Fcm::describe(),
            Apns::describe(),
            Smtp::describe(),
            Webhook::describe(),
            Twilio::describe(),
            WebPush::describe(),
            Slack::describe(),
            Vonage::describe(),
        ]
    }

    /// Reads and checks those that are on. The outer none says that something is wrong.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let fcm = optional::<Fcm>(reader, false);
        let apns = optional::<Apns>(reader, false);
        let smtp = optional::<Smtp>(reader, false);
        let webhook = optional::<Webhook>(reader, true);
        let twilio = optional::<Twilio>(reader, false);
        let web_push = optional::<WebPush>(reader, false);
        let slack = optional::<Slack>(reader, true);
        let vonage = optional::<Vonage>(reader, false);
        if let (Some(Some(_)), Some(Some(_))) = (&twilio, &vonage) {
            reader.problem(
                "providers.vonage.enabled",
                "providers.twilio serves the channel sms already, and a channel has one provider; set enabled = false in one of them",
            );
            return None;
        }
        Some(Self { fcm: fcm?, apns: apns?, smtp: smtp?, webhook: webhook?, twilio: twilio?, web_push: web_push?, slack: slack?, vonage: vonage? })
    }
}

impl Providers {
    /// How many calls a second those may be asked to make that are bounded, by their names.
    pub fn rates(&self) -> HashMap<&'static str, NonZeroU32> {
        let set = [
            ("fcm", self.fcm.as_ref().map(|fcm| fcm.rate)),
            ("apns", self.apns.as_ref().map(|apns| apns.rate)),
            ("smtp", self.smtp.as_ref().map(|smtp| smtp.rate)),
            ("webhook", self.webhook.as_ref().map(|webhook| webhook.rate)),
            ("twilio", self.twilio.as_ref().map(|twilio| twilio.rate)),
            ("vonage", self.vonage.as_ref().map(|vonage| vonage.rate)),
            ("web_push", self.web_push.as_ref().map(|web_push| web_push.rate)),
            ("slack", self.slack.as_ref().map(|slack| slack.rate)),
        ];
        set.into_iter().filter_map(|(name, rate)| Some((name, NonZeroU32::new(rate?)?))).collect()
    }
}

/// A section that may be off: the inner none.
fn optional<T: Section>(reader: &mut Reader<'_>, unless_said: bool) -> Option<Option<T>> {
    let configured = unless_said || reader.is_configured(T::PATH);
    let enabled: Option<bool> = reader.value::<Option<bool>>(&format!("{}.enabled", T::PATH))?;
    if enabled.unwrap_or(configured) { T::read(reader).map(Some) } else { Some(None) }
}
