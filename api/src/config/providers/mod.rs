//! `[providers.*]`: the third parties that deliver. One file each.
//!
//! A provider is on as soon as anything in its section is set; `enabled = false` switches it off
//! without losing the rest. Credentials come from a file, from the environment or from the
//! configuration file itself.

mod apns;
mod credential;
mod fcm;
mod smtp;
mod webhook;

pub use apns::Apns;
pub use fcm::Fcm;
pub use smtp::{Encryption, Smtp};
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
}

impl Providers {
    /// The documentation of all providers.
    pub fn describe_all() -> Vec<SectionDoc> {
        vec![Fcm::describe(), Apns::describe(), Smtp::describe(), Webhook::describe()]
    }

    /// Reads and checks those that are on. The outer none says that something is wrong.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let fcm = optional::<Fcm>(reader, false);
        let apns = optional::<Apns>(reader, false);
        let smtp = optional::<Smtp>(reader, false);
        let webhook = optional::<Webhook>(reader, true);
        Some(Self { fcm: fcm?, apns: apns?, smtp: smtp?, webhook: webhook? })
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
