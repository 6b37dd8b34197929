//! The window: a bounded part of what is owed, in memory, in the order in which it is drained.
//!
//! A lane for each channel, priority and sender. Priorities are drained by weight, so the higher
//! goes first and the lower never starves; senders within a priority take turns, so one at a
//! hundred times its share delays only itself. Lose the window and it refills from the table:
//! the truth is the log, and an attempt on something stale is refused there.
//!
//! Of several processes each has a share of what is owed. Where all of them deliver, whoever accepts
//! something [keeps](Window::set_share) its first attempt for as long as it is young, since it has all that
//! it takes at hand; what grows older is its share's.

mod keeping;
mod lanes;
mod port;
mod refill;
#[cfg(test)]
mod tests;

pub(crate) use keeping::Passed;
pub use refill::{Dispatcher, DispatcherSettings};

use crate::pending::{Item, Lane, Route, begin};
use commands::log::{Position, Recorded, StreamNo};
use commands::replicas::Share;
use domain::Fact;
use domain::notification::{Delivery, DeliveryState, NotificationEvent, Queued};
use domain::values::{DeliveryNo, Millis, Priority};
use keeping::Keeping;
use lanes::{Key, Lanes};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Bounds of the window.
#[derive(Debug, Clone, Copy)]
pub struct WindowSettings {
    /// Items ready in one lane.
    pub lane: usize,
    /// Items in all.
    pub items: usize,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self { lane: 4_000, items: 40_000 }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Window {
    settings: WindowSettings,
    inner: Mutex<Inner>,
    ready: HashMap<Route, Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    items: HashMap<StreamNo, Vec<Tracked>>,
    count: usize,
    routes: HashMap<Route, Lanes>,
    waiting: BTreeSet<(Millis, StreamNo, DeliveryNo)>,
    /// Lanes of which the table holds more than the window.
    overflowed: HashSet<Lane>,
    /// Something came back to life of which only the table knows the lane.
    sweep: bool,
    /// What of all that is owed is taken in here; everything, unless told otherwise.
    share: Option<Share>,
    keeping: Keeping,
    requested: Option<Arc<Recorded>>,
}

#[derive(Debug)]
struct Tracked {
    item: Item,
    /// A worker has it.
    taken: bool,
    /// It took in the event that is being applied.
    follows: bool,
}

impl Inner {
    fn tracked(&mut self, key: Key) -> Option<&mut Tracked> {
        self.items.get_mut(&key.0)?.iter_mut().find(|tracked| tracked.item.delivery.number == key.1)
    }

    fn remove(&mut self, key: Key) {
        if let Some(of_stream) = self.items.get_mut(&key.0) {
            let before = of_stream.len();
            of_stream.retain(|tracked| tracked.item.delivery.number != key.1);
            self.count -= before - of_stream.len();
            if of_stream.is_empty() {
                self.items.remove(&key.0);
            }
        }
    }

    /// Whether it is in the share.
    fn is_ours(&self, stream: StreamNo) -> bool {
        self.share.as_ref().is_none_or(|share| share.has(stream))
    }

    /// Whether it is in another one's share, and was kept for as long as it may be.
    fn is_anothers(&mut self, key: Key) -> bool {
        let ours = self.is_ours(key.0);
        let (on, since) = (self.keeping.is_on(), self.keeping.kept_since());
        on && !ours && self.tracked(key).is_some_and(|tracked| !tracked.taken && !keeping::may_be_kept(&tracked.item, since))
    }

