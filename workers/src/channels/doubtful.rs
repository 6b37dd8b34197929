//! Attempts of which the log did not say whether it recorded them.
//!
//! A COMMIT may lose its answer, and so may the question whether it took place. The calls are not made then. But
//! the attempts may stand in the log, and while this process lives nobody else takes them for lost: they would
//! be owed for ever. So their deliveries stay in hand until the log answers again, and those recorded after all
//! are concluded as calls that were not made. Rejected: leaving it to whoever finds the attempt in flight, who
//! cannot tell it from one whose call is under way.

use super::attempts::{Prepared, stream_of};
use super::concluding::{Concluded, Concluder};
use super::worker::{Left, Shared};
use commands::bus::FactOf;
use commands::failpoint;
use commands::log::{Lane, LogError};
use domain::notification::NotificationEvent;
use domain::values::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Holds on to what is doubtful until it is known, or until told to stop: then whoever goes on after this process
/// finds it.
pub(super) async fn settle(shared: &Arc<Shared>, doubtful: Vec<Prepared>, stop: &CancellationToken) {
    if failpoint::planted("doubtful-forgotten") {
        return shared.give_back(doubtful.into_iter().map(|prepared| prepared.item).collect()).await;
    }
    let mut pause = FIRST_PAUSE;
    while let Err(error) = try_to_settle(shared, &doubtful).await {
        if matches!(error, LogError::Closed) {
            return;
        }
        tracing::debug!(%error, attempts = doubtful.len(), "whether attempts were recorded is not known yet");
        tokio::select! {
            () = shared.clock.sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn try_to_settle(shared: &Arc<Shared>, doubtful: &[Prepared]) -> Result<(), LogError> {
    // To append nothing takes a turn at the head of the log: a transaction that was not answered has ended then.
    shared.bus.committer().commit(Lane::Internal, Vec::new()).await?;
    let mut left = Left::default();
    let mut recorded = Vec::new();
    for prepared in doubtful {
        match as_recorded(shared, prepared).await? {
            Some(concluded) => recorded.push(concluded),
            None => left.back.push(prepared.item.clone()),
        }
    }
    if !recorded.is_empty() {
        tracing::info!(attempts = recorded.len(), "attempts were recorded without an answer; their calls were not made");
        left.over.extend(recorded.iter().map(|concluded| concluded.item.clone()));
        Concluder::new(Arc::clone(shared)).conclude(recorded).await?;
    }
    left.let_go(shared).await;
    Ok(())
}

/// The attempt as it stands in the log, if it does, and what became of it.
async fn as_recorded(shared: &Shared, prepared: &Prepared) -> Result<Option<Concluded>, LogError> {
    if prepared.attempt.is_none() {
        return Ok(None);
    }
    let mut item = prepared.item.clone();
    let events = shared.bus.log().read_stream(stream_of(&item), item.sequence, false).await?;
    let me = shared.metadata().replica;
    let ours = events.iter().find_map(|event| match NotificationEvent::of(&event.fact) {
        Some(fact @ NotificationEvent::AttemptStarted(started)) if started.delivery == item.delivery.number && event.metadata.replica == me => {
            Some((fact, event.sequence))
        }
        _ => None,
    });
    Ok(ours.map(|(fact, sequence)| {
        item.evolve(fact);
        item.sequence = sequence;
        Concluded { item, outcome: Outcome::NotMade { code: "its record was not answered".to_owned() }, entered: prepared.entered.clone() }
    }))
}
