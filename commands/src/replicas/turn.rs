//! The right to do something that one process at a time does.
//!
//! Whoever has it may have lost it without noticing (a stopped process); so what it writes carries the
//! epoch, and the store refuses an older one. Having the turn saves work, the epoch is what is safe.

use super::Epoch;
use crate::ports::Clock;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Pause before what ended by itself is begun again.
const AGAIN: Duration = Duration::from_millis(500);

/// See the module. Clones watch the same turn.
#[derive(Debug, Clone)]
pub struct Turn {
    epoch: watch::Receiver<Option<Epoch>>,
    given_up: Arc<AtomicBool>,
    /// Of a turn that nobody else keeps.
    _always: Option<Arc<watch::Sender<Option<Epoch>>>>,
}

/// The side that takes a turn and loses it.
#[derive(Debug)]
pub struct TurnKeeper {
    /// What it is for.
    pub(super) name: &'static str,
    epoch: watch::Sender<Option<Epoch>>,
    given_up: Arc<AtomicBool>,
}

impl TurnKeeper {
    /// One that nobody has, and a watcher of it.
    pub fn new(name: &'static str) -> (Self, Turn) {
        let (epoch, watched) = watch::channel(None);
        let given_up = Arc::<AtomicBool>::default();
        (Self { name, epoch, given_up: Arc::clone(&given_up) }, Turn { epoch: watched, given_up, _always: None })
    }

    /// Tells the watchers.
    pub(super) fn set(&self, epoch: Option<Epoch>) {
        self.epoch.send_if_modified(|known| std::mem::replace(known, epoch) != epoch);
    }

    /// This process cannot do it.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}

impl Turn {
    /// That of the only process.
    pub fn always() -> Self {
        let (epoch, watched) = watch::channel(Some(0));
        Self { epoch: watched, given_up: Arc::default(), _always: Some(Arc::new(epoch)) }
    }

    /// Under which epoch it is ours at the moment.
    pub fn held(&self) -> Option<Epoch> {
        *self.epoch.borrow()
    }

    /// Leaves it to others for good: this process cannot do it, as where it does not know an event that
    /// a newer version has written.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Does something whenever it is our turn, until told to stop: begun anew with each epoch, and told
    /// to stop when the turn is lost. What ends by itself is begun again, a little later.
    pub async fn each<F>(&self, clock: &dyn Clock, stop: &CancellationToken, work: impl Fn(Epoch, CancellationToken) -> F)
    where
        F: Future<Output = ()>,
    {
        let mut watched = self.epoch.clone();
        while !stop.is_cancelled() {
            let epoch = *watched.borrow_and_update();
            let Some(epoch) = epoch else {
                tokio::select! {
                    // The keeper ends with the process.
                    changed = watched.changed() => if changed.is_err() { stop.cancelled().await },
                    () = stop.cancelled() => {}
                }
                continue;
            };
            let halt = stop.child_token();
            let working = work(epoch, halt.clone());
            tokio::pin!(working);
            let lost = async {
                if watched.wait_for(|now| *now != Some(epoch)).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = working.as_mut() => {
                    tokio::select! {
                        () = clock.sleep(AGAIN) => {}
                        () = stop.cancelled() => {}
                    }
                }
                () = lost => {
                    halt.cancel();
                    working.await;
                }
            }
        }
    }
}
