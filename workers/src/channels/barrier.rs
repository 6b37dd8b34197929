//! Holds the answer to an opt-out until the attempts that were recorded before it have begun or
//! lapsed. Attempts recorded after it cannot exist: their append expects the subscription as it
//! was. So once an unsubscribe is answered, no provider call for it begins.
//!
//! Of this replica's attempts it knows which have begun. Of other replicas' it asks the log when an
//! opt-out is to be answered: which were recorded (whoever appends has passed everything before his own)
//! and have no outcome. Those may be unbegun for as long as a call may take to begin, counted from when this
//! replica knew of their places, which is later than there. Keeping what others attempt at hand was
//! rejected: every replica would have to read all that happens for the sake of a few answers. So was asking
//! the other replicas: one that is stopped does not answer.

use commands::log::{AfterCommit, LogReader, Position, Recorded};
use commands::ports::Clock;
use domain::values::RecipientId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A call that has not begun this long after its record is not made.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(1);

/// How often the log is asked for an outcome that somebody waits for.
const ASK_AGAIN: Duration = Duration::from_millis(25);
/// How exactly it is known what was in the log at a time.
const GRAIN: Duration = Duration::from_millis(20);
/// Events that are looked through for attempts; where there are more, the answer waits for all to lapse.
const MOST_EVENTS: u64 = 100_000;

/// See the module.
pub struct OptOutBarrier {
    unbegun: Mutex<HashMap<RecipientId, u32>>,
    changed: Notify,
    /// What others attempt; nothing, where there are no others.
    others: Option<Arc<dyn LogReader>>,
    places: Mutex<Places>,
    clock: Arc<dyn Clock>,
}

/// How far the log was known to go, and when.
#[derive(Default)]
struct Places {
    newest: Option<(Duration, Position)>,
    /// Some of those before, in order; the first alone may be older than a call may take to begin.
    before: VecDeque<(Duration, Position)>,
    /// What this replica appended since: the first place and the last.
    own: VecDeque<(Position, Position)>,
}

/// Where the attempts are that may be unbegun, but for those of this replica.
struct Stretch {
    after: Position,
    upto: Position,
    own: Vec<(Position, Position)>,
}

/// An attempt that is being recorded or has been, and whose call has not begun. Registered
/// before the record is appended; dropping it says that the call begins or will not.
pub struct Unbegun {
    barrier: Arc<OptOutBarrier>,
    recipient: RecipientId,
}

impl Places {
    fn passed(&mut self, head: Position, now: Duration) {
        if self.newest.is_some_and(|(_, known)| known >= head) {
            return;
        }
        if let Some(newest) = self.newest.replace((now, head))
            && self.before.back().is_none_or(|(then, _)| newest.0.saturating_sub(*then) >= GRAIN)
        {
            self.before.push_back(newest);
        }
        while self.before.get(1).is_some_and(|(then, _)| lapsed(*then, now)) {
            self.before.pop_front();
        }
        let floor = self.before.front().map_or(0, |(_, place)| *place);
        while self.own.front().is_some_and(|(_, last)| *last <= floor) {
            self.own.pop_front();
        }
    }

    /// None where it is not known what has lapsed.
    fn stretch(&self, now: Duration) -> Option<Stretch> {
        let newest = self.newest?;
        let mut known = self.before.iter().chain([&newest]).rev();
        let after = known.find(|(then, _)| lapsed(*then, now))?.1;
        Some(Stretch { after, upto: newest.1, own: self.own.iter().copied().collect() })
    }
}

fn lapsed(then: Duration, now: Duration) -> bool {
    now.saturating_sub(then) >= BEGIN_WITHIN
}

impl Stretch {
    fn is_own(&self, place: Position) -> bool {
        self.own.iter().any(|(first, last)| (*first..=*last).contains(&place))
    }
}

impl OptOutBarrier {
    /// Of a process that is the only one. Nothing is under way.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { unbegun: Mutex::default(), changed: Notify::new(), others: None, places: Mutex::default(), clock }
    }

    /// Of one of several over the same log.
    pub fn among(others: Arc<dyn LogReader>, clock: Arc<dyn Clock>) -> Self {
        Self { others: Some(others), ..Self::new(clock) }
    }

    /// Registers an attempt that is about to be recorded.
    pub fn register(self: &Arc<Self>, recipient: RecipientId) -> Unbegun {
        *self.unbegun().entry(recipient).or_default() += 1;
        Unbegun { barrier: Arc::clone(self), recipient }
    }

    /// Waits until no attempt for a recipient is recorded and unbegun; at most until those that
    /// were have lapsed.
    pub async fn settled(&self, recipient: RecipientId) {
        self.all_settled(&BTreeSet::from([recipient])).await;
    }

    /// The same for many.
    pub async fn all_settled(&self, recipients: &BTreeSet<RecipientId>) {
        let lapsed = self.clock.sleep(BEGIN_WITHIN);
        let settled = async {
            // Both at once would not be quicker: what is ours is decided within this process.
            self.ours_settled(recipients).await;
            self.others_settled(recipients).await;
        };
        tokio::select! {
            () = settled => {}
            () = lapsed => {}
        }
    }

    async fn ours_settled(&self, recipients: &BTreeSet<RecipientId>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Whatever happens after the look wakes us.
            changed.as_mut().enable();
            if !recipients.iter().any(|recipient| self.unbegun().contains_key(recipient)) {
                return;
            }
            changed.await;
        }
    }

    async fn others_settled(&self, recipients: &BTreeSet<RecipientId>) {
        let Some(log) = &self.others else { return };
        let stretch = self.places().stretch(self.clock.monotonic());
        let Some(stretch) = stretch.filter(|stretch| stretch.upto.saturating_sub(stretch.after) <= MOST_EVENTS) else {
            // Whatever there is has lapsed when the caller stops waiting.
            return std::future::pending().await;
        };
        if stretch.after >= stretch.upto {
            return;
        }
        loop {
            match log.open_attempts(recipients.iter().copied().collect(), stretch.after, stretch.upto).await {
                Ok(open) if open.iter().all(|place| stretch.is_own(*place)) => return,
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "it cannot be found out what other replicas are about to call; an opt-out waits longer"),
            }
            self.clock.sleep(ASK_AGAIN).await;
        }
    }

    fn unbegun(&self) -> MutexGuard<'_, HashMap<RecipientId, u32>> {
        self.unbegun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AfterCommit for OptOutBarrier {
    /// Of our own attempts it knows more than the log.
    fn committed(&self, events: &[Arc<Recorded>]) {
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            self.places().own.push_back((first.position, last.position));
        }
    }

    fn learned(&self, _: &[Arc<Recorded>]) {}

    fn passed(&self, head: Position) {
        self.places().passed(head, self.clock.monotonic());
    }
}

impl Drop for Unbegun {
    fn drop(&mut self) {
        let mut unbegun = self.barrier.unbegun();
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
