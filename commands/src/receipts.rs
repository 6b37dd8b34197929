//! Recording what providers report of deliveries, many in one commit.
//!
//! Guarantee: when it returns, what was told is durable or was known already, so the provider may be
//! told that it need not come again. An address that turned out to be dead, or from which somebody
//! complained, is suppressed in the same commit: no crash comes between the two.

#[cfg(test)]
mod tests;

use crate::accept::address_stream;
use crate::bus::{Bus, FactOf, Refused};
use crate::log::{Bare, Commit, CommitOutcome, Lane, LogError, Metadata, Sequence, StreamAppend};
use domain::address::{AddressCommand, AddressOwnership, MAX_WORDS, SuppressionReason};
use domain::aggregate::Aggregate;
use domain::notification::{ComplaintKind, Notification, NotificationCommand, NotificationEvent, Receipt};
use domain::values::{AddressId, NotificationId};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Times that reports are decided anew before the provider is told to come again.
const ATTEMPTS: usize = 8;

fn notification_stream(notification: NotificationId) -> StreamId {
    StreamId::new(AggregateKind::Notification, notification.0)
}

/// What became of reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Events that they led to.
    pub events: usize,
    /// Reports that said nothing new.
    pub known: usize,
    /// Reports on notifications or deliveries that do not exist.
    pub strange: usize,
}

/// One notification's reports and what they lead to.
struct Decided {
    notification: NotificationId,
    reports: Vec<Receipt>,
    commit: Option<Commit>,
    events: usize,
    counted: Recorded,
}

/// Records what a provider, by its configured name, reports; each notification's in their order.
///
/// # Errors
/// The log does not take them now; what of them was recorded is known when they come again.
pub async fn record(bus: &Bus, metadata: &Arc<Metadata>, provider: &str, reports: Vec<(NotificationId, Receipt)>) -> Result<Recorded, LogError> {
    let mut left: BTreeMap<NotificationId, Vec<Receipt>> = BTreeMap::new();
    for (notification, receipt) in reports {
        left.entry(notification).or_default().push(receipt);
    }
    let mut total = Recorded::default();
    for _ in 0..ATTEMPTS {
        if left.is_empty() {
            return Ok(total);
        }
        let decided = decide(bus, metadata, provider, std::mem::take(&mut left)).await?;
        let (mut submitted, mut commits) = (Vec::new(), Vec::new());
        for mut one in decided {
            match one.commit.take() {
                Some(commit) => {
                    commits.push(commit);
                    submitted.push(one);
                }
                None => total.add(one.counted),
            }
        }
        if commits.is_empty() {
            return Ok(total);
        }
        for (one, outcome) in submitted.into_iter().zip(bus.committer().commit(Lane::Internal, commits).await?) {
            match outcome {
                CommitOutcome::Committed { .. } => {
                    total.add(one.counted);
                    total.events += one.events;
                }
                // A worker, or another report, wrote meanwhile.
                CommitOutcome::Conflict { .. } => {
                    left.insert(one.notification, one.reports);
                }
            }
        }
    }
    if left.is_empty() { Ok(total) } else { Err(LogError::Overloaded) }
}

/// Reads all notifications at once, and decides each one's reports on what it is.
async fn decide(bus: &Bus, metadata: &Arc<Metadata>, provider: &str, left: BTreeMap<NotificationId, Vec<Receipt>>) -> Result<Vec<Decided>, LogError> {
    let streams = left.keys().map(|notification| notification_stream(*notification)).collect();
    let mut events: HashMap<StreamId, Vec<Bare>> = HashMap::with_capacity(left.len());
    // States keep no content, so nothing needs to be opened.
    for event in bus.log().bare_streams(streams, false).await? {
        events.entry(event.stream).or_default().push(event);
    }
    let mut all = Vec::with_capacity(left.len());
    for (notification, reports) in left {
        let stream = notification_stream(notification);
        let events = events.get(&stream).map_or(&[][..], Vec::as_slice);
        let state = Notification::replay(events.iter().filter_map(|event| NotificationEvent::of(&event.fact)));
        let sequence = events.last().map_or(0, |event| event.sequence);
        let (reports, strange) = reports.into_iter().partition(|receipt| is_of(provider, events, receipt));
        let mut one = one(bus, metadata, notification, reports, state, sequence).await?;
        one.counted.strange += Vec::<Receipt>::len(&strange);
        all.push(one);
    }
    Ok(all)
}

