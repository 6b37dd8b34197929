//! The database's clock, which all replicas share: told now and then, and kept going in between by the
//! machine's monotonic clock. So a machine whose wall clock is wrong neither sends early nor late.

use super::{Clock, SystemClock};
use crate::failpoint;
use domain::values::Millis;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// An answer that took longer says too little about now, unless what is known took longer still: two
/// replicas may differ by half of it, and a retry be as early.
const USEFUL: Duration = Duration::from_millis(50);

/// See the module. Until it is told the first time it is the machine's.
#[derive(Debug, Default)]
pub struct DatabaseClock {
    machine: SystemClock,
    told: AtomicBool,
    /// How long the answer took that is gone by, in ms.
    took: AtomicI64,
    /// What the database's clock said when the monotonic one was 0.
    start: AtomicI64,
}

impl DatabaseClock {
    /// Takes what the database said between two moments of the monotonic clock.
    pub fn learn(&self, said: Millis, asked: Duration, answered: Duration) {
        let took = answered.saturating_sub(asked);
        if self.told.load(Ordering::Acquire) && took > USEFUL && millis(took) > self.took.load(Ordering::Acquire) {
            return;
        }
        self.took.store(millis(took), Ordering::Release);
        // Whoever lets hours pass here does not tell the database.
        let said = said + millis(failpoint::clock_ahead());
        self.start.store(said - millis(asked + took / 2), Ordering::Release);
        self.told.store(true, Ordering::Release);
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

impl Clock for DatabaseClock {
    fn now(&self) -> Millis {
        if self.told.load(Ordering::Acquire) { self.start.load(Ordering::Acquire) + millis(self.machine.monotonic()) } else { self.machine.now() }
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.machine.sleep(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_by_what_it_was_told_and_ignores_slow_answers() {
        let clock = DatabaseClock::default();
        let ms = Duration::from_millis;
        clock.learn(1_000_000, ms(0), ms(2));
        let now = clock.now();
        assert!((1_000_000 - 1..1_000_000 + 60_000).contains(&now), "{now}");
        clock.learn(9_000_000, ms(0), ms(400));
        assert!(clock.now() < 2_000_000);
        clock.learn(3_000_000, ms(0), ms(40));
        assert!(clock.now() >= 3_000_000 - 20);
    }

    #[test]
    fn a_slow_first_answer_gives_way_to_a_quicker_one() {
        let clock = DatabaseClock::default();
        let ms = Duration::from_millis;
        clock.learn(1_000_000, ms(0), ms(900));
        clock.learn(2_000_000, ms(0), ms(400));
        assert!(clock.now() >= 2_000_000 - 200);
        clock.learn(9_000_000, ms(0), ms(500));
        assert!(clock.now() < 3_000_000);
    }
}
