//! Where text messages and calls may go, and how many in an hour: against those who have expensive
//! numbers called that they share in ("SMS pumping").
//!
//! Closed by default: a number goes nowhere that is not named. Caps are drawn from the log
//! ([`domain::quota`]), a twentieth at a time, and spent from what was drawn: in no hour of the clock does
//! more than a cap go out, by all replicas together. What a replica has drawn and not spent, a twentieth at
//! most, is lost to the others for that hour; so is what was drawn for a call that was then not made. In
//! sixty minutes that lie across two hours up to two caps may go.

use commands::bus::{Bus, Refused};
use commands::log::{LogError, Metadata};
use domain::quota::{Draw, Quota, QuotaEvent};
use domain::values::{Channel, Country, Millis, PhoneNumber, Rule};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// An hour.
const HOUR_MS: Millis = 3_600_000;
/// Parts in which a cap is drawn.
const PARTS: u32 = 20;
/// Quotas that are remembered at once; beyond, all are forgotten, and what they held is spent.
const KEPT: usize = 65_536;
/// Last digits that do not count for the range of a number.
const WITHIN_RANGE: usize = 4;

/// What is allowed over one channel.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// To these countries; none for every number, also those of no country.
    pub countries: Option<Vec<Country>>,
    /// Attempts an hour to each country.
    pub per_country: Option<NonZeroU32>,
    /// Attempts an hour to each range: numbers that differ in their last four digits only.
    pub per_range: Option<NonZeroU32>,
}

/// See the module.
#[derive(Debug)]
pub struct Abroad {
    channel: Channel,
    allowed: Allowed,
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    hour: Millis,
    /// What is left in hand.
    left: HashMap<String, u32>,
    /// Those of which nothing more can be drawn.
    spent: HashSet<String>,
}

/// What is to be done with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    /// Nothing goes there.
    Never(Rule),
    /// Not in this hour.
    Later {
        until: Millis,
        rule: Rule,
    },
}

impl Abroad {
    /// For one channel.
    pub fn new(channel: Channel, allowed: Allowed) -> Self {
        Self { channel, allowed, drawn: Mutex::default() }
    }

    /// Whether a number of this country may be reached at all.
    pub(super) fn allows(&self, country: Option<Country>) -> bool {
        self.allowed.countries.as_ref().is_none_or(|countries| country.is_some_and(|country| countries.contains(&country)))
    }

    /// Takes what one attempt needs, or says until when nothing is left.
    pub(super) async fn spend(
        &self,
        bus: &Bus,
        metadata: &Arc<Metadata>,
        number: &PhoneNumber,
        country: Option<Country>,
        now: Millis,
    ) -> Result<Verdict, LogError> {
        if !self.allows(country) {
            return Ok(Verdict::Never(Rule::CountryNotAllowed));
        }
        let hour = now - now.rem_euclid(HOUR_MS);
        let place = country.map_or_else(|| "none".to_owned(), |country| country.to_string());
        let (digits, last) = (number.digits(), number.digits().len().saturating_sub(WITHIN_RANGE));
        let quotas = [
            (self.allowed.per_country, Rule::OverCountryCap, format!("{}/{hour}/{place}", self.channel.name())),
            (self.allowed.per_range, Rule::OverRangeCap, format!("{}/{hour}/{}", self.channel.name(), &digits[..last])),
        ];
        let mut taken: Option<&str> = None;
        for (cap, rule, key) in &quotas {
            let Some(cap) = cap else { continue };
            if !self.take(hour, key) && !self.draw(bus, metadata, country, hour, key, cap.get()).await? {
                if let Some(before) = taken {
                    self.put(hour, before, 1);
                }
                return Ok(Verdict::Later { until: hour + HOUR_MS, rule: *rule });
            }
            taken = Some(key.as_str());
        }
        Ok(Verdict::Go)
    }

    /// Takes one of those in hand.
    fn take(&self, hour: Millis, key: &str) -> bool {
        let drawn = &mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.hour != hour {
            return false;
        }
        drawn.left.get_mut(key).is_some_and(|left| {
            let some = *left > 0;
            *left -= u32::from(some);
            some
        })
    }

    fn put(&self, hour: Millis, key: &str, more: u32) {
        let drawn = &mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.hour < hour || drawn.left.len() + drawn.spent.len() >= KEPT {
            *drawn = Drawn { hour, ..Drawn::default() };
        }
        // Of an hour that has passed meanwhile it is lost.
        if drawn.hour == hour {
            *drawn.left.entry(key.to_owned()).or_default() += more;
        }
    }

    /// Draws some more and takes one of them. False where nothing is left.
    async fn draw(&self, bus: &Bus, metadata: &Arc<Metadata>, country: Option<Country>, hour: Millis, key: &str, cap: u32) -> Result<bool, LogError> {
        if self.drawn.lock().unwrap_or_else(PoisonError::into_inner).spent.contains(key) {
            return Ok(false);
        }
        let draw = Draw { channel: self.channel, country: country.map(|country| country.to_string()), hour, attempts: (cap / PARTS).max(1), cap };
        let stream = StreamId::of_key(AggregateKind::Quota, key);
        match bus.execute::<Quota>(stream, metadata, draw).await {
            Ok(done) => {
                let drawn = |fact: &Fact| if let Fact::Quota(QuotaEvent::QuotaDrawn(drawn)) = fact { drawn.attempts } else { 0 };
                let drawn: u32 = done.recorded.iter().map(|event| drawn(&event.fact)).sum();
                self.put(hour, key, drawn.saturating_sub(1));
                Ok(drawn > 0)
            }
            Err(Refused::Refusal(_)) => {
                self.put(hour, key, 0);
                self.drawn.lock().unwrap_or_else(PoisonError::into_inner).spent.insert(key.to_owned());
                Ok(false)
            }
            Err(Refused::Log(error)) => Err(error),
            Err(Refused::Erased | Refused::Contended) => Err(LogError::Overloaded),
        }
    }
}