    fn lane_of(item: &Item) -> Lane {
        Lane { route: item.route(), priority: item.priority, sender: item.sender.clone() }
    }
}

impl Window {
    /// Empty.
    pub fn new(settings: WindowSettings) -> Self {
        Self { settings, inner: Mutex::default(), ready: Route::all().map(|route| (route, Notify::new())).collect() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, route: Route) {
        if let Some(ready) = self.ready.get(&route) {
            ready.notify_one();
        }
    }

    /// Takes in only a share from now on; what is here already stays. Where all who have a share `keep` what
    /// they accept, also that, and of others' share nothing that they may still keep.
    pub fn set_share(&self, share: Share, keep: bool) {
        let mut inner = self.lock();
        if inner.share.as_ref() != Some(&share) || inner.keeping.is_on() != keep {
            inner.share = Some(share);
            inner.keeping.turn(keep);
            inner.sweep = true;
        }
    }

    /// What it takes in.
    fn share(&self) -> Option<Share> {
        self.lock().share.clone()
    }

    /// Forgets everything but its share; the table has it.
    pub fn clear(&self) {
        let mut inner = self.lock();
        let mut keeping = Keeping::default();
        keeping.turn(inner.keeping.is_on());
        *inner = Inner { share: inner.share.take(), keeping, sweep: true, ..Inner::default() };
    }

    /// Waits until something may be ready on a route.
    pub async fn wait(&self, route: Route) {
        if let Some(ready) = self.ready.get(&route) {
            ready.notified().await;
        }
    }

    /// Adds what is owed, unless it is here already or there is no room (the table has it then).
    pub fn offer(&self, item: Item) {
        let mut inner = self.lock();
        if inner.is_ours(item.stream) {
            let route = item.route();
            if self.put(&mut inner, item) {
                self.wake(route);
            }
        }
    }

    /// The same with what this process has just accepted, whosever share it is.
    pub fn offer_kept(&self, item: Item) {
        let route = item.route();
        let mut inner = self.lock();
        inner.keeping.now(item.requested_at);
        if self.put(&mut inner, item) {
            self.wake(route);
        }
    }

    fn put(&self, inner: &mut Inner, item: Item) -> bool {
        let key = (item.stream, item.delivery.number);
        if inner.tracked(key).is_some() {
            return false;
        }
        let lane = Inner::lane_of(&item);
        let state = item.delivery.state;
        let lanes = inner.routes.entry(lane.route).or_default();
        if inner.count >= self.settings.items || lanes.len_of(&lane) >= self.settings.lane {
            if state == DeliveryState::Ready {
                inner.overflowed.insert(lane);
            }
            return false;
        }
        match state {
            DeliveryState::Ready => lanes.push(&lane, key),
            DeliveryState::Waiting { due } => {
                inner.waiting.insert((due, key.0, key.1));
            }
            _ => return false,
        }
        // Mostly one a notification, and a vector's own idea of growing is four.
        inner.items.entry(item.stream).or_insert_with(|| Vec::with_capacity(1)).push(Tracked { item, taken: false, follows: false });
        inner.count += 1;
        state == DeliveryState::Ready
    }

    /// Takes up to `most` items of a route, the fairest first.
    pub fn take(&self, route: Route, most: usize) -> Vec<Item> {
        let mut inner = self.lock();
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(key) = inner.routes.get_mut(&route).and_then(Lanes::pop) else { break };
            // What ended meanwhile was removed from the items only; what another replica attempted
            // meanwhile may wait for its moment, and comes into its lane again then.
            let state = inner.tracked(key).map(|tracked| tracked.item.delivery.state);
            if let Some(DeliveryState::Waiting { due }) = state
                && inner.waiting.contains(&(due, key.0, key.1))
            {
                continue;
            }
            if inner.is_anothers(key) {
                inner.remove(key);
                continue;
            }
            if let Some(tracked) = inner.tracked(key)
                && !tracked.taken
                && tracked.item.delivery.is_stoppable()
            {
                tracked.taken = true;
                taken.push(tracked.item.clone());
            }
        }
        taken
    }

    /// Gives back an item that could not be attempted, in its newest known shape.
    pub fn give_back(&self, item: Item) {
        let route = item.route();
        {
            let mut inner = self.lock();
            let key = (item.stream, item.delivery.number);
            inner.remove(key);
            if !item.delivery.state.is_pending() {
                return;
            }
            let lane = Inner::lane_of(&item);
            match item.delivery.state {
                DeliveryState::Waiting { due } => {
                    inner.waiting.insert((due, key.0, key.1));
                }
                _ => inner.routes.entry(lane.route).or_default().push_front(&lane, key),
            }
            // Mostly one a notification, and a vector's own idea of growing is four.
            inner.items.entry(item.stream).or_insert_with(|| Vec::with_capacity(1)).push(Tracked { item, taken: false, follows: false });
            inner.count += 1;
        }
        self.wake(route);
    }

    /// Drops an item that is not owed any more, or of which the table knows better.
    pub fn forget(&self, item: &Item) {
        let mut inner = self.lock();
        let key = (item.stream, item.delivery.number);
        // What has come here since may be owed.
        inner.sweep |= inner.tracked(key).is_some_and(|tracked| tracked.item.sequence > item.sequence);
        inner.remove(key);
    }

    /// Takes in what was committed, all of it here.
    pub fn apply(&self, events: &[Arc<Recorded>]) {
        self.apply_all(events, |_| true);
    }

    /// Takes in what was committed, here or elsewhere.
    pub fn apply_all(&self, events: &[Arc<Recorded>], here: impl Fn(Position) -> bool) {
        let mut woken: Vec<Route> = Vec::new();
        {
            let mut inner = self.lock();
            for event in events {
                if let Fact::Notification(fact) = &event.fact
                    && let Some(route) = self.apply_one(&mut inner, event, fact, &here)
                    && !woken.contains(&route)
                {
                    woken.push(route);
                }
            }
        }
        for route in woken {
            self.wake(route);
        }
    }

