//! `[providers.*]`: the third parties that deliver. One file each.
//!
//! A provider is on as soon as anything in its section is set; `enabled = false` switches it off
//! without losing the rest. Credentials come from a file, from the environment or from the
//! configuration file itself.

mod apns;
pub(super) mod credential;
mod fcm;
mod kakao_talk;
mod mailgun;
mod sendgrid;
mod slack;
mod smtp;
mod twilio;
mod twilio_voice;
mod vonage;
mod web_push;
mod webhook;

pub use apns::Apns;
pub use fcm::Fcm;
pub use kakao_talk::KakaoTalk;
pub use mailgun::Mailgun;
pub use sendgrid::Sendgrid;
pub use slack::Slack;
pub use smtp::{Encryption, Smtp};
pub use twilio::Twilio;
pub use twilio_voice::TwilioVoice;
pub use vonage::Vonage;
pub use web_push::WebPush;
pub use webhook::{Network, Webhook};

use super::routing::Price;
use super::section::{Reader, Section, SectionDoc};
use domain::policy::routing::Terms;
use domain::values::{Channel, Country, MailAuthor, Prices, SentFrom};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use workers::channels::RampUp;

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
    /// Telephone calls.
    pub twilio_voice: Option<TwilioVoice>,
    /// E-mail.
    pub sendgrid: Option<Sendgrid>,
    /// E-mail.
    pub mailgun: Option<Mailgun>,
    /// KakaoTalk.
    pub kakao_talk: Option<KakaoTalk>,
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
            TwilioVoice::describe(),
            Sendgrid::describe(),
            Mailgun::describe(),
            KakaoTalk::describe(),
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
        let twilio_voice = optional::<TwilioVoice>(reader, false);
        let sendgrid = optional::<Sendgrid>(reader, false);
        let mailgun = optional::<Mailgun>(reader, false);
        let kakao_talk = optional::<KakaoTalk>(reader, false);
        let providers = Self {
            fcm: fcm?,
            apns: apns?,
            smtp: smtp?,
            webhook: webhook?,
            twilio: twilio?,
            web_push: web_push?,
            slack: slack?,
            vonage: vonage?,
            twilio_voice: twilio_voice?,
            sendgrid: sendgrid?,
            mailgun: mailgun?,
            kakao_talk: kakao_talk?,
        };
        for (name, (channel, from)) in providers.also_from() {
            for one in from {
                reader.require(
                    may_be_from(channel, &one),
                    &format!("providers.{name}.also_from"),
                    format!("`{one}` is nothing that messages can come from; give addresses or domains such as @example.com, or numbers such as +821023456789"),
                );
            }
        }
        for (name, terms) in providers.terms() {
            reader.require(
                (1..=1_000).contains(&terms.weight),
                &format!("providers.{name}.weight"),
                "must be between 1 and 1000; enabled = false switches a provider off",
            );
        }
        Some(providers)
    }

    /// Whether any of those that send mail is on.
    pub const fn has_mail(&self) -> bool {
        self.smtp.is_some() || self.sendgrid.is_some() || self.mailgun.is_some()
    }
}

/// What a section says of the provider's part.
macro_rules! terms {
    ($all:ident, $section:expr, $name:literal) => {
        terms!($all, $section, $name, |_| Vec::new())
    };
    ($all:ident, $section:expr, $name:literal, $countries:expr) => {
        if let Some(section) = &$section {
            let countries: fn(&_) -> Vec<Country> = $countries;
            let senders = section.senders.iter().map(|sender| sender.0.clone()).collect();
            let (provider, countries) = (String::from($name), countries(section));
            $all.insert($name, Terms { provider, priority: section.priority, weight: section.weight, countries, senders });
        }
    };
}

