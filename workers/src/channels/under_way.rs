//! Which deliveries this process has in its hands, from before an attempt is recorded until its outcome is.
//!
//! A queue may hand a delivery out again while it is in a worker's hands (its lease ran out). The log refuses the
//! second attempt; but where it was not told whether the first was recorded, only what is entered here says
//! whose an attempt is that stands in the log. So nothing is tried twice at once by one process.

use crate::pending::Item;
use commands::log::StreamNo;
use domain::values::DeliveryNo;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

type Key = (StreamNo, DeliveryNo);

/// See the module.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashSet<Key>>);

/// A delivery in a worker's hands; dropping it lets go.
#[derive(Debug)]
pub(super) struct Entered {
    under_way: Arc<UnderWay>,
    key: Key,
}

impl UnderWay {
    /// Takes a delivery in hand; none where it is in other hands of this process.
    pub(super) fn enter(self: &Arc<Self>, item: &Item) -> Option<Entered> {
        let key = (item.stream, item.delivery.number);
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        entered.then(|| Entered { under_way: Arc::clone(self), key })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
