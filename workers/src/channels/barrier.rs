//! Holds the answer to an opt-out until the attempts that were recorded before it have begun or
//! lapsed. Attempts recorded after it cannot exist: their append expects the subscription as it
//! was. So once an unsubscribe is answered, no provider call for it begins.
//!
//! Of this replica's attempts it knows which have begun. Of other replicas' it knows what the log says:
//! which were recorded (whoever appends has read everything before his own) and which have an outcome.
//! Those without one may be unbegun for as long as a call may take to begin, counted from here, which
//! is later than there. Asking the other replicas was rejected: one that is stopped does not answer.

use commands::log::{AfterCommit, Recorded, StreamNo};
use commands::ports::Clock;
use commands::recent::Recent;
use domain::Fact;
use domain::notification::NotificationEvent;
use domain::values::{DeliveryNo, RecipientId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A call that has not begun this long after its record is not made.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(1);

/// Notifications whose recipient is remembered. An attempt for another one is taken to be for anybody.
const KEPT_RECIPIENTS: usize = 50_000;
/// Others' attempts that are remembered, far more than a second's; beyond that any is taken to be for
/// anybody.
const KEPT_ATTEMPTS: usize = 100_000;

/// See the module.
pub struct OptOutBarrier {
    unbegun: Mutex<HashMap<RecipientId, u32>>,
    changed: Notify,
    others: Mutex<Others>,
    clock: Arc<dyn Clock>,
}

/// A delivery.
type Key = (StreamNo, DeliveryNo);

/// What other replicas have under way.
struct Others {
    recipients: Recent<StreamNo, RecipientId>,
    /// When they were seen, in that order.
    attempts: VecDeque<(Duration, Key)>,
    /// Those without an outcome: when they were seen, and for whom, where that is known.
    open: HashMap<Key, (Duration, Option<RecipientId>)>,
    /// One was forgotten for want of room, then.
    forgotten: Option<Duration>,
}

/// An attempt that is being recorded or has been, and whose call has not begun. Registered
/// before the record is appended; dropping it says that the call begins or will not.
pub struct Unbegun {
    barrier: Arc<OptOutBarrier>,
    recipient: RecipientId,
}

impl Others {
    fn learn(&mut self, event: &Recorded, now: Duration) {
        let Fact::Notification(fact) = &event.fact else { return };
        if let NotificationEvent::Requested(requested) = fact {
            self.recipients.insert(event.number, requested.recipient);
        }
        let Some(delivery) = fact.delivery() else { return };
        let key = (event.number, delivery);
        if !matches!(fact, NotificationEvent::AttemptStarted(_)) {
            self.open.remove(&key);
            return;
        }
        self.forget_lapsed(now);
        if self.attempts.len() >= KEPT_ATTEMPTS {
            self.forgotten = Some(now);
            return;
        }
        let recipient = self.recipients.get(&event.number).copied();
        self.attempts.push_back((now, key));
        self.open.insert(key, (now, recipient));
    }

    fn forget_lapsed(&mut self, now: Duration) {
        while let Some((seen, key)) = self.attempts.front().copied()
            && now.saturating_sub(seen) >= BEGIN_WITHIN
        {
            self.attempts.pop_front();
            // A later attempt of the same delivery may be open.
            if self.open.get(&key).is_some_and(|(latest, _)| *latest == seen) {
                self.open.remove(&key);
            }
        }
    }

    fn may_be_under_way(&mut self, recipient: RecipientId, now: Duration) -> bool {
        self.forget_lapsed(now);
        self.forgotten.is_some_and(|then| now.saturating_sub(then) < BEGIN_WITHIN) || self.open.values().any(|(_, of)| of.is_none_or(|of| of == recipient))
    }
}

impl OptOutBarrier {
    /// Nothing is under way.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let others = Others { recipients: Recent::new(KEPT_RECIPIENTS), attempts: VecDeque::new(), open: HashMap::new(), forgotten: None };
        Self { unbegun: Mutex::default(), changed: Notify::new(), others: Mutex::new(others), clock }
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
                if !self.under_way(recipient) {
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

    fn under_way(&self, recipient: RecipientId) -> bool {
        if self.unbegun.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&recipient) {
            return true;
        }
        self.others.lock().unwrap_or_else(PoisonError::into_inner).may_be_under_way(recipient, self.clock.monotonic())
    }
}

impl AfterCommit for OptOutBarrier {
    /// Of our own attempts it knows more; of whom they are for, it may have to know when others try.
    fn committed(&self, events: &[Arc<Recorded>]) {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if let Fact::Notification(NotificationEvent::Requested(requested)) = &event.fact {
                others.recipients.insert(event.number, requested.recipient);
            }
        }
    }

    fn learned(&self, events: &[Arc<Recorded>]) {
        let now = self.clock.monotonic();
        {
            let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
            events.iter().for_each(|event| others.learn(event, now));
        }
        // An outcome may be what somebody waits for.
        self.changed.notify_waiters();
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
