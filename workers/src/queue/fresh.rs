//! Puts what this replica has just committed into the shared queue, so that it need not wait for the
//! table. What is lost on this way, with the process or because there is too much of it, comes by way
//! of the table.

use super::switching::SwitchingQueue;
use crate::pending::{Item, begin};
use commands::log::{AfterCommit, Recorded};
use domain::Fact;
use domain::notification::{Delivery, NotificationEvent};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Commits that may wait to be put into the queue.
const WAITING: usize = 256;
/// Items put into it at once.
const BATCH: usize = 1_000;

/// The side that the committer tells.
#[derive(Debug)]
pub struct FreshWork(mpsc::Sender<Vec<Item>>);

/// The side that fills the queue.
#[derive(Debug)]
pub struct FreshItems(mpsc::Receiver<Vec<Item>>);

impl FreshWork {
    /// Both sides.
    pub fn new() -> (Self, FreshItems) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), FreshItems(receiver))
    }
}

impl AfterCommit for FreshWork {
    fn committed(&self, events: &[Arc<Recorded>]) {
        let items = items(events);
        if !items.is_empty() && self.0.try_send(items).is_err() {
            metrics::counter!("bongsu_queue_fresh_dropped_total").increment(1);
        }
    }

    /// Whoever committed it does the same.
    fn learned(&self, _: &[Arc<Recorded>]) {}
}

fn items(events: &[Arc<Recorded>]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut requested: Option<&Arc<Recorded>> = None;
    for event in events {
        // Whatever else was committed to the stream moves it on for all its deliveries.
        items.iter_mut().rev().take_while(|item| item.stream == event.number).for_each(|item| item.sequence = event.sequence);
        match &event.fact {
            Fact::Notification(NotificationEvent::Requested(_)) => requested = Some(event),
            Fact::Notification(NotificationEvent::Queued(queued)) if queued.channel.has_provider() => {
                if let Some(of) = requested.filter(|requested| requested.number == event.number)
                    && let Fact::Notification(NotificationEvent::Requested(request)) = &of.fact
                {
                    items.push(begin(of, event, request, Delivery::queued(queued.delivery, queued.channel, queued.address)));
                }
            }
            _ => {}
        }
    }
    items
}

impl FreshItems {
    /// Fills the queue until told to stop.
    pub async fn run(mut self, queue: Arc<SwitchingQueue>, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            let received = tokio::select! {
                received = self.0.recv_many(&mut batch, 16) => received,
                () = stop.cancelled() => return,
            };
            if received == 0 {
                return;
            }
            let items: Vec<Item> = batch.drain(..).flatten().collect();
            for chunk in items.chunks(BATCH) {
                // While the shared one is away the window follows the log by itself.
                if let Some(shared) = queue.shared() {
                    let more = queue.keep(chunk.to_vec());
                    if !more.is_empty()
                        && let Err(error) = shared.offer(more).await
                    {
                        queue.fail(&error);
                    }
                }
            }
        }
    }
}
