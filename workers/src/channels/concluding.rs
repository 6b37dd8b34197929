//! Recording what became of attempts, many in one commit.
//!
//! An outcome is never dropped: where the log refuses, it is tried again until it is recorded or
//! the process ends, and then the attempt is recovered as unknown.

use super::attempts::stream_of;
use super::under_way::Entered;
use super::worker::Shared;
use crate::pending::Item;
use commands::bus::Refused;
use commands::failpoint;
use commands::log::{Commit, CommitOutcome, Lane, LogError, StreamAppend};
use domain::address::{AddressCommand, AddressOwnership};
use domain::aggregate::Aggregate;
use domain::notification::Notification;
use domain::recipient::{Recipient, RecipientCommand, RemovalReason};
use domain::values::{BadAddress, Outcome};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// An attempt with its outcome.
#[derive(Debug, Clone)]
pub(super) struct Concluded {
    pub item: Item,
    pub outcome: Outcome,
    /// That it was in these hands: until its outcome is recorded.
    #[expect(dead_code, reason = "held, not read")]
    pub entered: Option<Arc<Entered>>,
}

/// See the module.
pub(super) struct Concluder {
    shared: Arc<Shared>,
}

const BATCH: usize = 500;

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
        for concluded in batch {
            if let Outcome::BadAddress { kind: BadAddress::Dead, .. } = concluded.outcome {
                self.alone(&concluded).await?;
                continue;
            }
            let item = &concluded.item;
            let events = self.events(&concluded, &item.delivery, now);
            commits.push(Commit {
                metadata: Arc::clone(&metadata),
                appends: vec![StreamAppend { stream: stream_of(item), number: Some(item.stream), expected: item.sequence, events }],
                expectations: Vec::new(),
            });
            submitted.push(concluded);
        }
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

    fn events(&self, concluded: &Concluded, delivery: &domain::notification::Delivery, now: i64) -> Vec<Fact> {
        let schedule = self.shared.schedule(delivery.channel);
        delivery
            .conclude(concluded.item.delivery.attempt, &concluded.outcome, &schedule, concluded.item.requested_at, now, self.shared.random.unit())
            .into_iter()
            .map(Fact::from)
            .collect()
    }

    /// Records one outcome on freshly loaded state, and drops a dead address in the same commit,
    /// so that no crash can come between the two.
    async fn alone(&self, concluded: &Concluded) -> Result<(), LogError> {
        let item = &concluded.item;
        let bus = &self.shared.bus;
        loop {
            let loaded = bus.load::<Notification>(stream_of(item)).await.map_err(of_log)?;
            let Some(delivery) = loaded.state.delivery(item.delivery.number) else { return Ok(()) };
            let events = self.events(concluded, delivery, self.shared.clock.now());
            if events.is_empty() {
                return Ok(());
            }
            let mut appends = vec![StreamAppend { stream: stream_of(item), number: Some(item.stream), expected: loaded.sequence, events }];
            if let Outcome::BadAddress { kind: BadAddress::Dead, as_of, .. } = concluded.outcome
                && let Some(address) = item.delivery.address
            {
                let stream = commands::accept::recipient_stream(item.recipient);
                let recipient = bus.load::<Recipient>(stream).await.map_err(of_log)?;
                let removed =
                    recipient.state.decide(RecipientCommand::RemoveDevice { address, reason: RemovalReason::ReportedDead, as_of }).unwrap_or_default();
                if !removed.is_empty() {
                    appends.push(StreamAppend { stream, number: None, expected: recipient.sequence, events: removed.into_iter().map(Fact::from).collect() });
                    let stream = StreamId::new(AggregateKind::Address, address.0);
                    let ownership = bus.load::<AddressOwnership>(stream).await.map_err(of_log)?;
                    let released = ownership.state.decide(AddressCommand::Release { address, recipient: item.recipient }).unwrap_or_default();
                    appends.push(StreamAppend { stream, number: None, expected: ownership.sequence, events: released.into_iter().map(Fact::from).collect() });
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

fn of_log<R>(error: Refused<R>) -> LogError {
    match error {
        Refused::Log(error) => error,
        Refused::Refusal(_) | Refused::Erased | Refused::Contended => LogError::Overloaded,
    }
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