/// Whether a report is about a call that was made of this provider: what signs for one of them says nothing
/// of what went by another, nor of what was never sent, in a sandbox.
fn is_of(provider: &str, events: &[Bare], receipt: &Receipt) -> bool {
    events.iter().any(|event| match &event.fact {
        Fact::Notification(NotificationEvent::AttemptStarted(e)) => {
            e.provider == provider && e.delivery == receipt.delivery && receipt.attempt.is_none_or(|attempt| attempt == e.attempt)
        }
        _ => false,
    })
}

async fn one(
    bus: &Bus,
    metadata: &Arc<Metadata>,
    notification: NotificationId,
    reports: Vec<Receipt>,
    mut state: Notification,
    sequence: Sequence,
) -> Result<Decided, LogError> {
    let mut counted = Recorded::default();
    let mut events = Vec::new();
    for receipt in &reports {
        match state.decide(NotificationCommand::Report { receipt: receipt.clone() }) {
            Ok(new) if new.is_empty() => counted.known += 1,
            Ok(new) => {
                for event in new {
                    state.evolve(&event);
                    events.push(event);
                }
            }
            Err(_) => counted.strange += 1,
        }
    }
    let count = events.len();
    if count == 0 {
        return Ok(Decided { notification, reports, commit: None, events: 0, counted });
    }
    let suppress: BTreeMap<AddressId, (SuppressionReason, Option<String>)> = events.iter().filter_map(|event| suppression(&state, event)).collect();
    let facts = events.into_iter().map(Fact::from).collect();
    let mut appends = vec![StreamAppend { stream: notification_stream(notification), number: None, expected: sequence, events: facts }];
    for (address, (reason, note)) in suppress {
        appends.extend(suppressed(bus, address, reason, note).await?);
    }
    Ok(Decided { notification, reports, commit: Some(Commit { metadata: Arc::clone(metadata), appends, expectations: Vec::new() }), events: count, counted })
}

/// The address to which nothing goes any more, after an event that says so, and why.
fn suppression(state: &Notification, event: &NotificationEvent) -> Option<(AddressId, (SuppressionReason, Option<String>))> {
    let reason = match event {
        NotificationEvent::Bounced(e) if e.address_dead => (SuppressionReason::HardBounce, Some(e.code.chars().take(MAX_WORDS).collect())),
        NotificationEvent::Complained(e) => match e.kind {
            ComplaintKind::Spam => (SuppressionReason::Complaint, None),
            ComplaintKind::Unsubscribed => (SuppressionReason::Stop, None),
        },
        _ => return None,
    };
    let delivery = state.delivery(event.delivery()?)?;
    Some((delivery.address.filter(|_| delivery.channel.is_a_persons())?, reason))
}

async fn suppressed(bus: &Bus, address: AddressId, reason: SuppressionReason, note: Option<String>) -> Result<Option<StreamAppend>, LogError> {
    let stream = address_stream(address);
    let loaded = bus.load::<AddressOwnership>(stream).await.map_err(Refused::into_log)?;
    let events: Vec<Fact> = loaded.state.decide(AddressCommand::Suppress { address, reason, note }).unwrap_or_default().into_iter().map(Into::into).collect();
    Ok((!events.is_empty()).then_some(StreamAppend { stream, number: None, expected: loaded.sequence, events }))
}

impl Recorded {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.known += other.known;
        self.strange += other.strange;
    }
}
