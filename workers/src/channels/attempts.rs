//! Preparing attempts: the check at the last moment, and the record with its expectations.

use super::barrier::Unbegun;
use super::worker::Shared;
use crate::pending::Item;
use crate::providers::Provider;
use commands::accept::{recipient_stream, subscription_stream};
use commands::bus::{Bus, Refused};
use commands::failpoint;
use commands::log::{Commit, LogError, Metadata, StreamAppend};
use domain::notification::{Notification, NotificationEvent};
use domain::policy::last_check::{LastCheck, last_check};
use domain::recipient::AddressDetails;
use domain::values::{Content, Rule};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;

/// What is to be done with an item.
pub(super) enum Checked {
    /// Nothing: it is over.
    Gone,
    /// Commit this; with an address: then call.
    Commit { commit: Box<Commit>, attempt: Option<AddressDetails> },
}

/// An item whose commit is under way.
pub(super) struct Prepared {
    pub item: Item,
    pub attempt: Option<AddressDetails>,
    pub unbegun: Option<Unbegun>,
}

/// Checks an item and makes the commit that follows from it.
pub(super) async fn check(shared: &Shared, provider: &Arc<dyn Provider>, metadata: &Arc<Metadata>, item: &Item) -> Result<Checked, LogError> {
    let facts = shared.facts.gather::<std::convert::Infallible>(&shared.bus, item.recipient, &item.category).await.map_err(log_error)?;
    let now = shared.clock.now();
    let verdict = last_check(&item.delivery, item.expires_at, &item.category, &facts.category.state, &facts.recipient.state, &facts.subscription.state, now);
    let address = item.delivery.address.and_then(|id| facts.recipient.state.address(id)).and_then(|address| address.details.known().cloned());
    let (event, attempt) = match (verdict, address) {
        (LastCheck::Expire, _) => (item.delivery.expire(), None),
        (LastCheck::Suppress(rule), _) => (item.delivery.suppress(rule, facts.versions()), None),
        // The address is registered but its key is gone: erased in this very moment.
        (LastCheck::Proceed, None) => (item.delivery.suppress(Rule::RecipientErased, facts.versions()), None),
        (LastCheck::Proceed, Some(address)) => (item.delivery.start(provider.name()), Some(address)),
    };
    let Some(event) = event else { return Ok(Checked::Gone) };
    let append = StreamAppend {
        stream: StreamId::new(AggregateKind::Notification, item.notification.0),
        number: Some(item.stream),
        expected: item.sequence,
        events: vec![Fact::Notification(event)],
    };
    let mut expectations =
        vec![(subscription_stream(item.recipient), facts.subscription.sequence), (recipient_stream(item.recipient), facts.recipient.sequence)];
    if failpoint::planted("opt-out-unexpected") {
        expectations.clear();
    }
    Ok(Checked::Commit { commit: Box::new(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations }), attempt })
}

fn log_error(error: Refused<std::convert::Infallible>) -> LogError {
    match error {
        Refused::Log(error) => error,
        Refused::Refusal(never) => match never {},
        Refused::Contended => LogError::Overloaded,
    }
}

/// Reads the notification anew; false where the delivery is over.
pub(super) async fn reload(bus: &Bus, item: &mut Item) -> Result<bool, LogError> {
    let stream = StreamId::new(AggregateKind::Notification, item.notification.0);
    let loaded = match bus.load::<Notification>(stream).await {
        Ok(loaded) => loaded,
        Err(Refused::Log(error)) => return Err(error),
        Err(Refused::Refusal(_) | Refused::Contended) => return Err(LogError::Overloaded),
    };
    let Some(delivery) = loaded.state.delivery(item.delivery.number) else { return Ok(false) };
    item.delivery = delivery.clone();
    item.sequence = loaded.sequence;
    Ok(delivery.is_stoppable())
}

/// The contents, from what is at hand or from the log in one read; none where erased.
pub(super) async fn content_of(bus: &Bus, prepared: &[Prepared]) -> Vec<Option<Arc<Content>>> {
    let content = |fact: &Fact| match fact {
        Fact::Notification(NotificationEvent::Requested(requested)) => requested.personal.known().cloned().map(Arc::new),
        _ => None,
    };
    let missing: Vec<u64> = prepared.iter().filter(|prepared| prepared.item.requested.is_none()).map(|prepared| prepared.item.requested_position).collect();
    let read = if missing.is_empty() { Vec::new() } else { bus.log().read_at(missing, true).await.unwrap_or_default() };
    prepared
        .iter()
        .map(|prepared| match &prepared.item.requested {
            Some(event) => content(&event.fact),
            None => read.iter().find(|event| event.position == prepared.item.requested_position).and_then(|event| content(&event.fact)),
        })
        .collect()
}
