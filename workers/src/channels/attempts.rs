//! Preparing attempts: the check at the last moment, and the record with its expectations.

use super::barrier::Unbegun;
use super::choosing::{Choosing, Chosen};
use super::gate::Slot;
use super::under_way::Entered;
use super::worker::Shared;
use crate::pending::{Item, owed_since};
use commands::accept::{recipient_stream, subscription_stream};
use commands::bus::{Bus, FactOf, Refused};
use commands::failpoint;
use commands::links::{TrackedMail, Unsubscribe};
use commands::log::{Bare, Commit, LogError, Metadata, Recorded, StreamAppend};
use commands::templates::placeholders;
use domain::aggregate::Aggregate;
use domain::category::Category;
use domain::notification::{Notification, NotificationEvent, Requested};
use domain::policy::last_check::{Last, LastCheck, last_check};
use domain::policy::sent_from::sent_as;
use domain::recipient::AddressDetails;
use domain::subscription::Subscription;
use domain::values::{AddressId, Channel, Content, Rule, SentAs, SentFrom};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is to be done with an item.
pub(super) enum Checked {
    /// Nothing: it is over.
    Gone,
    /// Commit this; with an attempt: then call.
    Commit { commit: Box<Commit>, attempt: Option<Attempt> },
}

/// What a call needs besides the content.
pub(super) struct Attempt {
    pub address: AddressDetails,
    /// Whom it comes from, where that is not as configured.
    pub from: Option<SentAs>,
    /// Of an e-mail whose category can be switched off.
    pub unsubscribe: Option<Unsubscribe>,
    /// Of an e-mail that is tracked.
    pub tracking: Option<Box<TrackedMail>>,
    /// The right to make it.
    pub slot: Slot,
}

/// An item whose commit is under way.
pub(super) struct Prepared {
    pub item: Item,
    pub attempt: Option<Attempt>,
    pub unbegun: Option<Unbegun>,
    /// That it is in these hands and no others.
    pub entered: Option<Arc<Entered>>,
}

impl Prepared {
    /// Whether it was recorded is not known, and its call does not begin: it holds no opt-out and no slot.
    pub(super) fn unbegun(self) -> Doubtful {
        Doubtful { attempted: self.attempt.is_some(), item: self.item, entered: self.entered }
    }
}

/// An item whose commit was not answered.
pub(super) struct Doubtful {
    pub item: Item,
    /// An attempt was to be recorded.
    pub attempted: bool,
    /// See [`Prepared`].
    pub entered: Option<Arc<Entered>>,
}

pub(super) fn stream_of(item: &Item) -> StreamId {
    StreamId::new(AggregateKind::Notification, item.notification.0)
}

