//! The simulators' own clock: wall time plus a shift that tests set through `POST /_sim/clock`.
//!
//! Guarantee: every timestamp a simulator writes or checks (token expiry, webhook tolerance, ledger times) comes
//! from here, so shifting it moves all of them together. Rejected: tokio's paused time, which works only inside
//! one process, while the simulators usually run in a process of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// Wall clock with an adjustable offset. Cloning shares the offset.
#[derive(Debug, Clone, Default)]
pub struct SimClock {
    offset_micros: Arc<AtomicI64>,
}

impl SimClock {
    /// Microseconds since the Unix epoch on the shifted clock.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        Utc::now().timestamp_micros().saturating_add(self.offset_micros.load(Ordering::Relaxed))
    }

    /// Seconds since the Unix epoch on the shifted clock.
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.now_micros().div_euclid(1_000_000)
    }

    /// Sets the shift against wall time, in seconds. Zero returns to wall time.
    pub fn set_offset_seconds(&self, seconds: i64) {
        self.offset_micros.store(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
    }
}

/// Formats microseconds since the epoch as RFC 3339 with microseconds; an unrepresentable time becomes the epoch.
pub(crate) fn rfc3339(micros: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// Waits in the machine's time: a shift of the clock makes no provider slower.
#[allow(clippy::disallowed_methods, reason = "the simulators' one place that waits")]
pub(crate) fn pause(duration: std::time::Duration) -> tokio::time::Sleep {
    tokio::time::sleep(duration)
}
