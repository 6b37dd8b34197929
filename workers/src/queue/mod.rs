//! Ports of the queue: what is ready to be attempted, and what comes due soon.
//!
//! The queue is disposable. What is owed is in the table of [`pending`](crate::pending), and an
//! attempt on something stale is refused by the log; so whatever a queue loses, repeats or hands out
//! twice costs time and never a notification. Adapters: [`Window`](crate::window::Window) in memory,
//! [`RedisQueue`](redis::RedisQueue) shared by all replicas.

pub mod redis;

mod fresh;
mod refill;
mod switching;

pub use fresh::{FreshItems, FreshWork};
pub use refill::{Refill, RefillSettings};
pub use switching::{Mode, SharedQueue, SwitchingQueue, Wanted};

use crate::pending::{Item, Lane, Route};
use domain::values::{Millis, Priority};
use std::future::Future;
use std::pin::Pin;

/// Why a queue did not answer. Always worth going on without it: the table has everything.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the queue does not answer: {reason}")]
pub struct QueueError {
    /// For the operator.
    pub reason: String,
}

/// The future of an answer.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, QueueError>> + Send + 'a>>;

/// How much more of a lane there is room for.
pub type Room = (Lane, usize);

/// What is ready, in the order in which it is drained: priorities by weight (64, 16, 4, 1), so that the
/// higher goes first and the lower never starves; the senders of one priority take turns; what one
/// sender has is in the order of arrival.
pub trait WorkQueue: Send + Sync + 'static {
    /// Adds what is ready. What is there already, or is taken, stays as it is; what finds no room is left
    /// to the table.
    fn offer(&self, items: Vec<Item>) -> Asking<'_, ()>;
    /// Takes up to `most` of a route. They are the taker's until it settles them or gives them back, or
    /// until its lease ends: then they are handed out again.
    fn take(&self, route: Route, most: usize) -> Asking<'_, Vec<Item>>;
    /// Gives back what could not be attempted, in its newest known shape: in front of its lane where it
    /// is ready, to the timers where it waits.
    fn give_back(&self, items: Vec<Item>) -> Asking<'_, ()>;
    /// Lets go of what was taken: its attempt is recorded, or it is over, as of its sequence. A queue that
    /// does not follow the log takes it in for a while only with a greater one: the table may not know yet.
    fn settle(&self, items: Vec<Item>) -> Asking<'_, ()>;
    /// Those of the lanes that are nearly empty, with the number that they take. Also makes sure that
    /// what is in a lane is found, whatever the queue has lost.
    fn room(&self, lanes: Vec<Lane>) -> Asking<'_, Vec<Room>>;
    /// Whether it follows the log by itself, and so knows of attempts without being told. Otherwise what
    /// is attempted is settled by the taker, and comes back, if it has to, as something new.
    fn follows_log(&self) -> bool {
        false
    }
    /// Waits until something may be ready on a route; may return early.
    fn wait(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// How many are ready, by route and priority.
    fn depths(&self) -> Asking<'_, Vec<(Route, Priority, usize)>>;
}

/// What comes due soon: a window on the table of timers.
pub trait TimerQueue: Send + Sync + 'static {
    /// Holds what waits for its moment. What is held already stays as it is.
    fn hold(&self, items: Vec<Item>) -> Asking<'_, ()>;
    /// Hands whatever is due to the [`WorkQueue`], each once; says when the next is.
    fn ripen(&self, now: Millis) -> Asking<'_, Option<Millis>>;
}
