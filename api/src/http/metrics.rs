//! Prometheus metrics. Counters and histograms are kept where things happen; the gauges of
//! queues and providers are looked up when they are asked for.

use crate::app::services::Services;
use crate::http::metrics::names::BREAKER_STATES;
use commands::ports::Clock;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SECONDS: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0];

/// Pause between two upkeeps.
const UPKEEP: Duration = Duration::from_secs(5);

mod names {
    /// Every state of a breaker, so that a scrape shows which one holds.
    pub const BREAKER_STATES: [&str; 4] = ["closed", "open", "throttled", "misconfigured"];
}

/// Installs the recorder of this process; the one there is, if it was installed before.
pub fn install() -> Result<PrometheusHandle, String> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS).map_err(|error| error.to_string())?;
    builder.install_recorder().map_err(|error| error.to_string())
}

/// Sorts samples of histograms into their buckets every now and then. Only that or a scrape frees
/// them, and nobody may be scraping.
pub async fn upkeep(metrics: PrometheusHandle, clock: Arc<dyn Clock>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        metrics.run_upkeep();
        tokio::select! {
            () = clock.sleep(UPKEEP) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Sets the gauges.
#[allow(clippy::cast_precision_loss, reason = "gauges")]
pub async fn observe(services: &Services) {
    let engine = &services.engine;
    metrics::gauge!("bongsu_log_head").set(engine.tail.head() as f64);
    metrics::gauge!("bongsu_window_deliveries").set(engine.window.len() as f64);
    metrics::gauge!("bongsu_live_followers").set(engine.live.followers() as f64);
    let depths = match engine.queue.depths().await {
        Ok(depths) => depths,
        // It has just been left for the window, which says so from now on.
        Err(error) => {
            tracing::debug!(%error, "the queue does not say how much it holds");
            Vec::new()
        }
    };
    for (route, priority, depth) in depths {
        metrics::gauge!("bongsu_queue_depth", "channel" => route.channel.name(), "priority" => priority.name(), "sandbox" => if route.sandbox { "true" } else { "false" }).set(depth as f64);
    }
    for provider in &services.providers {
        let state = provider.watched.breaker().state().name();
        for known in BREAKER_STATES {
            metrics::gauge!("bongsu_provider_breaker", "provider" => provider.name.clone(), "state" => known).set(f64::from(u8::from(known == state)));
        }
        let capacity = provider.watched.capacity(engine.clock.now());
        metrics::gauge!("bongsu_provider_share", "provider" => provider.name.clone()).set(capacity.share);
        metrics::gauge!("bongsu_provider_concurrency", "provider" => provider.name.clone()).set(capacity.calls_at_once as f64);
        metrics::gauge!("bongsu_provider_calls_under_way", "provider" => provider.name.clone()).set(capacity.under_way as f64);
        if let Some(rate) = capacity.calls_a_second {
            metrics::gauge!("bongsu_provider_rate", "provider" => provider.name.clone()).set(rate);
        }
    }
    let head = engine.tail.head();
    for projection in engine.read_models.all() {
        metrics::gauge!("bongsu_projection_lag_events", "projection" => projection.name()).set(head.saturating_sub(projection.position()) as f64);
    }
    match engine.pending.counts().await {
        Ok(counts) => {
            let counted = counts.into_iter().map(|(route, priority, state, count)| {
                ([route.channel.name(), priority.name(), state, if route.sandbox { "true" } else { "false" }], count as f64)
            });
            backlog(&counted.collect());
        }
        Err(error) => tracing::warn!(%error, "the backlog could not be counted"),
    }
}

/// Channel, priority, state, sandbox.
type BacklogLabels = [&'static str; 4];

/// Sets the backlog's gauges. Only what is owed is counted, so what was shown before and is not
/// counted any more falls to zero: a gauge keeps its value until it is told another.
fn backlog(counted: &BTreeMap<BacklogLabels, f64>) {
    static SHOWN: Mutex<BTreeSet<BacklogLabels>> = Mutex::new(BTreeSet::new());
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    shown.extend(counted.keys());
    for labels in shown.iter() {
        let [channel, priority, state, sandbox] = *labels;
        metrics::gauge!("bongsu_backlog_deliveries", "channel" => channel, "priority" => priority, "state" => state, "sandbox" => sandbox)
            .set(counted.get(labels).copied().unwrap_or(0.0));
    }
}
