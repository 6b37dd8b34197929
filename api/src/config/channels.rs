//! `[channels.sms]` and `[channels.voice]`: where numbers may be reached, and how often.
//!
//! Closed until opened: where a provider of the channel is on, the countries must be named, since whoever can
//! have a number registered could otherwise have calls made to it at the operator's cost. Rejected: a
//! default of all countries with a warning, which nobody reads before the bill; a default of none without a
//! word, which looks like a fault.

use super::providers::Providers;
use super::section::{Reader, Section, SectionDoc, section};
use super::source::Raw;
use super::value::{Form, Value};
use domain::values::{Channel, Country};
use std::num::NonZeroU32;
use std::path::Path;
use workers::channels::AllowedAbroad;

/// The countries that may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Countries {
    /// Every number, also those of no country.
    All,
    /// Numbers of these.
    These(Vec<Country>),
}

impl Value for Countries {
    const KIND: &'static str = "a list of countries by their two letters, such as [\"KR\", \"US\"], or [\"all\"]";
    const FORM: Form = Form::List;

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let named: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if named == ["all"] {
            return Ok(Self::All);
        }
        if let Some(wrong) = named.iter().find(|code| Country::parse(code).is_none()) {
            return Err(format!("`{wrong}` is no country with telephone numbers; expected {}", Self::KIND));
        }
        <Vec<Country> as Value>::parse(text, folder).map(Self::These)
    }

    fn from_raw(raw: &Raw, folder: &Path) -> Result<Self, String> {
        match raw {
            Raw::Untyped(text) | Raw::Text(text) => Self::parse(text, folder),
            Raw::List(parts) => {
                let text = |part: &Raw| if let Raw::Text(text) | Raw::Untyped(text) = part { Some(text.clone()) } else { None };
                let parts: Option<Vec<String>> = parts.iter().map(text).collect();
                Self::parse(&parts.ok_or_else(|| format!("expected {}", Self::KIND))?.join(","), folder)
            }
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }
}

section! {
    /// Where text messages may go. Caps hold in each hour of the clock (UTC), over all replicas; what is over
    /// waits for the next hour.
    Sms at "channels.sms" {
        /// The countries whose numbers get text messages, or `["all"]`. Must be set where a provider of text
        /// messages is on; an empty list lets nothing through.
        countries: Option<Countries>,
        /// Text messages an hour to each country; 0 for any number.
        cap_per_country: u32 = "0",
        /// Text messages an hour to each range: numbers that differ in their last four digits only; 0 for any
        /// number.
        cap_per_range: u32 = "0",
    }
}

section! {
    /// Where telephone calls may go. Caps hold in each hour of the clock (UTC), over all replicas; what is
    /// over waits for the next hour.
    Voice at "channels.voice" {
        /// The countries whose numbers are called, or `["all"]`. Must be set where a provider of calls is on;
        /// an empty list lets nothing through.
        countries: Option<Countries>,
        /// Calls an hour to each country; 0 for any number.
        cap_per_country: u32 = "0",
        /// Calls an hour to each range: numbers that differ in their last four digits only; 0 for any number.
        cap_per_range: u32 = "0",
    }
}

impl Sms {
    const fn check(&self, _: &mut Reader<'_>) {}
}

impl Voice {
    const fn check(&self, _: &mut Reader<'_>) {}
}

/// What is allowed on the channels where calls cost money.
#[derive(Debug, Clone)]
pub struct Channels {
    sms: Sms,
    voice: Voice,
}

impl Channels {
    /// The documentation of all sections.
    pub fn describe_all() -> Vec<SectionDoc> {
        vec![Sms::describe(), Voice::describe()]
    }

    /// Reads both.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (sms, voice) = (Sms::read(reader), Voice::read(reader));
        Some(Self { sms: sms?, voice: voice? })
    }

    /// Notes where a provider is on and nobody said where it may send.
    pub fn check_with(&self, providers: &Providers, reader: &mut Reader<'_>) {
        let texts = providers.twilio.is_some() || providers.vonage.is_some();
        reader.require(
            !texts || self.sms.countries.is_some(),
            "channels.sms.countries",
            "must name the countries that text messages may go to, such as [\"KR\", \"US\"], since a provider of them is on; [\"all\"] allows every number",
        );
        reader.require(
            providers.twilio_voice.is_none() || self.voice.countries.is_some(),
            "channels.voice.countries",
            "must name the countries that may be called, such as [\"KR\", \"US\"], since a provider of calls is on; [\"all\"] allows every number",
        );
    }

    /// What is allowed over a channel; none where nothing is bounded there.
    pub fn allowed(&self, channel: Channel) -> Option<AllowedAbroad> {
        let (countries, country, range) = match channel {
            Channel::Sms => (&self.sms.countries, self.sms.cap_per_country, self.sms.cap_per_range),
            Channel::Voice => (&self.voice.countries, self.voice.cap_per_country, self.voice.cap_per_range),
            _ => return None,
        };
        let countries = match countries {
            Some(Countries::All) => None,
            Some(Countries::These(countries)) => Some(countries.clone()),
            // Closed, whatever else was not checked.
            None => Some(Vec::new()),
        };
        Some(AllowedAbroad { countries, per_country: NonZeroU32::new(country), per_range: NonZeroU32::new(range) })
    }
}