/// Checks an item, where nothing may go to these addresses any more, and makes the commit that follows from it.
pub(super) async fn check(
    shared: &Shared,
    choosing: &mut Choosing<'_>,
    metadata: &Arc<Metadata>,
    suppressed: &HashSet<AddressId>,
    item: &Item,
) -> Result<Checked, LogError> {
    let facts = shared.facts.gather::<std::convert::Infallible>(&shared.bus, item.recipient, &item.category).await.map_err(log_error)?;
    let now = shared.clock.now();
    let last = Last { delivery: &item.delivery, expires_at: item.expires_at, category: &item.category, topic: item.topic.as_ref(), priority: item.priority };
    let verdict = last_check(last, &facts.category.state, &facts.recipient.state, &facts.subscription.state, &|id| suppressed.contains(&id), now);
    let verdict = match verdict {
        LastCheck::Postpone { .. } if failpoint::planted("quiet-unasked") => LastCheck::Proceed,
        verdict => verdict,
    };
    let address = item.delivery.address.and_then(|id| facts.recipient.state.address(id)).and_then(|address| address.details.known().cloned());
    let (event, attempt) = match (verdict, address) {
        (LastCheck::Expire, _) => (item.delivery.expire(), None),
        (LastCheck::Postpone { until, rule }, _) => (item.delivery.postpone(until, rule, facts.versions()), None),
        (LastCheck::Suppress(rule), _) => (item.delivery.suppress(rule, facts.versions()), None),
        // The address is registered but its key is gone: erased in this very moment.
        (LastCheck::Proceed, None) => (item.delivery.suppress(Rule::RecipientErased, facts.versions()), None),
        (LastCheck::Proceed, Some(address)) => {
            let leaves = item.delivery.channel == Channel::Email && !facts.category.state.required;
            // From now, not from the request: one that waited for months has a link that works as long.
            let unsubscribe = if leaves { shared.links.unsubscribe(item.recipient, &item.category, item.notification, now) } else { None };
            let tracking = tracking(shared, item, &facts.category.state, &facts.subscription.state);
            match choosing.choose(shared, metadata, item, &address, now).await? {
                Chosen::Call(slot) => {
                    let from = from(shared, item, &facts.category.state, slot.also_from()).await?;
                    (item.delivery.start(slot.provider().name(), from.as_ref()), Some(Attempt { address, from, unsubscribe, tracking, slot }))
                }
                // Asked again when it expires, if that comes first.
                Chosen::Later { until, rule } => (item.delivery.postpone(item.expires_at.map_or(until, |at| until.min(at)), rule, facts.versions()), None),
                Chosen::Never(rule) => (item.delivery.suppress(rule, facts.versions()), None),
            }
        }
    };
    let Some(event) = event else { return Ok(Checked::Gone) };
    let append = StreamAppend { stream: stream_of(item), number: Some(item.stream), expected: item.sequence, events: vec![Fact::Notification(event)] };
    let mut expectations =
        vec![(subscription_stream(item.recipient), facts.subscription.sequence), (recipient_stream(item.recipient), facts.recipient.sequence)];
    if failpoint::planted("opt-out-unexpected") {
        expectations.clear();
    }
    Ok(Checked::Commit { commit: Box::new(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations }), attempt })
}

/// How its mail is tracked: as its category asks for now, unless the recipient is not to be.
fn tracking(shared: &Shared, item: &Item, category: &Category, subscription: &Subscription) -> Option<Box<TrackedMail>> {
    let wanted = category.tracking;
    if item.delivery.channel != Channel::Email || wanted.is_off() || !subscription.may_be_tracked() {
        return None;
    }
    TrackedMail::of(&shared.links, item.recipient, item.notification, item.delivery.number, (wanted.opens, wanted.clicks)).map(Box::new)
}

/// Whom it comes from, as category and sender say now. Where the provider may send from nothing but what is
/// configured, nobody is asked.
async fn from(shared: &Shared, item: &Item, category: &Category, allowed: &[String]) -> Result<Option<SentAs>, LogError> {
    if allowed.is_empty() {
        return Ok(None);
    }
    let channel = item.delivery.channel;
    match sent_as(&category.from, &SentFrom::default(), channel, allowed) {
        Some(from) => Ok(Some(from)),
        None => {
            let sender = shared.facts.sender::<std::convert::Infallible>(&shared.bus, &item.sender).await.map_err(log_error)?;
            Ok(sent_as(&SentFrom::default(), &sender.from, channel, allowed))
        }
    }
}

fn log_error(error: Refused<std::convert::Infallible>) -> LogError {
    match error {
        Refused::Log(error) => error,
        Refused::Refusal(never) => match never {},
        Refused::Erased | Refused::Contended => LogError::Overloaded,
    }
}

