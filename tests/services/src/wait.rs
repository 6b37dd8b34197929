//! Waiting for conditions, bounded; blocking, because drops and plain tests wait too.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Longest wait for something that must come true. Generous: busy machines run everything at once.
pub const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(5);

/// Asks again and again until there is an answer; `what` is told when none came.
///
/// # Errors
/// When asking failed, or no answer came in time.
#[allow(clippy::disallowed_methods, reason = "the deadline of a test, and the pause between two looks at a condition")]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("still not so after {PATIENCE:?}: {what}");
        }
        std::thread::sleep(GLANCE);
    }
}
