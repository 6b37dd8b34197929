//! Time as a port. Nothing else may read a clock (`clippy.toml` forbids it).

use crate::failpoint;
use domain::values::Millis;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

/// Wall time, monotonic time and waiting.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> Millis;
    /// Time since some fixed moment; never runs backwards.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// How often who sleeps looks at a clock that a test moves.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the port's one adapter to the machine's clock")]
    fn default() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the port's one adapter to the machine's clock")]
    fn now(&self) -> Millis {
        chrono::Utc::now().timestamp_millis() + Millis::try_from(failpoint::clock_ahead().as_millis()).unwrap_or(0)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed() + failpoint::clock_ahead()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the port's one adapter to the machine's clock")]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if !failpoint::clock_moves() {
            return Box::pin(tokio::time::sleep(duration));
        }
        let (started, due) = (self.started, self.monotonic() + duration);
        Box::pin(async move {
            while let Some(left) = due.checked_sub(started.elapsed() + failpoint::clock_ahead()).filter(|left| !left.is_zero()) {
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// A clock that a test moves by hand. Sleepers wake when it is moved past their moment.
#[derive(Debug)]
pub struct ManualClock {
    elapsed: Mutex<Duration>,
    start: Millis,
    moved: tokio::sync::watch::Sender<Duration>,
}

impl ManualClock {
    /// A clock that stands at this moment.
    pub fn at(start: Millis) -> Self {
        Self { elapsed: Mutex::new(Duration::ZERO), start, moved: tokio::sync::watch::Sender::new(Duration::ZERO) }
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let now = {
            let mut elapsed = self.elapsed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *elapsed += by;
            *elapsed
        };
        self.moved.send_replace(now);
    }

    /// How many wait for it to move.
    pub fn sleepers(&self) -> usize {
        self.moved.receiver_count()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.start + Millis::try_from(self.monotonic().as_millis()).unwrap_or(0)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let due = self.monotonic() + duration;
        let mut moved = self.moved.subscribe();
        Box::pin(async move {
            if moved.wait_for(|now| *now >= due).await.is_err() {
                // The clock is gone, and with it whoever waited.
                std::future::pending::<()>().await;
            }
        })
    }
}
