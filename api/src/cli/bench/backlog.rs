//! What a long backlog holds: the provider is down while notifications pile up, then returns.

use super::super::exit::CliError;
use super::load::Load;
use super::process::Processes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was seen.
pub(super) struct Backlog {
    pub notifications: u64,
    pub accepted_per_s: f64,
    pub rss_mb: u64,
    pub drained_per_s: f64,
}

/// Sends `count` notifications beginning with number `from` to a provider that is down, then
/// lets it work again and waits until all have arrived.
pub(super) async fn measure(processes: &Processes, load: &Arc<Load>, from: u64, count: u64) -> Result<Backlog, CliError> {
    eprintln!("letting {count} notifications pile up");
    processes.provider_is_down(true).await?;
    let began = Instant::now();
    load.store(from, count).await?;
    let accepted_in = began.elapsed();
    // The consumers come to rest, so that it is the backlog that is measured.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let rss = processes.rss()?;
    processes.provider_is_down(false).await?;
    let began = Instant::now();
    processes.wait_delivered(from + count).await?;
    Ok(Backlog {
        notifications: count,
        accepted_per_s: super::per_second(count, accepted_in),
        rss_mb: rss.0,
        drained_per_s: super::per_second(count, began.elapsed()),
    })
}
