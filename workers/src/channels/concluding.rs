//! Recording what became of attempts, many in one commit.
//!
//! An outcome is never dropped: where the log refuses, it is tried again until it is recorded or
//! the process ends, and then the attempt is recovered as unknown.

use super::attempts::stream_of;
use super::under_way::Entered;
use super::worker::Shared;
use crate::pending::Item;
use commands::bus::{Cached, Refused};
use commands::failpoint;
use commands::log::{Commit, CommitOutcome, Lane, LogError, Sequence, StreamAppend};
use domain::address::{AddressCommand, AddressOwnership, MAX_WORDS, SuppressionReason};
use domain::aggregate::Aggregate;
use domain::notification::{Notification, NotificationEvent};
use domain::recipient::{Recipient, RecipientCommand, RemovalReason};
use domain::values::{AddressId, BadAddress, Millis, Outcome, TextCost};
use domain::{AggregateKind, Fact, StreamId};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// An attempt with its outcome.
#[derive(Debug, Clone)]
pub(super) struct Concluded {
    pub item: Item,
    pub outcome: Outcome,
    /// It was made to see whether the provider is back: that it is not is no fault of this delivery.
    pub trial: bool,
    /// Of a text message that was taken: what it cost.
    pub cost: Option<TextCost>,
    /// That it was in these hands, until its outcome is recorded; none of a process that has ended.
    pub entered: Option<Arc<Entered>>,
}

/// See the module.
pub(super) struct Concluder {
    shared: Arc<Shared>,
}

const BATCH: usize = 500;
/// Attempts of a process that has ended, of which so many are recorded side by side, in common commits.
const RECOVERED_AT_ONCE: usize = 64;

impl Concluder {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Records until the senders are gone.
    pub(super) async fn run(self, mut concluded: mpsc::Receiver<Concluded>) {
        let mut batch = Vec::with_capacity(BATCH);
        while concluded.recv_many(&mut batch, BATCH).await > 0 {
            let mut left = std::mem::take(&mut batch);
            let mut pause = Duration::from_millis(50);
            while let Err(error) = self.conclude(left.clone()).await {
                if failpoint::planted("outcome-dropped") {
                    break;
                }
                if matches!(error, LogError::Closed) {
                    tracing::error!("outcomes could not be recorded before the end; they are recovered at the next start");
                    return;
                }
                tracing::warn!(%error, outcomes = left.len(), "outcomes could not be recorded; trying again");
                self.shared.clock.sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            left.clear();
            batch = left;
        }
    }

    /// Records a batch. On an error it may be given again: what is recorded already is seen.
    pub(super) async fn conclude(&self, batch: Vec<Concluded>) -> Result<(), LogError> {
        let metadata = self.shared.metadata();
        let now = self.shared.clock.now();
        let mut commits = Vec::with_capacity(batch.len());
        let mut submitted = Vec::with_capacity(batch.len());
        let mut recovered = Vec::new();
        for concluded in batch {
            if let Outcome::BadAddress { kind: BadAddress::Dead, .. } = concluded.outcome {
                self.alone(&concluded).await?;
                continue;
            }
            // Of a process that has ended: the item is as the table has it, which does not say whether it was taken back.
            if concluded.entered.is_none() {
                recovered.push(concluded);
                continue;
            }
            let item = &concluded.item;
            let events = self.events(&concluded, &item.delivery, now).into_iter().map(Fact::from).collect();
            commits.push(Commit {
                metadata: Arc::clone(&metadata),
                appends: vec![StreamAppend { stream: stream_of(item), number: Some(item.stream), expected: item.sequence, events }],
                expectations: Vec::new(),
            });
            submitted.push(concluded);
        }
        stream::iter(recovered).map(Ok).try_for_each_concurrent(RECOVERED_AT_ONCE, |concluded| async move { self.alone(&concluded).await }).await?;
        let outcomes = self.shared.bus.committer().commit(Lane::Internal, commits).await?;
        for (concluded, outcome) in submitted.into_iter().zip(outcomes) {
            match outcome {
                CommitOutcome::Committed { .. } => count(&concluded),
                // Another delivery of the notification, or the recipient, wrote meanwhile.
                CommitOutcome::Conflict { .. } => self.alone(&concluded).await?,
            }
        }
        failpoint::reach("C10");
        Ok(())
    }

    fn events(&self, concluded: &Concluded, delivery: &domain::notification::Delivery, now: i64) -> Vec<NotificationEvent> {
        let schedule = self.shared.schedule(delivery.channel);
        // While a provider is down the others wait with no end; so does the one that tries.
        let schedule = if concluded.trial { schedule.without_end() } else { schedule };
        delivery
            .conclude(concluded.item.delivery.attempt, &concluded.outcome, &schedule, concluded.item.requested_at, now, self.shared.random.unit())
            .into_iter()
            .map(|mut event| {
                if let NotificationEvent::Sent(sent) = &mut event {
                    sent.cost.clone_from(&concluded.cost);
                }
                event
            })
            .collect()
    }

    /// Records one outcome on freshly loaded state, and drops or suppresses a dead address in the same
    /// commit, so that no crash can come between the two.
    async fn alone(&self, concluded: &Concluded) -> Result<(), LogError> {
        let item = &concluded.item;
        let bus = &self.shared.bus;
        loop {
            let loaded = bus.load::<Notification>(stream_of(item)).await.map_err(Refused::into_log)?;
            let events = loaded
                .state
                .delivery(item.delivery.number)
                .map_or_else(Vec::new, |delivery| loaded.state.concluded(delivery, self.events(concluded, delivery, self.shared.clock.now())));
            if events.is_empty() {
                // Somebody else concluded it, who thought this process dead. A window is perhaps not told of that, and
                // would hold it for under way for ever.
                self.shared.settle(vec![item.clone()]).await;
                return Ok(());
            }
            let events = events.into_iter().map(Fact::from).collect();
            let mut appends = vec![StreamAppend { stream: stream_of(item), number: Some(item.stream), expected: loaded.sequence, events }];
            if let Outcome::BadAddress { kind: BadAddress::Dead, as_of, code } = &concluded.outcome
                && let Some(address) = item.delivery.address
            {
                if item.delivery.channel.is_a_persons() {
                    appends.extend(self.suppressed(address, code).await?);
                } else {
                    appends.extend(self.dropped(item, address, *as_of).await?);
                }
            }
            let commit = Commit { metadata: self.shared.metadata(), appends, expectations: Vec::new() };
            let outcomes = bus.committer().commit(Lane::Internal, vec![commit]).await?;
            if matches!(outcomes.first(), Some(CommitOutcome::Committed { .. })) {
                count(concluded);
                return Ok(());
            }
        }
    }
}

impl Concluder {
    /// Nothing goes to an address any more that does not exist, whoever gives it.
    async fn suppressed(&self, address: AddressId, code: &str) -> Result<Option<StreamAppend>, LogError> {
        // A provider that babbles must not keep the address from being suppressed.
        let note = Some(code.chars().take(MAX_WORDS).collect());
        let command = AddressCommand::Suppress { address, reason: SuppressionReason::HardBounce, note };
        let (stream, loaded) = self.ownership(address).await?;
        Ok(append(stream, loaded.sequence, loaded.state.decide(command)))
    }

