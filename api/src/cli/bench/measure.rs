//! Figures: read from the operating system, computed, printed.

use super::super::exit::CliError;
use super::super::output::Output;
use super::backlog::Backlog;
use super::isolation::Isolation;
use super::load::SentAt;
use serde_json::json;
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

/// Ticks a second in `/proc/PID/stat`: fixed for user space on Linux (`USER_HZ`).
const TICKS: u64 = 100;

/// User and system time of a process.
pub(super) fn cpu_of(id: u32) -> Result<Duration, CliError> {
    ticks_of(id, 2)
}

/// With that of its children that have ended.
pub(super) fn cpu_with_ended(id: u32) -> Result<Duration, CliError> {
    ticks_of(id, 4)
}

fn ticks_of(id: u32, fields: usize) -> Result<Duration, CliError> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .map_err(|error| CliError::failure(format!("the processor time cannot be read ({error}); the bench needs Linux")))?;
    // The name in parentheses may hold spaces; fields 14 to 17 are counted from behind it.
    let all: Vec<&str> = stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    let ticks: u64 = all.iter().skip(11).take(fields).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// Of this process.
pub(super) fn own_cpu() -> Result<Duration, CliError> {
    cpu_of(std::process::id())
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn per_item(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// Accepted → provider in ms, p50 and p99: from the moment a request was sent off to the arrival.
pub(super) fn latency(sent: &[SentAt], arrivals: &HashMap<String, i64>) -> (i64, i64) {
    let mut times: Vec<i64> = sent.iter().filter_map(|(id, at)| Some(arrivals.get(id)? - at)).collect();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(-1);
    (at(50), at(99))
}

/// What was measured.
pub(super) struct Figures {
    pub mode: &'static str,
    pub notifications: u64,
    pub stored: u64,
    pub rate: u64,
    /// How many, and the least and the most CPU of the server among them.
    pub runs: (u64, f64, f64),
    pub seconds: f64,
    pub accepted_per_s: f64,
    pub delivered_per_s: f64,
    pub profile: String,
    pub replicas: u64,
    /// Servers, Postgres and Redis together.
    pub all_us: f64,
    pub server_us: f64,
    pub postgres_us: f64,
    pub redis_us: f64,
    pub simulators_us: f64,
    pub load_us: f64,
    pub latency: (i64, i64),
    pub history: (f64, f64),
    pub rss_mb: u64,
    pub rss_peak_mb: u64,
    pub bytes_per_notification: u64,
    pub backlog: Option<Backlog>,
    pub isolation: Option<Isolation>,
    /// Who delivered, over what.
    pub provider: String,
    pub rebuilt: Vec<(&'static str, f64)>,
}

/// A line of data. A reader that went away does not matter: there is still to clean up, and the
/// status tells whether all arrived.
fn say(line: &impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
}

impl Figures {
    pub(super) fn print(&self, out: Output) {
        if out.json {
            let mut figures = json!({
                "mode": self.mode, "provider": self.provider, "profile": self.profile, "replicas": self.replicas, "notifications": self.notifications, "stored": self.stored, "rate": self.rate,
                "runs": { "count": self.runs.0, "cpu_us_least": self.runs.1, "cpu_us_most": self.runs.2 },
                "seconds": self.seconds, "accepted_per_s": self.accepted_per_s.round(), "delivered_per_s": self.delivered_per_s.round(),
                "cpu_us_per_notification": self.all_us,
                "cpu_us": { "server": self.server_us, "postgres": self.postgres_us, "redis": self.redis_us, "simulators": self.simulators_us, "load": self.load_us },
                "accept_to_provider_ms": { "p50": self.latency.0, "p99": self.latency.1 },
                "history_ms": { "p50": self.history.0, "p99": self.history.1 },
                "rss_mb": self.rss_mb, "rss_peak_mb": self.rss_peak_mb, "bytes_per_notification": self.bytes_per_notification,
            });
            if let Some(backlog) = &self.backlog {
                figures["backlog"] = json!({
                    "notifications": backlog.notifications, "accepted_per_s": backlog.accepted_per_s.round(),
                    "rss_mb": backlog.rss_mb, "drained_per_s": backlog.drained_per_s.round(),
                });
            }
            if let Some(isolation) = &self.isolation {
                let of = |(p50, p99): (i64, i64)| json!({ "p50": p50, "p99": p99 });
                figures["isolation"] = json!({
                    "notifications": isolation.notifications, "rate": isolation.rate,
                    "accept_to_provider_ms": { "all_well": of(isolation.well), "one_hangs_one_throttles": of(isolation.faulty) },
                });
            }
            if !self.rebuilt.is_empty() {
                figures["rebuild_events_per_s"] = self.rebuilt.iter().map(|(name, rate)| ((*name).to_owned(), json!(rate.round()))).collect();
            }
            say(&figures);
            return;
        }
        let rows = [
            ("mode", self.mode.to_owned()),
            ("provider", self.provider.clone()),
            ("notifications (stored before)", format!("{} ({})", self.notifications, self.stored)),
            ("accepted / delivered a second", format!("{:.0} / {:.0}", self.accepted_per_s, self.delivered_per_s)),
            ("CPU of the server", format!("{:.1} µs a notification", self.server_us)),
            ("CPU of Postgres / Redis", format!("{:.1} / {:.1} µs a notification", self.postgres_us, self.redis_us)),
            ("CPU of all of these", format!("{:.1} µs a notification, {} replica(s)", self.all_us, self.replicas)),
            ("runs, least to most CPU", format!("{}, {:.1} to {:.1} µs", self.runs.0, self.runs.1, self.runs.2)),
            ("CPU of simulators / load", format!("{:.1} / {:.1} µs a notification", self.simulators_us, self.load_us)),
            ("sent off → provider, p50 / p99", format!("{} / {} ms", self.latency.0, self.latency.1)),
            ("history page, p50 / p99", format!("{:.2} / {:.2} ms", self.history.0, self.history.1)),
            ("resident memory, now / peak", format!("{} / {} MB", self.rss_mb, self.rss_peak_mb)),
            ("on disk", format!("{} bytes a notification", self.bytes_per_notification)),
        ];
        let backlog = self.backlog.iter().flat_map(|backlog| {
            [
                ("backlog", format!("{} notifications, accepted at {:.0} a second", backlog.notifications, backlog.accepted_per_s)),
                ("backlog, memory / drained", format!("{} MB / {:.0} a second", backlog.rss_mb, backlog.drained_per_s)),
            ]
        });
        let isolation = self.isolation.iter().flat_map(|isolation| {
            let of = |(p50, p99): (i64, i64)| format!("{p50} / {p99} ms, of {} at {} a second", isolation.notifications, isolation.rate);
            [("beside others, all well", of(isolation.well)), ("one hangs, one answers 429", of(isolation.faulty))]
        });
        let rebuilt = self.rebuilt.iter().map(|(name, rate)| ("rebuilt", format!("{name} at {rate:.0} events a second")));
        for (name, value) in rows.into_iter().chain(backlog).chain(isolation).chain(rebuilt) {
            say(&format_args!("{name:<32} {value}"));
        }
    }
}
