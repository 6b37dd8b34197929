//! Chooses the provider of each delivery of a batch, out of what the providers of the channel offer.
//!
//! Guarantee: a delivery that none of its providers can take now is put off and told of, so that nothing
//! stands behind it. How long is reckoned from how fast its provider works off who was put off before, so
//! that each is put off about once. Rejected: giving it back to the queue. It would be the first to be
//! taken again, and a window full of them would let nothing else in.

use super::abroad::{Abroad, Verdict};
use super::attempts::stream_of;
use super::gate::{Gate, Offer, Slot};
use super::worker::Shared;
use crate::pending::Item;
use commands::bus::FactOf;
use commands::log::{LogError, Metadata};
use domain::StreamId;
use domain::notification::{HoldReason, NotificationEvent};
use domain::policy::routing::{Choice, Previous, Terms, Wanted, choose};
use domain::recipient::AddressDetails;
use domain::values::{Country, DeliveryNo, Millis, NotificationId, PhoneNumber, Priority, Rule};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the deliveries of a batch are chosen from.
pub(super) struct Choosing<'a> {
    gates: &'a [Arc<Gate>],
    terms: &'a [Terms],
    abroad: Option<&'a Abroad>,
    /// Beside the gates; none where nothing is let through.
    offers: Vec<Option<Offer>>,
    /// Who made the last attempts.
    last: HashMap<Key, String>,
}

type Key = (NotificationId, DeliveryNo);

const fn key_of(item: &Item) -> Key {
    (item.notification, item.delivery.number)
}

/// What was chosen.
pub(super) enum Chosen {
    /// Call.
    Call(Slot),
    /// Nobody can take it before.
    Later { until: Millis, rule: Rule },
    /// Nobody ever takes it.
    Never(Rule),
}

impl<'a> Choosing<'a> {
    /// Reads who made the last attempts of those that were attempted, in one read, where there is a choice.
    pub(super) async fn among(
        gates: &'a [Arc<Gate>],
        terms: &'a [Terms],
        abroad: Option<&'a Abroad>,
        offers: Vec<Option<Offer>>,
        shared: &Shared,
        items: &[Item],
    ) -> (Self, Option<LogError>) {
        let mut choosing = Self { gates, terms, abroad, offers, last: HashMap::new() };
        let again: Vec<&Item> = items.iter().filter(|item| item.delivery.attempt > 0).collect();
        if gates.len() > 1 && !again.is_empty() {
            match last_of(shared, &again).await {
                Ok(last) => choosing.last = last,
                Err(error) => return (choosing, Some(error)),
            }
        }
        (choosing, None)
    }

    /// Chooses for one delivery.
    pub(super) async fn choose(
        &mut self,
        shared: &Shared,
        metadata: &Arc<Metadata>,
        item: &Item,
        address: &AddressDetails,
        now: Millis,
    ) -> Result<Chosen, LogError> {
        let numbered = self.abroad.is_some() || self.terms.iter().any(|terms| !terms.countries.is_empty());
        let number = if numbered { PhoneNumber::parse(&address.value).ok() } else { None };
        let country = number.as_ref().and_then(Country::of);
        // Before anything else: what is not allowed is not put off first.
        if self.abroad.is_some_and(|abroad| number.is_none() || !abroad.allows(country)) {
            return Ok(Chosen::Never(Rule::CountryNotAllowed));
        }
        let slot = match self.provider_of(item, country) {
            Choice::Use(place) => self.offers.get_mut(place).and_then(Option::as_mut).and_then(Offer::take),
            Choice::Wait(places) => return Ok(self.put_off(shared, item.priority, &places, now)),
            Choice::Nobody => return Ok(Chosen::Never(Rule::NoProvider)),
        };
        // It was free, so it is.
        let Some(slot) = slot else { return Ok(self.put_off(shared, item.priority, &[], now)) };
        let (Some(abroad), Some(number)) = (self.abroad, number) else { return Ok(Chosen::Call(slot)) };
        Ok(match abroad.spend(&shared.bus, metadata, &number, country, now).await? {
            Verdict::Go => Chosen::Call(slot),
            Verdict::Never(rule) => Chosen::Never(rule),
            Verdict::Later { until, rule } => Chosen::Later { until, rule },
        })
    }

    fn provider_of(&self, item: &Item, country: Option<Country>) -> Choice {
        let provider = self.last.get(&key_of(item));
        let wanted = Wanted {
            notification: item.notification,
            delivery: item.delivery.number,
            sender: &item.sender,
            country,
            previous: provider.map(|provider| Previous { provider, unknown: item.delivery.after_unknown }),
        };
        choose(self.terms, &wanted, &|place| self.offers.get(place).and_then(Option::as_ref).is_some_and(|offer| offer.left() > 0))
    }

    /// Behind those who wait for the first of these to be able.
    fn put_off(&self, shared: &Shared, priority: Priority, places: &[usize], now: Millis) -> Chosen {
        let monotonic = shared.clock.monotonic();
        let first = places.iter().filter_map(|place| self.gates.get(*place)).min_by_key(|gate| gate.wait(monotonic));
        let hurried = matches!(priority, Priority::Critical | Priority::High);
        let pause = first.map_or(super::gate::SHORTEST, |gate| if hurried { gate.hurry(monotonic) } else { gate.join(monotonic, now) });
        metrics::counter!("bongsu_put_off_total").increment(1);
        Chosen::Later { until: now + Millis::try_from(pause.as_millis()).unwrap_or(0), rule: Rule::ProvidersBusy }
    }
}

/// The providers of the last attempts of these. A call that was not made leaves the one before the last.
async fn last_of(shared: &Shared, items: &[&Item]) -> Result<HashMap<Key, String>, LogError> {
    let streams: HashSet<StreamId> = items.iter().map(|item| stream_of(item)).collect();
    let mut attempts: HashMap<Key, Vec<String>> = items.iter().map(|item| (key_of(item), Vec::new())).collect();
    for event in shared.bus.log().bare_streams(streams.into_iter().collect(), false).await? {
        let Some(fact) = NotificationEvent::of(&event.fact) else { continue };
        let Some(made) = fact.delivery().and_then(|delivery| attempts.get_mut(&(NotificationId(event.stream.id), delivery))) else { continue };
        match fact {
            NotificationEvent::AttemptStarted(started) => made.push(started.provider.clone()),
            NotificationEvent::Held(held) if held.reason == HoldReason::NotMade => _ = made.pop(),
            _ => {}
        }
    }
    Ok(attempts.into_iter().filter_map(|(key, mut made)| Some((key, made.pop()?))).collect())
}
