//! The live feed within one process: one task reads the log's tail and hands every item to those
//! who follow its recipient. Every follower reading the tail was rejected: ten thousand of them
//! would each look at every event.

mod dispatcher;
mod follower;
mod hub;
mod recent;
#[cfg(test)]
mod tests;

use super::{Following, LiveFeed};
use crate::notifications::Notifications;
use crate::store::Sources;
use commands::log::{Position, Tail};
use dispatcher::Dispatcher;
use domain::values::RecipientId;
use follower::Follower;
use hub::Hub;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Items that a follower may be behind before it is let go.
const BEHIND: usize = 256;

/// See the module.
#[derive(Debug, Clone)]
pub struct LocalFeed {
    hub: Arc<Hub>,
    tail: Arc<Tail>,
    notifications: Notifications,
}

impl LocalFeed {
    /// Over the tail and, for what came before, the read model.
    pub fn new(sources: &Sources, notifications: Notifications) -> Self {
        Self { hub: Arc::new(Hub::at(sources.tail.head(), BEHIND)), tail: Arc::clone(&sources.tail), notifications }
    }

    /// Hands items to followers until told to stop, then lets all of them go. Run it once.
    pub async fn run(&self, sources: Sources, stop: CancellationToken) {
        Dispatcher::new(Arc::clone(&self.hub), sources).run(stop).await;
        self.hub.close();
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.hub.followers()
    }
}

impl LiveFeed for LocalFeed {
    fn follow(&self, recipient: RecipientId, after: Option<Position>) -> Following {
        let follower = match after {
            Some(after) => Follower::after(Arc::clone(&self.hub), self.notifications.clone(), recipient, after),
            None => Follower::from_now(Arc::clone(&self.hub), self.notifications.clone(), recipient, self.tail.head()),
        };
        follower.stream()
    }
}
