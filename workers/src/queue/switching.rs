//! The queue of a replica: the one that all replicas share while it answers, else a window of its own
//! over its share of the table. Which of both is used is each replica's own finding. Two may differ for
//! a moment and try the same delivery: the log refuses one of them.
//!
//! While one replica alone delivers there is nobody to share with: its window costs a sixth less, and
//! hears of everything in the log, also of what others accept.
//!
//! Where all replicas that accept also deliver, each [keeps](Window::set_share) what it accepts: a bounded number goes
//! into its window, and into the shared queue only what is more than that. What it kept for too long comes there by way
//! of the table.

#[cfg(test)]
mod tests;

use super::{Asking, QueueError, Room, TimerQueue, WorkQueue};
use crate::pending::{Item, Lane, Route};
use crate::window::Window;
use commands::ports::Clock;
use commands::replicas::Peers;
use domain::values::{Millis, Priority};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a queue that did not answer is asked whether it does again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What a replica keeps of what it accepts: as much as it delivers in about half a second; what is more is better shared.
const KEPT_AT_MOST: usize = 1_000;

/// A queue that all replicas share.
pub trait SharedQueue: WorkQueue + TimerQueue {
    /// Whether it answers and takes things in.
    fn probe(&self) -> Asking<'_, ()>;
    /// [Waits](WorkQueue::wait) where hardly anything comes by way of it, and looks less often.
    fn wait_idly(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Which queue is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The one that all replicas share.
    Shared,
    /// The window of this process.
    Local,
}

/// When the shared queue is wanted: while several deliver.
pub struct Wanted {
    /// Or always.
    pub always: bool,
    /// What those who deliver are called.
    pub role: &'static str,
    /// Who lives.
    pub peers: watch::Receiver<Arc<Peers>>,
}

/// See the module.
pub struct SwitchingQueue {
    shared: Arc<dyn SharedQueue>,
    local: Arc<Window>,
    mode: watch::Sender<Mode>,
    /// How often something was taken.
    takes: AtomicUsize,
}

impl SwitchingQueue {
    /// Uses the window until the shared one has answered.
    pub fn new(shared: Arc<dyn SharedQueue>, local: Arc<Window>) -> Self {
        Self { shared, local, mode: watch::Sender::new(Mode::Local), takes: AtomicUsize::new(0) }
    }

    /// Which one is used, from now on.
    pub fn mode(&self) -> watch::Receiver<Mode> {
        self.mode.subscribe()
    }

    /// The one that is shared, where it is used.
    pub fn shared(&self) -> Option<&dyn SharedQueue> {
        (*self.mode.borrow() == Mode::Shared).then_some(self.shared.as_ref())
    }

    /// Whether what is accepted is kept while the shared one is used.
    pub fn keeps(&self) -> bool {
        self.shared().is_some() && self.local.keeps()
    }

    /// Keeps what was just accepted, as far as it may; gives the rest.
    pub fn keep(&self, mut items: Vec<Item>) -> Vec<Item> {
        if !self.keeps() {
            return items;
        }
        let room = || KEPT_AT_MOST.saturating_sub(self.local.len());
        if room() < items.len() {
            // Of a channel that nobody delivers, or that is held, nothing is ever taken.
            self.local.let_go_of_old();
        }
        let room = room();
        let rest = items.split_off(room.min(items.len()));
        items.into_iter().for_each(|item| self.local.offer_kept(item));
        rest
    }

    /// It is so late: what was kept for too long is let go of.
    pub fn tick(&self, now: Millis) {
        self.local.tick(now);
    }

    /// Goes on without the shared one.
    pub fn fail(&self, error: &QueueError) {
        if self.mode.send_if_modified(|mode| std::mem::replace(mode, Mode::Local) == Mode::Shared) {
            metrics::counter!("bongsu_queue_failovers_total").increment(1);
            tracing::warn!(%error, "the shared queue is left; this replica takes its share from the database until it answers again");
        }
    }

