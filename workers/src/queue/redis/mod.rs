//! The queue in Redis: one window on what is owed, shared by all replicas.
//!
//! A lane (route, priority, sender) is a sorted set of encoded items, scored by their streams' numbers:
//! the order of arrival, so that what is given back comes to the front by itself. `turns:<priority>` holds
//! the senders in the order of their turns, `leases` and `leased` what was taken (until when, and what
//! it was), `due` what waits for its moment. A script changes what belongs together at once, and a
//! route's keys share a slot, so a cluster does the same.
//!
//! Guarantees: what was taken is not handed out again before its lease has ended or it was given
//! back; what was settled is not added again as it was, for a while, since the table says late that it is
//! over; offering twice is offering once; nothing is stuck, whichever keys are lost: each key is whole by
//! itself, [`room`](WorkQueue::room) finds lanes whose turn was lost, leases end, and what nobody uses
//! expires. A silent Redis is an error within twice the timeout.
//!
//! Needs Redis 6.2. A full Redis (`noeviction`) refuses offers and can still be drained.
//!
//! Rejected: Redis Streams, whose one order knows neither priorities nor senders. Lists of ids with one
//! hash of items: when a part of that is evicted, items are believed to be there that are not, or are there
//! and never found.

mod codec;
mod scripts;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::RedisSettings;

use super::{Asking, QueueError, Room, SharedQueue, TimerQueue, WorkQueue};
use crate::pending::{Item, Lane, Route};
use crate::redis::{Link, NoAnswer, Script};
use commands::ports::Clock;
use domain::notification::DeliveryState;
use domain::values::{Millis, Priority};
use futures_util::future::try_join_all;
use scripts::Scripts;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Items in one call: a script holds up everybody else, and Lua takes only so many values at once.
const CALL: usize = 500;
/// Calls by which one [`ripen`](TimerQueue::ripen) moves what is due on a route; the next goes on.
const RIPENINGS: usize = 20;
/// How much less often to look where hardly anything comes.
const IDLY: u32 = 10;
/// Name of what waits, in place of a lane's.
const DUE: &str = "due";

/// See the module. One a process.
pub struct RedisQueue {
    settings: RedisSettings,
    clock: Arc<dyn Clock>,
    link: Link,
    scripts: Scripts,
    ready: HashMap<Route, Notify>,
}

/// Items for a route: by lane, with scores.
type Scored = BTreeMap<String, Vec<(i64, Vec<u8>)>>;

impl RedisQueue {
    /// Connects at the first call, and again whenever that is needed.
    pub fn new(settings: RedisSettings, clock: Arc<dyn Clock>) -> Self {
        let link = Link::new(settings.place.clone(), settings.timeout);
        Self { settings, clock, link, scripts: Scripts::new(), ready: Route::all().map(|route| (route, Notify::new())).collect() }
    }

    /// What the names of a route's keys begin with.
    fn base(&self, route: Route) -> String {
        let prefix = &self.settings.prefix;
        format!("bongsu:{{{prefix}:{}}}:", route.number())
    }

    fn wake(&self, route: Route) {
        if let Some(ready) = self.ready.get(&route) {
            ready.notify_one();
        }
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &Script, route: Route, arguments: &[Vec<u8>]) -> Result<T, QueueError> {
        self.link.run(script, &self.base(route), arguments).await.map_err(unanswered)
    }

    /// Adds to lanes and to what waits, each in calls of bounded size.
    async fn add(&self, mut items: Vec<Item>) -> Result<(), QueueError> {
        items.retain(|item| matches!(item.delivery.state, DeliveryState::Ready | DeliveryState::Waiting { .. }));
        let calls = scored(&items).into_iter().flat_map(|(route, lanes)| {
            let head = || vec![millis(self.settings.keep)];
            let mut calls = vec![(head(), 0)];
            for (lane, entries) in lanes {
                let bound = if lane == DUE { self.settings.timers } else { self.settings.lane };
                for part in entries.chunks(CALL) {
                    if calls.last().is_some_and(|(_, count)| count + part.len() > CALL) {
                        calls.push((head(), 0));
                    }
                    if let Some((arguments, count)) = calls.last_mut() {
                        *count += part.len();
                        arguments.extend([lane.clone().into_bytes(), text(bound), text(part.len())]);
                        arguments.extend(part.iter().flat_map(|(score, item)| [text(score), item.clone()]));
                    }
                }
            }
            calls.into_iter().map(move |(arguments, _)| (route, arguments))
        });
        try_join_all(calls.map(async |(route, arguments)| {
            self.run::<()>(&self.scripts.offer, route, &arguments).await?;
            self.wake(route);
            Ok(())
        }))
        .await
        .map(drop)
    }

