//! The channels over which a notification can reach somebody.

use super::PhoneNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to reach a recipient; which provider serves it is decided when work is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Push to Android devices (FCM).
    AndroidPush,
    /// Push to iPhones, iPads and Macs (APNs).
    IosPush,
    /// E-mail.
    Email,
    /// History and live feed inside the app; needs no provider.
    InApp,
    /// HTTP request to a URL of the recipient's, signed as Standard Webhooks asks.
    Webhook,
    /// Text message to a phone.
    Sms,
    /// Telephone call that reads the text aloud.
    Voice,
    /// Push to browsers (RFC 8030).
    WebPush,
    /// Message in a team's chat.
    Chat,
    /// AlimTalk: a message of an approved template to the KakaoTalk of a phone.
    KakaoTalk,
}

impl Channel {
    /// All channels, in the order in which a notification's deliveries are numbered. New ones come
    /// last: a decision made again gives every delivery the number it had.
    pub const ALL: [Self; 10] =
        [Self::InApp, Self::AndroidPush, Self::IosPush, Self::Email, Self::Webhook, Self::Sms, Self::Voice, Self::WebPush, Self::Chat, Self::KakaoTalk];

    /// Those of a category that names none. Closed: a channel that came later may cost money or
    /// ring, so nothing goes over it that does not name it. Categories of the first version rely on it.
    pub const UNNAMED: [Self; 5] = [Self::InApp, Self::AndroidPush, Self::IosPush, Self::Email, Self::Webhook];

    /// Whether an address is a person's and comes back by hand (an e-mail address, a number): where it turns out dead it is
    /// suppressed, and stays with its recipient. A device or a hook is registered anew by a program, and dropped.
    pub const fn is_a_persons(self) -> bool {
        matches!(self, Self::Email | Self::Sms | Self::Voice | Self::KakaoTalk)
    }

    /// `value` as all spellings of one address on this channel: an e-mail address without regard to upper
    /// and lower case, a number without regard to what parts its digits. RFC 5321 section 2.4 lets a host tell local parts apart by case; none that matters does, and
    /// somebody who has unsubscribed means every spelling.
    pub fn spelling(self, value: &str) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Sms | Self::Voice | Self::KakaoTalk => PhoneNumber::parse(value).map_or(value.into(), |number| number.as_str().to_owned().into()),
            Self::Email if value.trim() != value || value.chars().any(char::is_uppercase) => value.trim().to_lowercase().into(),
            _ => value.into(),
        }
    }

    /// The name in events, configuration and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AndroidPush => "android_push",
            Self::IosPush => "ios_push",
            Self::Email => "email",
            Self::InApp => "in_app",
            Self::Webhook => "webhook",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::WebPush => "web_push",
            Self::Chat => "chat",
            Self::KakaoTalk => "kakao_talk",
        }
    }

    /// Reads [`name`](Self::name) back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// Whether a third party is called for it.
    pub const fn has_provider(self) -> bool {
        !matches!(self, Self::InApp)
    }

    /// Whether its addresses are devices, of which a recipient may have several.
    pub const fn is_device(self) -> bool {
        matches!(self, Self::AndroidPush | Self::IosPush | Self::WebPush)
    }

    /// A small stable number for compact storage.
    pub const fn number(self) -> u8 {
        match self {
            Self::InApp => 0,
            Self::AndroidPush => 1,
            Self::IosPush => 2,
            Self::Email => 3,
            Self::Webhook => 4,
            Self::Sms => 5,
            Self::Voice => 6,
            Self::WebPush => 7,
            Self::Chat => 8,
            Self::KakaoTalk => 9,
        }
    }

    /// Reads [`number`](Self::number) back.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.number() == number)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