    /// A device or a hook that is gone is nobody's.
    async fn dropped(&self, item: &Item, address: AddressId, as_of: Option<Millis>) -> Result<Vec<StreamAppend>, LogError> {
        let stream = commands::accept::recipient_stream(item.recipient);
        let recipient = self.shared.bus.load::<Recipient>(stream).await.map_err(Refused::into_log)?;
        let removed = recipient.state.decide(RecipientCommand::RemoveDevice { address, reason: RemovalReason::ReportedDead, as_of });
        let Some(removed) = append(stream, recipient.sequence, removed) else { return Ok(Vec::new()) };
        let (stream, ownership) = self.ownership(address).await?;
        let released = append(stream, ownership.sequence, ownership.state.decide(AddressCommand::Release { address, recipient: item.recipient }));
        Ok(std::iter::once(removed).chain(released).collect())
    }

    async fn ownership(&self, address: AddressId) -> Result<(StreamId, Cached<AddressOwnership>), LogError> {
        let stream = StreamId::new(AggregateKind::Address, address.0);
        Ok((stream, self.shared.bus.load::<AddressOwnership>(stream).await.map_err(Refused::into_log)?))
    }
}

/// What a decision appends; nothing where it says no or has nothing to say.
fn append<E: Into<Fact>, R>(stream: StreamId, expected: Sequence, decided: Result<Vec<E>, R>) -> Option<StreamAppend> {
    let events: Vec<Fact> = decided.ok()?.into_iter().map(Into::into).collect();
    (!events.is_empty()).then_some(StreamAppend { stream, number: None, expected, events })
}

fn count(concluded: &Concluded) {
    let outcome = match &concluded.outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Retry { .. } => "retry",
        Outcome::Throttled { .. } => "throttled",
        Outcome::BadAddress { .. } => "bad_address",
        Outcome::Permanent { .. } => "permanent",
        Outcome::Misconfigured { .. } => "misconfigured",
        Outcome::Unknown { .. } => "unknown",
        Outcome::NotMade { .. } => "not_made",
    };
    metrics::counter!("bongsu_attempts_total", "channel" => concluded.item.delivery.channel.name(), "outcome" => outcome).increment(1);
}
