//! Who decides on a stream that all requests to one recipient append to: one after the other.
//!
//! The append tells when two have counted the same place, whoever they are. But of a hundred who try at
//! once it lets one through, and the others try again a hundred times. Within a process they stand
//! in line instead. Only streams that every decision appends to (places, digests) have a line; all else
//! goes by expectations alone.

use domain::StreamId;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

type Line = Arc<tokio::sync::Mutex<()>>;

/// The lines of all streams on which somebody decides now.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    lines: Mutex<HashMap<StreamId, Line>>,
}

/// One's turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    turns: &'a Turns,
    held: Vec<(StreamId, Line, Option<OwnedMutexGuard<()>>)>,
}

impl Turns {
    /// Waits for one's turn at all of these. They are taken in their order, so that two who wait for
    /// the same ones do not wait for each other.
    pub(crate) async fn take(&self, streams: BTreeSet<StreamId>) -> Taken<'_> {
        let mut taken = Taken { turns: self, held: Vec::with_capacity(streams.len()) };
        for stream in streams {
            let line = Arc::clone(self.lines.lock().unwrap_or_else(PoisonError::into_inner).entry(stream).or_default());
            // Known before it is waited for: who goes away meanwhile leaves no line behind.
            taken.held.push((stream, Arc::clone(&line), None));
            let turn = line.lock_owned().await;
            if let Some(held) = taken.held.last_mut() {
                held.2 = Some(turn);
            }
        }
        taken
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let mut lines = self.turns.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for (stream, line, turn) in self.held.drain(..) {
            drop(turn);
            drop(line);
            // Who waits holds the line as well, and takes it away when the last has gone.
            if lines.get(&stream).is_some_and(|line| Arc::strong_count(line) == 1) {
                lines.remove(&stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Turns;
    use domain::{AggregateKind, StreamId};
    use std::future::Future as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Poll;
    use uuid::Uuid;

    fn stream(n: u128) -> StreamId {
        StreamId::new(AggregateKind::Frequency, Uuid::from_u128(n))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_at_a_time_and_no_line_stays_behind() {
        let (turns, busy) = (Arc::new(Turns::default()), Arc::new(AtomicBool::new(false)));
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let (turns, busy) = (Arc::clone(&turns), Arc::clone(&busy));
                tokio::spawn(async move {
                    // Asked for in either order; stream 2 is everybody's.
                    let turn = turns.take([stream(2), stream(1 + n % 3)].into()).await;
                    assert!(!busy.swap(true, Ordering::AcqRel), "two at once");
                    tokio::task::yield_now().await;
                    busy.store(false, Ordering::Release);
                    drop(turn);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(turns.lines.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_holds_up_nobody() {
        let turns = Turns::default();
        let first = turns.take([stream(1)].into()).await;
        {
            let mut waiting = Box::pin(turns.take([stream(1)].into()));
            let pending = std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
            assert!(pending);
            drop(first);
        }
        assert!(turns.lines.lock().unwrap().is_empty());
        drop(turns.take([stream(1)].into()).await);
        assert!(turns.lines.lock().unwrap().is_empty());
    }
}