    async fn take_some(&self, route: Route, most: usize) -> Result<Vec<Item>, QueueError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let arguments = [text(most.min(CALL)), millis(self.settings.lease), millis(self.settings.keep)];
        let taken: Vec<Vec<u8>> = self.run(&self.scripts.take, route, &arguments).await?;
        let mut items = Vec::with_capacity(taken.len());
        let mut garbage = Vec::new();
        for bytes in taken {
            match codec::decode(&bytes) {
                Some(item) if item.route() == route => items.push(item),
                _ => garbage.push(codec::id_in(&bytes).to_vec()),
            }
        }
        if !garbage.is_empty() {
            tracing::warn!(count = garbage.len(), "dropped what is in the queue in Redis and no item of this version; the table has what is owed");
            self.release(route, &garbage).await?;
        }
        Ok(items)
    }

    /// Ends leases.
    async fn release(&self, route: Route, ids: &[Vec<u8>]) -> Result<(), QueueError> {
        let base = self.base(route);
        for ids in ids.chunks(CALL) {
            // No transaction, which a full Redis would refuse. Between the two a lease holds nothing, which
            // is what its end makes of it; the other way round something would be held by no lease.
            let mut pipe = redis::pipe();
            pipe.hdel(format!("{base}leased"), ids).ignore().zrem(format!("{base}leases"), ids).ignore();
            self.link.pipe(&pipe).await.map_err(unanswered)?;
        }
        Ok(())
    }

    async fn release_all(&self, items: &[Item]) -> Result<(), QueueError> {
        let mut routes: HashMap<Route, Vec<Vec<u8>>> = HashMap::new();
        for item in items {
            routes.entry(item.route()).or_default().push(codec::id(item).to_vec());
        }
        try_join_all(routes.iter().map(|(route, ids)| self.release(*route, ids))).await.map(drop)
    }

    async fn settle_all(&self, items: &[Item]) -> Result<(), QueueError> {
        let mut routes: HashMap<Route, Vec<Vec<u8>>> = HashMap::new();
        for item in items {
            routes.entry(item.route()).or_default().extend([codec::id(item).to_vec(), item.sequence.to_be_bytes().to_vec()]);
        }
        let calls = routes.iter().flat_map(|(route, settled)| settled.chunks(2 * CALL).map(|part| (*route, part)));
        try_join_all(calls.map(async |(route, part)| {
            let arguments: Vec<_> = [millis(self.settings.keep), millis(self.settings.remember)].into_iter().chain(part.iter().cloned()).collect();
            self.run::<()>(&self.scripts.settle, route, &arguments).await
        }))
        .await
        .map(drop)
    }

    async fn put_back(&self, items: Vec<Item>) -> Result<(), QueueError> {
        let (pending, over): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.delivery.state.is_pending());
        self.release_all(&over).await?;
        let calls = scored(&pending).into_iter().flat_map(|(route, lanes)| {
            let entries: Vec<_> = lanes.into_iter().flat_map(|(lane, entries)| entries.into_iter().map(move |entry| (lane.clone(), entry))).collect();
            let calls = entries.chunks(CALL).map(|part| {
                let entries = part.iter().flat_map(|(lane, (score, item))| [lane.clone().into_bytes(), text(score), item.clone()]);
                (route, std::iter::once(millis(self.settings.keep)).chain(entries).collect::<Vec<_>>())
            });
            calls.collect::<Vec<_>>()
        });
        try_join_all(calls.map(async |(route, arguments)| {
            self.run::<()>(&self.scripts.give_back, route, &arguments).await?;
            self.wake(route);
            Ok(())
        }))
        .await
        .map(drop)
    }

    async fn find_room(&self, lanes: Vec<Lane>) -> Result<Vec<Room>, QueueError> {
        let mut routes: HashMap<Route, Vec<Lane>> = HashMap::new();
        for lane in lanes {
            routes.entry(lane.route).or_default().push(lane);
        }
        let asked = routes.iter().flat_map(|(route, lanes)| lanes.chunks(CALL).map(|lanes| (*route, lanes)));
        let rooms = try_join_all(asked.map(async |(route, lanes)| {
            let names = lanes.iter().map(|lane| lane_name(lane.priority, lane.sender.as_str()).into_bytes());
            let arguments: Vec<_> = std::iter::once(millis(self.settings.keep)).chain(names).collect();
            let counts: Vec<usize> = self.run(&self.scripts.room, route, &arguments).await?;
            let room = |(lane, here): (&Lane, usize)| (here <= self.settings.lane / 4).then(|| (lane.clone(), self.settings.lane - here));
            Ok(lanes.iter().zip(counts).filter_map(room).collect::<Vec<_>>())
        }))
        .await?;
        Ok(rooms.into_iter().flatten().collect())
    }

    async fn ripen_route(&self, route: Route, now: Millis) -> Result<Option<Millis>, QueueError> {
        let arguments = [millis(self.settings.keep), text(now), text(CALL)];
        let mut next = None;
        for _ in 0..RIPENINGS {
            let (moved, due): (usize, Option<f64>) = self.run(&self.scripts.ripen, route, &arguments).await?;
            if moved > 0 {
                self.wake(route);
            }
            // Whole milliseconds up to 2^53.
            next = due.map(|due| due as Millis);
            if next.is_none_or(|next| next > now) {
                break;
            }
        }
        Ok(next)
    }

    /// Own offers wake at once; those of other processes are found by looking.
    fn wait_for(&self, route: Route, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let look = self.clock.sleep(longest);
        Box::pin(async move {
            let Some(ready) = self.ready.get(&route) else { return look.await };
            tokio::select! {
                () = ready.notified() => {}
                () = look => {}
            }
        })
    }

    async fn count(&self) -> Result<Vec<(Route, Priority, usize)>, QueueError> {
        let depths = try_join_all(Route::all().map(async |route| {
            let counts: Vec<usize> = self.run(&self.scripts.depths, route, &[]).await?;
            Ok(Priority::DESCENDING.into_iter().zip(counts).map(move |(priority, count)| (route, priority, count)).collect::<Vec<_>>())
        }))
        .await?;
        Ok(depths.into_iter().flatten().collect())
    }
}

