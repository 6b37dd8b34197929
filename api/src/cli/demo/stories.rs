//! What is sent, and how each story should end.

use super::people::{ADA, BEN, CLEO};
use serde_json::{Value, json};
use workers::simulators::Provider;

/// How a story should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Sent after this many failed attempts.
    Sent {
        /// Attempts that fail first.
        failures: usize,
    },
    /// Decided against by this rule; no attempt.
    Suppressed {
        /// The rule.
        rule: &'static str,
    },
}

/// What is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words {
    /// A title and a text.
    Plain(&'static str, &'static str),
    /// A template that [`install`](crate::cli::template::install) published, and its parameters as JSON.
    Template(&'static str, &'static str),
}

/// One notification.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    /// What it shows.
    pub(super) title: &'static str,
    /// To whom.
    pub(super) recipient: &'static str,
    /// Over which channel, as the schema names it.
    pub(super) channel: &'static str,
    /// What it says.
    pub(super) words: Words,
    /// The simulator that should receive it, where the channel has a provider.
    pub(super) provider: Option<Provider>,
    /// How it should end.
    pub(super) ending: Ending,
}

const SENT: Ending = Ending::Sent { failures: 0 };

/// All, in the order of telling.
pub(super) const ALL: [Story; 7] = [
    Story {
        title: "a push to Ada's Android phone",
        recipient: ADA,
        channel: "ANDROID_PUSH",
        words: Words::Plain("Your parcel is on its way", "It arrives tomorrow before noon."),
        provider: Some(Provider::Fcm),
        ending: SENT,
    },
    Story {
        title: "a push to Ada's iPhone",
        recipient: ADA,
        channel: "IOS_PUSH",
        words: Words::Plain("Your parcel is on its way", "It arrives tomorrow before noon."),
        provider: Some(Provider::Apns),
        ending: SENT,
    },
    Story {
        title: "an e-mail to Ada, from a template",
        recipient: ADA,
        channel: "EMAIL",
        words: Words::Template("order-shipped", r#"{"name": "Ada", "order": "17", "tracking_url": "https://shop.example.com/orders/17"}"#),
        provider: Some(Provider::Smtp),
        ending: SENT,
    },
    Story {
        title: "a notice inside Ada's app",
        recipient: ADA,
        channel: "IN_APP",
        words: Words::Plain("Rate your order", "How did you like it?"),
        provider: None,
        ending: SENT,
    },
    Story {
        title: "a signed webhook to Ada's own server",
        recipient: ADA,
        channel: "WEBHOOK",
        words: Words::Plain("order.shipped", "Order 17 was shipped."),
        provider: Some(Provider::Webhook),
        ending: SENT,
    },
    Story {
        title: "a push to Ben while FCM is unavailable twice: it is tried again",
        recipient: BEN,
        channel: "ANDROID_PUSH",
        words: Words::Plain("Your table is ready", "Please come to the counter."),
        provider: Some(Provider::Fcm),
        ending: Ending::Sent { failures: 2 },
    },
    Story {
        title: "an e-mail to Cleo, who wants none: it is not sent",
        recipient: CLEO,
        channel: "EMAIL",
        words: Words::Plain("Our offers this week", "Everything must go."),
        provider: Some(Provider::Smtp),
        ending: Ending::Suppressed { rule: "opted_out_of_channel" },
    },
];

impl Story {
    /// The mutation's input.
    pub(super) fn input(&self) -> Value {
        let mut input = json!({ "recipient": self.recipient, "channels": [self.channel] });
        match self.words {
            Words::Plain(title, body) => input["content"] = json!({ "title": title, "body": body }),
            Words::Template(key, parameters) => {
                // Constants of ours: the tests read each of them.
                let parameters: Value = serde_json::from_str(parameters).unwrap_or_default();
                input["template"] = json!({ "key": key, "parameters": parameters });
            }
        }
        input
    }

    /// Messages that the provider should receive.
    pub(super) const fn arrivals(&self) -> u64 {
        match (self.ending, self.provider) {
            (Ending::Sent { .. }, Some(_)) => 1,
            _ => 0,
        }
    }
}