impl Providers {
    /// What those that are on are asked to serve, by their names.
    pub fn terms(&self) -> HashMap<&'static str, Terms> {
        let mut all = HashMap::new();
        terms!(all, self.fcm, "fcm");
        terms!(all, self.apns, "apns");
        terms!(all, self.smtp, "smtp");
        terms!(all, self.webhook, "webhook");
        terms!(all, self.twilio, "twilio", |section: &Twilio| section.countries.clone());
        terms!(all, self.vonage, "vonage", |section: &Vonage| section.countries.clone());
        terms!(all, self.web_push, "web_push");
        terms!(all, self.slack, "slack");
        terms!(all, self.twilio_voice, "twilio_voice", |section: &TwilioVoice| section.countries.clone());
        terms!(all, self.sendgrid, "sendgrid");
        terms!(all, self.mailgun, "mailgun");
        terms!(all, self.kakao_talk, "kakao_talk");
        all
    }

    /// Those that are being warmed up, by their names.
    pub fn ramps(&self) -> HashMap<&'static str, RampUp> {
        let set = [
            ("smtp", self.smtp.as_ref().and_then(|smtp| smtp.ramp_up)),
            ("sendgrid", self.sendgrid.as_ref().and_then(|sendgrid| sendgrid.ramp_up)),
            ("mailgun", self.mailgun.as_ref().and_then(|mailgun| mailgun.ramp_up)),
        ];
        set.into_iter().filter_map(|(name, ramp)| Some((name, ramp?.0))).collect()
    }

    /// Whom categories and senders may have messages come from, besides what is configured, by provider.
    pub fn also_from(&self) -> HashMap<&'static str, (Channel, Vec<String>)> {
        let set = [
            ("smtp", Channel::Email, self.smtp.as_ref().map(|smtp| &smtp.also_from)),
            ("sendgrid", Channel::Email, self.sendgrid.as_ref().map(|sendgrid| &sendgrid.also_from)),
            ("mailgun", Channel::Email, self.mailgun.as_ref().map(|mailgun| &mailgun.also_from)),
            ("twilio", Channel::Sms, self.twilio.as_ref().map(|twilio| &twilio.also_from)),
            ("vonage", Channel::Sms, self.vonage.as_ref().map(|vonage| &vonage.also_from)),
            ("twilio_voice", Channel::Voice, self.twilio_voice.as_ref().map(|voice| &voice.also_from)),
        ];
        set.into_iter().filter_map(|(name, channel, from)| Some((name, (channel, from.filter(|from| !from.is_empty())?.clone())))).collect()
    }

    /// What a segment of a text message costs, by provider.
    pub fn prices(&self) -> HashMap<&'static str, Prices> {
        let set = [
            ("twilio", self.twilio.as_ref().map(|twilio| &twilio.price_per_segment)),
            ("vonage", self.vonage.as_ref().map(|vonage| &vonage.price_per_segment)),
        ];
        let prices = |prices: &Vec<Price>| Prices::new(prices.iter().map(|price| (price.0, price.1.clone())).collect());
        set.into_iter().filter_map(|(name, set)| Some((name, prices(set?)))).collect()
    }

    /// The files that hold credentials, of those that are on.
    pub fn credential_files(&self) -> Vec<PathBuf> {
        let files = [
            self.fcm.as_ref().and_then(|fcm| fcm.service_account_file.as_ref()),
            self.apns.as_ref().and_then(|apns| apns.key_file.as_ref()),
            self.smtp.as_ref().and_then(|smtp| smtp.password_file.as_ref()),
            self.smtp.as_ref().and_then(|smtp| smtp.bounce_secret_file.as_ref()),
            self.twilio.as_ref().and_then(|twilio| twilio.auth_token_file.as_ref()),
            self.twilio.as_ref().and_then(|twilio| twilio.callback_token_file.as_ref()),
            self.twilio_voice.as_ref().and_then(|voice| voice.auth_token_file.as_ref()),
            self.twilio_voice.as_ref().and_then(|voice| voice.callback_token_file.as_ref()),
            self.vonage.as_ref().and_then(|vonage| vonage.api_secret_file.as_ref()),
            self.vonage.as_ref().and_then(|vonage| vonage.signature_secret_file.as_ref()),
            self.web_push.as_ref().and_then(|web_push| web_push.private_key_file.as_ref()),
            self.sendgrid.as_ref().and_then(|sendgrid| sendgrid.api_key_file.as_ref()),
            self.mailgun.as_ref().and_then(|mailgun| mailgun.api_key_file.as_ref()),
            self.mailgun.as_ref().and_then(|mailgun| mailgun.signing_key_file.as_ref()),
            self.kakao_talk.as_ref().and_then(|kakao_talk| kakao_talk.secret_key_file.as_ref()),
            self.kakao_talk.as_ref().and_then(|kakao_talk| kakao_talk.webhook_signature_file.as_ref()),
        ];
        files.into_iter().flatten().cloned().collect()
    }

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
            ("twilio_voice", self.twilio_voice.as_ref().map(|voice| voice.rate)),
            ("sendgrid", self.sendgrid.as_ref().map(|sendgrid| sendgrid.rate)),
            ("mailgun", self.mailgun.as_ref().map(|mailgun| mailgun.rate)),
            ("kakao_talk", self.kakao_talk.as_ref().map(|kakao_talk| kakao_talk.rate)),
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

/// Whether messages over a channel can come from it.
fn may_be_from(channel: Channel, text: &str) -> bool {
    let from = match channel {
        Channel::Email => {
            // A domain is one where any address there is.
            let address = if text.starts_with('@') { format!("any{text}") } else { text.to_owned() };
            SentFrom { email: Some(MailAuthor { address, name: None }), ..SentFrom::default() }
        }
        Channel::Voice => SentFrom { voice: Some(text.to_owned()), ..SentFrom::default() },
        _ => SentFrom { sms: Some(text.to_owned()), ..SentFrom::default() },
    };
    from.check().is_ok()
}
