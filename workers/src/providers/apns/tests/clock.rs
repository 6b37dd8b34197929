//! A clock whose two hands a test moves apart, as sleep and a set clock do.

use commands::ports::{Clock, SystemClock};
use domain::values::Millis;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

#[derive(Default)]
pub(super) struct ShiftedClock {
    system: SystemClock,
    wall_ms: AtomicI64,
    running_ms: AtomicU64,
}

impl ShiftedClock {
    pub(super) fn shift_wall(&self, by: Duration) {
        self.wall_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub(super) fn shift_running(&self, by: Duration) {
        self.running_ms.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Millis {
        self.system.now() + self.wall_ms.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + Duration::from_millis(self.running_ms.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.system.sleep(duration)
    }
}