/// Reads the notifications of items anew, in one read. Those to be tried again, and those whose delivery is over.
pub(super) async fn reload(bus: &Bus, items: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), LogError> {
    let streams: HashSet<StreamId> = items.iter().map(stream_of).collect();
    let mut events: HashMap<StreamId, Vec<Bare>> = HashMap::with_capacity(streams.len());
    // States keep no content, so nothing needs to be opened.
    for event in bus.log().bare_streams(streams.into_iter().collect(), false).await? {
        events.entry(event.stream).or_default().push(event);
    }
    let (mut back, mut over) = (Vec::new(), Vec::new());
    for mut item in items {
        let events = events.get(&stream_of(&item)).map_or(&[][..], Vec::as_slice);
        let state = Notification::replay(events.iter().filter_map(|event| NotificationEvent::of(&event.fact)));
        item.sequence = events.last().map_or(0, |event| event.sequence);
        match state.delivery(item.delivery.number) {
            Some(delivery) if delivery.is_stoppable() => {
                item.delivery = delivery.clone();
                let own = events.iter().filter_map(|event| NotificationEvent::of(&event.fact)).filter(|event| event.delivery() == Some(delivery.number));
                item.requested_at = own.filter_map(owed_since).next_back().unwrap_or(item.requested_at);
                back.push(item);
            }
            _ => over.push(item),
        }
    }
    Ok((back, over))
}

/// What is to be sent.
pub(super) enum Body {
    /// This.
    Known(Arc<Content>),
    /// Nothing: its key is gone.
    Erased,
    /// Nothing: what is stored is damaged.
    Damaged,
    /// Nothing: its template cannot be rendered with its parameters.
    Unrendered(&'static str),
    /// It could not be read just now.
    Unread,
}

/// The contents, from what is at hand or from the log in one read.
pub(super) async fn content_of(shared: &Shared, prepared: &[Prepared]) -> Vec<Body> {
    let at_hand: Vec<Option<Arc<Recorded>>> =
        prepared.iter().map(|Prepared { item, .. }| item.requested.clone().or_else(|| shared.tail.get(item.requested_position))).collect();
    let mut missing: Vec<u64> =
        prepared.iter().zip(&at_hand).filter(|(_, event)| event.is_none()).map(|(prepared, _)| prepared.item.requested_position).collect();
    let mut damaged = HashSet::new();
    let mut read = Vec::new();
    while !missing.is_empty() {
        match shared.bus.log().bare_at(missing.clone(), true).await {
            Ok(events) => {
                read = events;
                break;
            }
            // One that nobody can read keeps nobody else from being read.
            Err(LogError::Poison { position, reason, .. }) if missing.contains(&position) => {
                tracing::error!(position, reason, "a content is damaged; its delivery fails");
                damaged.insert(position);
                missing.retain(|other| *other != position);
            }
            Err(error) => {
                tracing::warn!(%error, "contents could not be read; their calls are not made, and tried again");
                break;
            }
        }
    }
    let read: HashMap<u64, Fact> = read.into_iter().map(|event| (event.position, event.fact)).collect();
    let mut bodies = Vec::with_capacity(prepared.len());
    for (prepared, event) in prepared.iter().zip(at_hand) {
        let at_hand = event.as_deref().map(|event| &event.fact);
        bodies.push(match at_hand.or_else(|| read.get(&prepared.item.requested_position)) {
            Some(Fact::Notification(NotificationEvent::Requested(requested))) => told(shared, prepared, requested).await,
            _ if damaged.contains(&prepared.item.requested_position) => Body::Damaged,
            _ => Body::Unread,
        });
    }
    bodies
}

/// What a notification says over the channel of a delivery.
async fn told(shared: &Shared, prepared: &Prepared, requested: &Requested) -> Body {
    match shared.templates.content(requested, prepared.item.delivery.channel, placeholders(shared.links.at_hand())).await {
        Ok(None) => Body::Erased,
        Ok(Some(Ok(content))) => Body::Known(Arc::new(content)),
        Ok(Some(Err(unrendered))) => Body::Unrendered(unrendered.code()),
        Err(error) => {
            tracing::warn!(%error, "a template could not be read; the call is not made, and tried again");
            Body::Unread
        }
    }
}