    fn apply_one(&self, inner: &mut Inner, event: &Arc<Recorded>, fact: &NotificationEvent, here: &impl Fn(Position) -> bool) -> Option<Route> {
        if let NotificationEvent::Requested(_) = fact {
            inner.requested = Some(Arc::clone(event));
            return None;
        }
        // Only an item that has seen every event before this one may take it in. One from the
        // table can be behind; it keeps its old sequence, so that an attempt on it conflicts and
        // is decided anew. One a worker gave back can be ahead; it has this event in it already.
        for tracked in inner.items.get_mut(&event.number).into_iter().flatten() {
            tracked.follows = tracked.item.sequence + 1 == event.sequence;
            if tracked.follows {
                tracked.item.sequence = event.sequence;
            }
        }
        if let NotificationEvent::Queued(queued) = fact {
            let ours = queued.channel.has_provider() && if inner.keeping.is_on() { here(event.position) } else { inner.is_ours(event.number) };
            return ours.then(|| self.queue(inner, event, queued)).flatten();
        }
        let key = (event.number, fact.delivery()?);
        let Some(tracked) = inner.tracked(key) else {
            inner.sweep |= matches!(fact, NotificationEvent::Redriven(_));
            return None;
        };
        if !tracked.follows {
            // Others' events are not told where replicas keep what they accept, so what happened in between is known by
            // the table alone. Left here, it would stand for something that never ends.
            if tracked.item.sequence < event.sequence {
                inner.remove(key);
                inner.sweep = true;
            }
            return None;
        }
        let before = tracked.item.delivery.state;
        tracked.item.evolve(fact);
        let after = tracked.item.delivery.state;
        let lane = Inner::lane_of(&tracked.item);
        if matches!(after, DeliveryState::Waiting { .. }) || (after == DeliveryState::Ready && before != DeliveryState::Ready) {
            tracked.taken = false;
        }
        if let DeliveryState::Waiting { due } = before {
            inner.waiting.remove(&(due, key.0, key.1));
        }
        match after {
            DeliveryState::Waiting { due } => {
                inner.waiting.insert((due, key.0, key.1));
                None
            }
            DeliveryState::Ready if before != DeliveryState::Ready => {
                inner.routes.entry(lane.route).or_default().push_front(&lane, key);
                Some(lane.route)
            }
            DeliveryState::Ready | DeliveryState::InFlight => None,
            _ => {
                inner.remove(key);
                None
            }
        }
    }

    fn queue(&self, inner: &mut Inner, event: &Arc<Recorded>, queued: &Queued) -> Option<Route> {
        let requested = inner.requested.clone().filter(|requested| requested.number == event.number);
        if let Some(requested) = requested
            && let Fact::Notification(NotificationEvent::Requested(request)) = &requested.fact
        {
            let item = begin(&requested, event, request, Delivery::queued(queued.delivery, queued.channel, queued.address));
            let route = item.route();
            return self.put(inner, item).then_some(route);
        }
        inner.sweep = true;
        None
    }

    /// Moves whatever is due into its lane; says when the next is.
    pub fn ripen(&self, now: Millis) -> Option<Millis> {
        let mut woken = Vec::new();
        let next = {
            let mut inner = self.lock();
            inner.keeping.now(now);
            while let Some(first) = inner.waiting.first().copied()
                && first.0 <= now
            {
                inner.waiting.remove(&first);
                let key = (first.1, first.2);
                let Some(tracked) = inner.tracked(key) else { continue };
                if tracked.taken || !matches!(tracked.item.delivery.state, DeliveryState::Waiting { .. }) {
                    continue;
                }
                let lane = Inner::lane_of(&tracked.item);
                inner.routes.entry(lane.route).or_default().push(&lane, key);
                woken.push(lane.route);
            }
            inner.waiting.first().map(|first| first.0)
        };
        for route in woken {
            self.wake(route);
        }
        next
    }

    /// Lanes that have room again and of which the table may hold more.
    fn hungry(&self) -> Vec<(Lane, usize)> {
        let inner = self.lock();
        if inner.count >= self.settings.items {
            return Vec::new();
        }
        inner
            .overflowed
            .iter()
            .filter_map(|lane| {
                let here = inner.routes.get(&lane.route).map_or(0, |lanes| lanes.len_of(lane));
                (here <= self.settings.lane / 4).then(|| (lane.clone(), here))
            })
            .collect()
    }

    /// Those of the lanes that are nearly empty, with the number that they take.
    fn room(&self, lanes: Vec<Lane>) -> Vec<(Lane, usize)> {
        let inner = self.lock();
        let room = |lane: Lane| {
            let here = inner.routes.get(&lane.route).map_or(0, |lanes| lanes.len_of(&lane));
            (inner.count < self.settings.items && here <= self.settings.lane / 4).then(|| (lane, self.settings.lane - here))
        };
        lanes.into_iter().filter_map(room).collect()
    }

    /// Takes in what the table has of a lane; `all` where it has no more. That is noted first: what finds no room here
    /// notes the contrary.
    fn refill(&self, lane: &Lane, items: Vec<Item>, all: bool) {
        if all {
            self.lock().overflowed.remove(lane);
        }
        items.into_iter().for_each(|item| self.offer(item));
    }

    /// The table holds something of this lane.
    fn overflow(&self, lane: Lane) {
        self.lock().overflowed.insert(lane);
    }

    /// Items in memory, by route and priority, for the metrics.
    pub fn depths(&self) -> Vec<(Route, Priority, usize)> {
        let inner = self.lock();
        inner.routes.iter().flat_map(|(route, lanes)| lanes.depths().map(|(priority, depth)| (*route, priority, depth))).collect()
    }

    /// How many items are tracked.
    pub fn len(&self) -> usize {
        self.lock().count
    }

    /// Whether nothing is tracked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