impl WorkQueue for RedisQueue {
    fn offer(&self, items: Vec<Item>) -> Asking<'_, ()> {
        Box::pin(self.add(items))
    }

    fn take(&self, route: Route, most: usize) -> Asking<'_, Vec<Item>> {
        Box::pin(self.take_some(route, most))
    }

    fn give_back(&self, items: Vec<Item>) -> Asking<'_, ()> {
        Box::pin(self.put_back(items))
    }

    fn settle(&self, items: Vec<Item>) -> Asking<'_, ()> {
        Box::pin(async move { self.settle_all(&items).await })
    }

    fn room(&self, lanes: Vec<Lane>) -> Asking<'_, Vec<Room>> {
        Box::pin(self.find_room(lanes))
    }

    fn wait(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wait_for(route, self.settings.poll)
    }

    fn depths(&self) -> Asking<'_, Vec<(Route, Priority, usize)>> {
        Box::pin(self.count())
    }
}

impl SharedQueue for RedisQueue {
    /// A small write for each route: of a cluster each may be on another node, and a full one refuses it.
    fn probe(&self) -> Asking<'_, ()> {
        let writes = Route::all().map(async |route| {
            let mut pipe = redis::pipe();
            pipe.cmd("SET").arg(format!("{}probe", self.base(route))).arg(1).arg("PX").arg(millis(self.settings.keep)).ignore();
            self.link.pipe(&pipe).await.map_err(unanswered)
        });
        Box::pin(async move { try_join_all(writes).await.map(drop) })
    }

    fn wait_idly(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wait_for(route, self.settings.poll * IDLY)
    }
}

impl TimerQueue for RedisQueue {
    fn hold(&self, items: Vec<Item>) -> Asking<'_, ()> {
        Box::pin(self.add(items))
    }

    fn ripen(&self, now: Millis) -> Asking<'_, Option<Millis>> {
        Box::pin(async move {
            let moments = try_join_all(Route::all().map(|route| self.ripen_route(route, now))).await?;
            Ok(moments.into_iter().flatten().min())
        })
    }
}

/// By route and lane: what waits in `due`, the rest where its sender's is.
fn scored(items: &[Item]) -> HashMap<Route, Scored> {
    let mut routes: HashMap<Route, Scored> = HashMap::new();
    for item in items {
        let (lane, score) = match item.delivery.state {
            DeliveryState::Waiting { due } => (DUE.to_owned(), due),
            _ => (lane_name(item.priority, item.sender.as_str()), i64::try_from(item.stream).unwrap_or(i64::MAX)),
        };
        routes.entry(item.route()).or_default().entry(lane).or_default().push((score, codec::encode(item)));
    }
    routes
}

/// As the scripts build it from an item.
fn lane_name(priority: Priority, sender: &str) -> String {
    format!("lane:{}:{sender}", priority.rank())
}

fn text(number: impl ToString) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn millis(duration: Duration) -> Vec<u8> {
    text(duration.as_millis())
}

fn unanswered(error: NoAnswer) -> QueueError {
    QueueError { reason: error.reason }
}
