//! Which simulators there are: one row each, and everything that has one thing for each is made of it.
//!
//! Guarantee: a simulator that is in the list has an address, a counter and a name in rules, ledger and
//! ready file; the compiler asks for the rest. Rejected: a list in each of those places, which made a
//! provider a change of twenty lines that say the same.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::config::SimulatorError;
use super::ledger::Counters;
use super::running::bind;

macro_rules! simulators {
    (
        providers { $($(#[$doc:meta])* $name:ident = $kind:ident,)* }
        besides { $($(#[$other_doc:meta])* $other:ident,)* }
    ) => {
        /// Which simulator an arrival, rule or counter belongs to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Provider {
            $($(#[$doc])* $kind,)*
        }

        impl Provider {
            /// All providers, in the order of the counters.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$kind),*];

            /// How many there are.
            pub(crate) const COUNT: usize = [$(stringify!($kind)),*].len();

            pub(crate) const fn index(self) -> usize {
                self as usize
            }
        }

        /// Something of each place that the simulators listen on: an address, a port.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Places<T> {
            $($(#[$doc])* pub $name: T,)*
            $($(#[$other_doc])* pub $other: T,)*
        }

        impl<T: Copy> Places<T> {
            /// The same of each.
            pub const fn all(one: T) -> Self {
                Self { $($name: one,)* $($other: one,)* }
            }

            /// What `change` makes of each.
            pub fn map<U>(&self, change: impl Fn(T) -> U) -> Places<U> {
                Places { $($name: change(self.$name),)* $($other: change(self.$other),)* }
            }

            /// Each with its name.
            pub fn named(&self) -> Vec<(&'static str, T)> {
                vec![$((stringify!($name), self.$name),)* $((stringify!($other), self.$other),)*]
            }
        }

        /// Listens everywhere: on the wanted address, or for port 0 on the port of the last start.
        pub(super) async fn bind_all(wanted: Places<SocketAddr>, last: Places<u16>) -> Result<(Places<TcpListener>, Places<SocketAddr>), SimulatorError> {
            $(let $name = bind(stringify!($name), wanted.$name, last.$name).await?;)*
            $(let $other = bind(stringify!($other), wanted.$other, last.$other).await?;)*
            let at = Places { $($name: $name.1,)* $($other: $other.1,)* };
            Ok((Places { $($name: $name.0,)* $($other: $other.0,)* }, at))
        }

        /// Counters of all providers.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct AllCounters {
            $($(#[$doc])* pub $name: Counters,)*
            /// Entries dropped from memory because the bound was reached.
            pub forgotten: u64,
            /// Position of the newest entry.
            pub last_seq: u64,
        }

        impl AllCounters {
            pub(crate) const fn of_each([$($name),*]: [Counters; Provider::COUNT], forgotten: u64, last_seq: u64) -> Self {
                Self { $($name,)* forgotten, last_seq }
            }

            /// The counters of one provider.
            #[must_use]
            pub const fn of(&self, provider: Provider) -> Counters {
                match provider {
                    $(Provider::$kind => self.$name,)*
                }
            }
        }
    };
}

simulators! {
    providers {
        /// Firebase Cloud Messaging HTTP v1; HTTP/1.1 and HTTP/2 on the same port, over TLS where a client begins with it.
        fcm = Fcm,
        /// Apple Push Notification service; over TLS with HTTP/2 (ALPN `h2`).
        apns = Apns,
        /// Mail submission, with STARTTLS.
        smtp = Smtp,
        /// Standard Webhooks receiver.
        webhook = Webhook,
        /// Twilio Messaging.
        twilio = Twilio,
        /// A push service of browsers.
        web_push = WebPush,
        /// Incoming webhooks of Slack.
        slack = Slack,
        /// Vonage SMS.
        vonage = Vonage,
        /// Twilio Voice.
        twilio_voice = TwilioVoice,
        /// SendGrid.
        sendgrid = Sendgrid,
        /// Mailgun.
        mailgun = Mailgun,
        /// KakaoTalk AlimTalk by NHN Cloud.
        kakao_talk = KakaoTalk,
    }
    besides {
        /// APNs over HTTP/2 without TLS (prior knowledge).
        apns_cleartext,
        /// Administration: ledger, rules, counters, clock.
        admin,
    }
}
