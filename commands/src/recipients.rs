//! Recipients, their devices and their erasure: what concerns several streams at once.

use crate::accept::{recipient_stream, subscription_stream};
use crate::bus::{Bus, Refused};
use crate::log::{CommitOutcome, KeyStore, LogError, Metadata, Position, StreamAppend};
use domain::address::{AddressCommand, AddressOwnership};
use domain::aggregate::Aggregate;
use domain::recipient::{AddressDetails, Recipient, RecipientCommand, RecipientRefusal, RemovalReason};
use domain::subscription::Subscription;
use domain::values::{AddressId, Channel, Millis, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;

/// Times that a change is tried against others' changes of the same streams.
const ATTEMPTS: usize = 16;

/// A device that is to be registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// With whom.
    pub recipient: RecipientId,
    /// The push channel.
    pub channel: Channel,
    /// The token's id.
    pub address: AddressId,
    /// The token.
    pub details: AddressDetails,
    /// Now.
    pub now: Millis,
    /// Whether who asks only rehearses, and so may take no device from anybody.
    pub rehearsal: bool,
}

/// Registers a device with a recipient and takes it from whoever had it, in one commit: at no
/// moment do two people get the pushes of one device.
pub async fn register_device(bus: &Bus, metadata: &Arc<Metadata>, registration: Registration) -> Result<(Recipient, Position), Refused<RecipientRefusal>> {
    let Registration { recipient, channel, address, details, now, rehearsal } = registration;
    for _ in 0..ATTEMPTS {
        let stream = recipient_stream(recipient);
        let loaded = bus.load::<Recipient>(stream).await?;
        let mut state = Recipient::clone(&loaded.state);
        let command = RecipientCommand::RegisterDevice { channel, address, details: details.clone(), now };
        let command = if rehearsal { RecipientCommand::Rehearse(Box::new(command)) } else { command };
        let events = state.decide(command).map_err(Refused::Refusal)?;
        events.iter().for_each(|event| state.evolve(event));

        let owned = StreamId::new(AggregateKind::Address, address.0);
        let ownership = load_ownership(bus, owned).await?;
        let mut appends = vec![StreamAppend { stream, number: None, expected: loaded.sequence, events: events.into_iter().map(Fact::from).collect() }];
        let bound = ownership.state.decide(AddressCommand::Bind { address, recipient }).unwrap_or_default();
        if let Some(other) = ownership.state.owner.filter(|owner| *owner != recipient) {
            if rehearsal {
                return Err(Refused::Refusal(RecipientRefusal::Rehearsed));
            }
            let other = recipient_stream(other);
            let before = bus.load::<Recipient>(other).await?;
            let removed = before.state.decide(RecipientCommand::RemoveDevice { address, reason: RemovalReason::Rebound, as_of: None }).unwrap_or_default();
            appends.push(StreamAppend { stream: other, number: None, expected: before.sequence, events: removed.into_iter().map(Fact::from).collect() });
        }
        appends.push(StreamAppend { stream: owned, number: None, expected: ownership.sequence, events: bound.into_iter().map(Fact::from).collect() });
        match bus.commit_one(metadata, appends, Vec::new()).await? {
            CommitOutcome::Committed { position, .. } => return Ok((state, position)),
            CommitOutcome::Conflict { .. } => {}
        }
    }
    Err(Refused::Contended)
}

/// Removes a device (or another address) and lets go of its ownership.
pub async fn remove_device(
    bus: &Bus,
    metadata: &Arc<Metadata>,
    recipient: RecipientId,
    address: AddressId,
    reason: RemovalReason,
    as_of: Option<Millis>,
) -> Result<(Recipient, Position), Refused<RecipientRefusal>> {
    for _ in 0..ATTEMPTS {
        let stream = recipient_stream(recipient);
        let loaded = bus.load::<Recipient>(stream).await?;
        let mut state = Recipient::clone(&loaded.state);
        let events = state.decide(RecipientCommand::RemoveDevice { address, reason, as_of }).map_err(Refused::Refusal)?;
        if events.is_empty() {
            return Ok((state, bus.log().head().await?));
        }
        events.iter().for_each(|event| state.evolve(event));
        let owned = StreamId::new(AggregateKind::Address, address.0);
        let ownership = load_ownership(bus, owned).await?;
        let released = ownership.state.decide(AddressCommand::Release { address, recipient }).unwrap_or_default();
        let appends = vec![
            StreamAppend { stream, number: None, expected: loaded.sequence, events: events.into_iter().map(Fact::from).collect() },
            StreamAppend { stream: owned, number: None, expected: ownership.sequence, events: released.into_iter().map(Fact::from).collect() },
        ];
        match bus.commit_one(metadata, appends, Vec::new()).await? {
            CommitOutcome::Committed { position, .. } => return Ok((state, position)),
            CommitOutcome::Conflict { .. } => {}
        }
    }
    Err(Refused::Contended)
}

/// Erases a person: the fact first, then the key. After a crash between the two, the start makes
/// it good (`erase_keys_of_erased`).
pub async fn erase(bus: &Bus, keys: &Arc<KeyStore>, metadata: &Arc<Metadata>, recipient: RecipientId) -> Result<Position, Refused<RecipientRefusal>> {
    let done = bus.execute::<Recipient>(recipient_stream(recipient), metadata, RecipientCommand::Erase { id: recipient }).await?;
    let keys = Arc::clone(keys);
    let erased = tokio::task::spawn_blocking(move || keys.erase(recipient.0)).await;
    match erased {
        Ok(Ok(())) => Ok(done.position),
        Ok(Err(error)) => Err(Refused::Log(LogError::Keys { reason: error.to_string() })),
        Err(error) => Err(Refused::Log(LogError::Keys { reason: error.to_string() })),
    }
}

/// A recipient's switches.
pub async fn subscription(bus: &Bus, recipient: RecipientId) -> Result<Arc<Subscription>, LogError> {
    match bus.load::<Subscription>(subscription_stream(recipient)).await {
        Ok(loaded) => Ok(loaded.state),
        Err(Refused::Log(error)) => Err(error),
        Err(Refused::Refusal(_) | Refused::Erased | Refused::Contended) => Err(LogError::Overloaded),
    }
}

async fn load_ownership<R>(bus: &Bus, stream: StreamId) -> Result<crate::bus::Cached<AddressOwnership>, Refused<R>> {
    bus.load::<AddressOwnership>(stream).await.map_err(|error| match error {
        Refused::Log(error) => Refused::Log(error),
        // Loading asks for nothing that could be refused.
        Refused::Refusal(_) | Refused::Erased | Refused::Contended => Refused::Contended,
    })
}
