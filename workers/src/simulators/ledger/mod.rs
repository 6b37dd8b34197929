//! The ledger: one entry for every arrival, and counters per provider.
//!
//! Guarantee: recording is one push under a short mutex, without disk or allocation on the usual path; memory is
//! bounded, the oldest entries are dropped in chunks and counted. Independent checkers compare these entries with
//! the server's own log. Rejected: a database file, whose writes would distort the benchmarks the ledger is for.

mod delivered;
mod entry;
pub(crate) mod file;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use super::list::{AllCounters, Provider};
pub(crate) use entry::{Arrival, Ending, IdText, MailIds, ProviderId, SmsIds, Stored, fcm_name, hex, queue_id, sha256};
pub use entry::{LedgerEntry, Verdict};

use super::clock::{SimClock, rfc3339};
use delivered::DeliveredKeys;

const CHUNK: usize = 8_192;
/// Chunks kept: a little more than two million entries.
const CHUNKS: usize = 246;
/// Different reason texts remembered; later ones are shown as `other`.
const REASONS: usize = 1_024;

/// Arrivals of one provider, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Everything that arrived.
    pub arrivals: u64,
    /// Positive answers.
    pub accepted: u64,
    /// Really received by the simulated device, mailbox or receiver.
    pub delivered: u64,
    /// Definite refusals.
    pub rejected: u64,
    /// 429.
    pub throttled: u64,
    /// 5xx.
    pub unavailable: u64,
    /// Closed or left without an answer, or answered with garbage.
    pub dropped: u64,
    /// Deliveries of a notification and delivery that had been delivered before.
    pub duplicates: u64,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: VecDeque<Vec<Stored>>,
    /// Position of the first entry in `chunks`, minus one.
    base: u64,
    len: u64,
    counters: [Counters; Provider::COUNT],
    forgotten: u64,
    delivered: DeliveredKeys,
    reasons: Vec<Box<str>>,
    reason_numbers: HashMap<Box<str>, u16>,
}

/// Handle to the ledger; clones share it.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Mutex<Inner>>,
    changed: Arc<Notify>,
    clock: SimClock,
}

impl Ledger {
    pub(crate) fn new(clock: SimClock, last_seq: u64) -> Self {
        let inner = Inner { base: last_seq, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)), changed: Arc::new(Notify::new()), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an arrival; returns its position.
    pub(crate) fn record(&self, arrival: Arrival, ending: Ending<'_>) -> u64 {
        let at_micros = self.clock.now_micros();
        let seq = self.lock().push(at_micros, arrival, ending);
        self.changed.notify_waiters();
        seq
    }

    /// Up to `limit` entries with a position greater than `after`, oldest first.
    #[must_use]
    pub fn entries(&self, after: u64, limit: usize) -> Vec<LedgerEntry> {
        let inner = self.lock();
        let skip = after.saturating_sub(inner.base);
        let available = usize::try_from(inner.len.saturating_sub(skip)).unwrap_or(usize::MAX);
        let mut entries = Vec::with_capacity(limit.min(available));
        let mut seq = inner.base + skip;
        let mut at = usize::try_from(skip).unwrap_or(usize::MAX);
        while entries.len() < limit {
            let Some(stored) = inner.chunks.get(at / CHUNK).and_then(|c| c.get(at % CHUNK)) else {
                break;
            };
            seq += 1;
            at += 1;
            entries.push(inner.readable(seq, stored));
        }
        entries
    }

    /// Counters of all providers now.
    #[must_use]
    pub fn counters(&self) -> AllCounters {
        let inner = self.lock();
        AllCounters::of_each(inner.counters, inner.forgotten, inner.base + inner.len)
    }

