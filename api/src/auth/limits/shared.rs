//! The limits where several replicas answer requests: one allowance for all of them.
//!
//! A request is answered from what this replica holds of the caller's allowance, in memory. Four times a
//! second a task settles with the [common stock](RedisStock): what was spent is charged, a share for the
//! next requests is taken, and what a caller did not use is given back. A caller that spends its share
//! quickly, while the stock has more, is settled for earlier, twenty times a second at most.
//!
//! Guarantee: in any time all replicas together let through no more than one process would, plus
//! rate × 250 ms × (replicas − 1): what those others let through before they have asked. Even that is
//! charged later. (At least one request each; with more than seven replicas up to twice as much.)
//! While the stock does not answer, or there is none, a replica allows rate ÷ living replicas that answer
//! requests, as it does for callers beyond the bound of an exchange. Taking never waits.
//!
//! Rejected: a round trip for each request. Counting what the others took and charging that afterwards:
//! everything that a caller has saved up could be spent on every replica within one exchange.

use super::account::{Account, Statement};
use super::stock::{Ask, Grant, RedisStock, SHARDS};
use super::terms::Terms;
use super::{CALLERS, Limits, Rates};
use crate::auth::Caller;
use crate::config::Role;
use commands::ports::Clock;
use commands::recent::Recent;
use commands::replicas::Peers;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use workers::redis::NoAnswer;

/// How often to settle.
const EVERY: Duration = Duration::from_millis(250);
/// The least pause between two settlements.
const PAUSE: Duration = Duration::from_millis(50);
/// The stock's last answer says nothing any more.
const STALE: Duration = Duration::from_secs(1);
/// Callers settled for at once.
const TRACKED: usize = 4_000;
/// Callers in one call: it holds up everybody else.
const CALL: usize = 200;

struct State {
    accounts: Recent<Uuid, Account>,
    /// Whose accounts are to be settled, and their rates: they took something, or hold a share.
    tracked: HashMap<Uuid, f64>,
    answering: [bool; SHARDS],
    /// The end of the last settlement.
    settled: Option<Duration>,
}

/// What is told of some callers of a shard.
struct Call {
    shard: usize,
    asks: Vec<Ask>,
    statements: Vec<Statement>,
}

/// See the module.
pub struct SharedLimits {
    rates: Rates,
    peers: watch::Receiver<Arc<Peers>>,
    stock: Option<RedisStock>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Somebody has spent most of a share.
    wanted: Notify,
}

impl SharedLimits {
    /// Nobody has used anything. The clock's wall time is one that all replicas go by.
    pub fn new(rates: Rates, peers: watch::Receiver<Arc<Peers>>, stock: Option<RedisStock>, clock: Arc<dyn Clock>) -> Self {
        let state = State { accounts: Recent::new(CALLERS), tracked: HashMap::new(), answering: [false; SHARDS], settled: None };
        Self { rates, peers, stock, clock, state: Mutex::new(state), wanted: Notify::new() }
    }

