//! A read model at work.

use super::events::*;
use super::log::{TestLog, append};
use super::stores::Store;
use crate::store::Projection;
use commands::consumer::RunnerSettings;
use commands::ports::{Clock, SystemClock};
use domain::values::Channel;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Notifications of these numbers, each with one delivery; gives the position of the last event.
pub async fn notify_many(log: &TestLog, from: u128, count: u128) -> u64 {
    let appends = (from..from + count)
        .map(|number| {
            let events = vec![requested(recipient(number % 3), false), queued(0, Channel::InApp), sent(0)];
            append(stream(number), 0, events)
        })
        .collect();
    log.append(appends).await
}

/// Runs the consumer until it is told to stop.
pub fn run(projection: &Arc<Projection>, log: &TestLog, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let projection = Arc::clone(projection);
    let sources = log.sources.clone();
    let stop = stop.clone();
    tokio::spawn(async move {
        projection.run(sources, RunnerSettings::default(), commands::replicas::Turn::always(), stop).await;
    })
}

/// What is dropped may take a moment to go.
pub async fn assert_generations(store: &impl Store, model: &str, expected: &[u64]) {
    for _ in 0..500 {
        if store.generations(model).await == expected {
            return;
        }
        SystemClock::default().sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(store.generations(model).await, expected);
}
