//! Holds the answer to an opt-out until the attempts that were recorded before it have begun or
//! lapsed. Attempts recorded after it cannot exist: their append expects the subscription as it
//! was. So once an unsubscribe is answered, no provider call for it begins.

use commands::ports::Clock;
use domain::values::RecipientId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A call that has not begun this long after its record is not made.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(1);

/// See the module.
pub struct OptOutBarrier {
    unbegun: Mutex<HashMap<RecipientId, u32>>,
    changed: Notify,
    clock: Arc<dyn Clock>,
}

/// An attempt that is being recorded or has been, and whose call has not begun. Registered
/// before the record is appended; dropping it says that the call begins or will not.
pub struct Unbegun {
    barrier: Arc<OptOutBarrier>,
    recipient: RecipientId,
}

impl OptOutBarrier {
    /// Nothing is under way.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { unbegun: Mutex::default(), changed: Notify::new(), clock }
    }

    /// Registers an attempt that is about to be recorded.
    pub fn register(self: &Arc<Self>, recipient: RecipientId) -> Unbegun {
        *self.unbegun.lock().unwrap_or_else(PoisonError::into_inner).entry(recipient).or_default() += 1;
        Unbegun { barrier: Arc::clone(self), recipient }
    }

    /// Waits until no attempt for a recipient is recorded and unbegun; at most until those that
    /// were have lapsed.
    pub async fn settled(&self, recipient: RecipientId) {
        let lapsed = self.clock.sleep(BEGIN_WITHIN);
        let settled = async {
            loop {
                let changed = self.changed.notified();
                if !self.unbegun.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&recipient) {
                    return;
                }
                changed.await;
            }
        };
        tokio::select! {
            () = settled => {}
            () = lapsed => {}
        }
    }
}

impl Drop for Unbegun {
    fn drop(&mut self) {
        let mut unbegun = self.barrier.unbegun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = unbegun.get_mut(&self.recipient) {
            *count -= 1;
            if *count == 0 {
                unbegun.remove(&self.recipient);
                drop(unbegun);
                self.barrier.changed.notify_waiters();
            }
        }
    }
}
