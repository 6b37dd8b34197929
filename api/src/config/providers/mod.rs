//! `[providers.*]`: the third parties that deliver. One file each.
//!
//! A provider is on as soon as anything in its section is set; `enabled = false` switches it off
//! without losing the rest. Credentials come from a file, from the environment or from the
//! configuration file itself.

mod apns;
mod credential;
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
        let texts = [("twilio", is_on(&twilio)), ("vonage", is_on(&vonage))];
        let mails = [("smtp", is_on(&smtp)), ("sendgrid", is_on(&sendgrid)), ("mailgun", is_on(&mailgun))];
        // Both are looked at, so that every mistake is told at once.
        if [one_of(reader, "sms", &texts), one_of(reader, "email", &mails)].contains(&false) {
            return None;
        }
        Some(Self {
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
        })
    }

    /// Whether any of those that send mail is on.
    pub const fn has_mail(&self) -> bool {
        self.smtp.is_some() || self.sendgrid.is_some() || self.mailgun.is_some()
    }
}

/// Whether a section is on, and right.
const fn is_on<T>(section: &Option<Option<T>>) -> bool {
    matches!(section, Some(Some(_)))
}

/// Notes every provider of a channel beyond the first. False if there is one.
fn one_of(reader: &mut Reader<'_>, channel: &str, providers: &[(&str, bool)]) -> bool {
    let mut on = providers.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
    let Some(first) = on.next() else { return true };
    let more: Vec<_> = on.collect();
    for name in &more {
        reader.problem(
            &format!("providers.{name}.enabled"),
            format_args!("providers.{first} serves the channel {channel} already, and a channel has one provider; set enabled = false in one of them"),
        );
    }
    more.is_empty()
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