    /// Position of the newest entry, 0 when nothing has arrived.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        let inner = self.lock();
        inner.base + inner.len
    }

    /// Returns as soon as the counters satisfy `condition`; the caller bounds the wait.
    pub async fn wait_for(&self, condition: impl Fn(&AllCounters) -> bool) -> AllCounters {
        loop {
            // Registered before the check, so an entry recorded in between wakes us.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let counters = self.counters();
            if condition(&counters) {
                return counters;
            }
            changed.await;
        }
    }

    /// Forgets all entries, counters and delivered keys; positions go on.
    pub fn reset(&self) {
        let mut inner = self.lock();
        inner.base += inner.len;
        inner.len = 0;
        inner.chunks.clear();
        inner.counters = Default::default();
        inner.forgotten = 0;
        inner.delivered.clear();
        drop(inner);
        self.changed.notify_waiters();
    }
}

impl Inner {
    fn push(&mut self, at_micros: i64, arrival: Arrival, ending: Ending<'_>) -> u64 {
        let duplicate = ending.delivered && self.delivered.insert(&arrival.notification, arrival.delivery);
        self.count(arrival.provider, &ending, duplicate);
        let reason = self.reason_number(ending.reason);
        let stored = Stored {
            at_micros,
            notification: arrival.notification,
            provider_id: ending.provider_id,
            address_hash: arrival.address_hash,
            body_sha256: arrival.body_sha256,
            delivery: arrival.delivery.unwrap_or(u32::MAX),
            attempt: arrival.attempt.unwrap_or(u32::MAX),
            status: ending.status,
            reason,
            provider: arrival.provider,
            verdict: ending.verdict,
            delivered: ending.delivered,
            duplicate,
        };
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(stored),
            _ => {
                if self.chunks.len() >= CHUNKS && self.chunks.pop_front().is_some() {
                    self.base += CHUNK as u64;
                    self.len -= CHUNK as u64;
                    self.forgotten += CHUNK as u64;
                }
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(stored);
                self.chunks.push_back(chunk);
            }
        }
        self.len += 1;
        self.base + self.len
    }

    fn count(&mut self, provider: Provider, ending: &Ending<'_>, duplicate: bool) {
        let counters = &mut self.counters[provider.index()];
        counters.arrivals += 1;
        counters.delivered += u64::from(ending.delivered);
        counters.duplicates += u64::from(duplicate);
        match ending.verdict {
            Verdict::Accepted => counters.accepted += 1,
            Verdict::Rejected => counters.rejected += 1,
            Verdict::Throttled => counters.throttled += 1,
            Verdict::Unavailable => counters.unavailable += 1,
            Verdict::Dropped | Verdict::Garbage => counters.dropped += 1,
            Verdict::Validated => {}
        }
    }

    /// Number of a reason text; 0 stands for none.
    fn reason_number(&mut self, reason: &str) -> u16 {
        if reason.is_empty() {
            return 0;
        }
        if let Some(number) = self.reason_numbers.get(reason) {
            return *number;
        }
        if self.reasons.len() >= REASONS && reason != "other" {
            return self.reason_number("other");
        }
        self.reasons.push(reason.into());
        let number = u16::try_from(self.reasons.len()).unwrap_or(u16::MAX);
        self.reason_numbers.insert(reason.into(), number);
        number
    }

    fn readable(&self, seq: u64, stored: &Stored) -> LedgerEntry {
        let number = |value: u32| (value != u32::MAX).then_some(value);
        LedgerEntry {
            seq,
            at: rfc3339(stored.at_micros),
            provider: stored.provider,
            verdict: stored.verdict,
            delivered: stored.delivered,
            status: (stored.status != 0).then_some(stored.status),
            reason: usize::from(stored.reason).checked_sub(1).and_then(|index| self.reasons.get(index)).map(ToString::to_string),
            notification: stored.notification.render(),
            delivery: number(stored.delivery),
            attempt: number(stored.attempt),
            address_hash: hex(&stored.address_hash),
            body_sha256: hex(&stored.body_sha256),
            provider_id: stored.provider_id.render(),
            message_id: match &stored.provider_id {
                ProviderId::Mail(ids) => ids.message_id.as_deref().map(str::to_owned),
                _ => None,
            },
            segments: match &stored.provider_id {
                ProviderId::Sms(ids) => Some(ids.segments),
                _ => None,
            },
            duplicate: stored.duplicate,
        }
    }
}