    /// Settles until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        if self.stock.is_none() {
            return stop.cancelled().await;
        }
        while !stop.is_cancelled() {
            self.settle().await;
            tokio::select! {
                () = self.clock.sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
            tokio::select! {
                () = self.clock.sleep(EVERY - PAUSE) => {}
                () = self.wanted.notified() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Settles once with the stock; false where not all of it answers.
    pub async fn settle(&self) -> bool {
        let Some(stock) = &self.stock else { return false };
        let replicas = self.replicas();
        if replicas < 2 {
            // Nobody to share with; others that come find the stock full.
            self.state().tracked.clear();
            return true;
        }
        let (calls, before) = {
            let mut state = self.state();
            (state.calls(replicas), state.answering)
        };
        let begun = self.clock.monotonic();
        let now = self.clock.now();
        let failures = join_all(calls.into_iter().map(async |call| {
            let answer = stock.exchange(call.shard, &call.asks, now).await;
            self.state().take_in(&call, answer).err()
        }))
        .await;
        let ended = self.clock.monotonic();
        metrics::histogram!("bongsu_limits_exchange_seconds").record(ended.saturating_sub(begun));
        let (after, first) = {
            let mut state = self.state();
            let first = state.settled.replace(ended).is_none();
            (state.answering, first)
        };
        let (answered, answers) = (before == [true; SHARDS], after == [true; SHARDS]);
        match failures.into_iter().flatten().next() {
            Some(error) if answered || first => {
                metrics::counter!("bongsu_limits_failovers_total").increment(1);
                tracing::warn!(%error, "the limits of requests are no longer shared; this replica allows its part of each until Redis answers again");
            }
            _ if answers && !answered => tracing::info!("the limits of requests are shared by all replicas"),
            _ => {}
        }
        answers
    }

    fn replicas(&self) -> usize {
        self.peers.borrow().living_with(Role::Api.name()).max(1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits for SharedLimits {
    fn take(&self, caller: &Caller, now: Duration) -> bool {
        let Some((id, rate)) = self.rates.of(caller) else { return true };
        let replicas = self.replicas();
        let terms = Terms::of(rate, replicas, EVERY);
        let mut state = self.state();
        let shared = replicas > 1 && state.answers(&id, now) && state.track(id, rate);
        let take = |account: &mut Account| if shared { account.take_shared(&terms, now) } else { (account.take_divided(&terms, now), false) };
        let (taken, more) = if let Some(account) = state.accounts.get(&id) {
            take(account)
        } else {
            let mut account = Account::default();
            let answer = take(&mut account);
            state.accounts.insert(id, account);
            answer
        };
        drop(state);
        if more {
            self.wanted.notify_one();
        }
        taken
    }
}

impl State {
    fn answers(&self, caller: &Uuid, now: Duration) -> bool {
        self.answering[RedisStock::shard(caller)] && self.settled.is_some_and(|settled| now.saturating_sub(settled) < STALE)
    }

    /// Settles for a caller from now on; not, where it is one too many.
    fn track(&mut self, caller: Uuid, rate: f64) -> bool {
        let tracked = self.tracked.len() < TRACKED || self.tracked.contains_key(&caller);
        if tracked {
            self.tracked.insert(caller, rate);
        }
        tracked
    }

    /// What to tell the stock. Shards that did not answer are asked in any case, to see whether they do.
    fn calls(&mut self, replicas: usize) -> Vec<Call> {
        let Self { accounts, tracked, answering, .. } = self;
        let mut shards: [(Vec<Ask>, Vec<Statement>); SHARDS] = Default::default();
        tracked.retain(|caller, rate| {
            let Some(account) = accounts.get(caller) else { return false };
            let (terms, told) = (Terms::of(*rate, replicas, EVERY), account.state());
            let (asks, statements) = &mut shards[RedisStock::shard(caller)];
            let share = if told.wanted { terms.share } else { 0.0 };
            asks.push(Ask { caller: *caller, rate: *rate, depth: terms.depth, share, held: told.held() });
            statements.push(told);
            true
        });
        let mut calls = Vec::new();
        for (shard, (asks, statements)) in shards.into_iter().enumerate() {
            if asks.is_empty() && !answering[shard] {
                calls.push(Call { shard, asks: Vec::new(), statements: Vec::new() });
            }
            let parts = asks.chunks(CALL).zip(statements.chunks(CALL));
            calls.extend(parts.map(|(asks, statements)| Call { shard, asks: asks.to_vec(), statements: statements.to_vec() }));
        }
        calls
    }

    fn take_in(&mut self, call: &Call, answer: Result<Vec<Grant>, NoAnswer>) -> Result<(), NoAnswer> {
        self.answering[call.shard] = answer.is_ok();
        for ((ask, told), grant) in call.asks.iter().zip(&call.statements).zip(answer?) {
            let holds = self.accounts.get(&ask.caller).is_some_and(|account| account.settle(told, grant, ask.share));
            if !holds {
                self.tracked.remove(&ask.caller);
            }
        }
        Ok(())
    }
}