    /// Looks for the shared one whenever it is wanted and not used, until told to stop.
    pub async fn watch(&self, clock: &dyn Clock, wanted: Wanted, stop: CancellationToken) {
        let mut mode = self.mode.subscribe();
        let Wanted { always, role, mut peers } = wanted;
        while !stop.is_cancelled() {
            let shared = *mode.borrow_and_update() == Mode::Shared;
            let needed = always || peers.borrow_and_update().living_with(role) > 1;
            if shared == needed {
                tokio::select! {
                    changed = mode.changed() => if changed.is_err() { return },
                    changed = peers.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                continue;
            }
            if shared {
                tracing::info!("no other replica delivers; this one takes everything from the database");
                self.mode.send_replace(Mode::Local);
                continue;
            }
            if self.shared.probe().await.is_ok() {
                tracing::info!("the shared queue answers, and is used");
                self.mode.send_replace(Mode::Shared);
            }
            // Also before one that has just failed is asked again.
            tokio::select! {
                () = clock.sleep(ASK_AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn used(&self) -> &dyn WorkQueue {
        match *self.mode.borrow() {
            Mode::Shared => self.shared.as_ref(),
            Mode::Local => self.local.as_ref(),
        }
    }

    /// What was taken here, and the rest.
    fn parted(&self, items: Vec<Item>) -> (Vec<Item>, Vec<Item>) {
        if self.shared().is_some() { items.into_iter().partition(|item| self.local.handed_out(item)) } else { (Vec::new(), items) }
    }

    fn noticing<'a, T: Send + 'a>(&'a self, asking: Asking<'a, T>) -> Asking<'a, T> {
        Box::pin(async move { asking.await.inspect_err(|error| self.fail(error)) })
    }
}

impl WorkQueue for SwitchingQueue {
    fn offer(&self, items: Vec<Item>) -> Asking<'_, ()> {
        self.noticing(self.used().offer(items))
    }

    fn take(&self, route: Route, most: usize) -> Asking<'_, Vec<Item>> {
        Box::pin(async move {
            let keeps = self.keeps();
            // What all share is older, or was refused here: it has its part also while what is accepted would fill every take.
            let ours = if self.takes.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { most } else { most / 2 };
            let mut taken = if keeps { self.local.take(route, ours) } else { Vec::new() };
            if taken.len() < most {
                match self.used().take(route, most - taken.len()).await {
                    Ok(more) => taken.extend(more),
                    Err(error) => self.fail(&error),
                }
            }
            if keeps && taken.len() < most {
                taken.extend(self.local.take(route, most - taken.len()));
            }
            Ok(taken)
        })
    }

    fn give_back(&self, items: Vec<Item>) -> Asking<'_, ()> {
        let (kept, items) = self.parted(items);
        kept.into_iter().for_each(|item| self.local.give_back(item));
        if items.is_empty() { Box::pin(std::future::ready(Ok(()))) } else { self.noticing(self.used().give_back(items)) }
    }

    fn settle(&self, items: Vec<Item>) -> Asking<'_, ()> {
        let (kept, items) = self.parted(items);
        kept.iter().for_each(|item| self.local.forget(item));
        if items.is_empty() { Box::pin(std::future::ready(Ok(()))) } else { self.noticing(self.used().settle(items)) }
    }

    fn follows_log(&self) -> bool {
        self.used().follows_log()
    }

    fn room(&self, lanes: Vec<Lane>) -> Asking<'_, Vec<Room>> {
        self.noticing(self.used().room(lanes))
    }

    fn wait(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let mut mode = self.mode.subscribe();
            let shared = self.shared().filter(|_| self.local.keeps());
            let idly = async { if let Some(shared) = shared { shared.wait_idly(route).await } else { self.used().wait(route).await } };
            let kept = async { if shared.is_some() { self.local.wait(route).await } else { std::future::pending().await } };
            tokio::select! {
                () = idly => {}
                () = kept => {}
                _ = mode.changed() => {}
            }
        })
    }

    fn depths(&self) -> Asking<'_, Vec<(Route, Priority, usize)>> {
        self.noticing(self.used().depths())
    }
}

impl TimerQueue for SwitchingQueue {
    fn hold(&self, items: Vec<Item>) -> Asking<'_, ()> {
        match self.shared() {
            Some(shared) => self.noticing(shared.hold(items)),
            None => TimerQueue::hold(self.local.as_ref(), items),
        }
    }

    fn ripen(&self, now: Millis) -> Asking<'_, Option<Millis>> {
        match self.shared() {
            Some(shared) => self.noticing(shared.ripen(now)),
            None => TimerQueue::ripen(self.local.as_ref(), now),
        }
    }
}
