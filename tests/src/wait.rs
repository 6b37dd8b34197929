//! Waiting for conditions, never for time alone.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Longest wait for something that must come true. Generous: two busy cores run everything.
pub const PATIENCE: Duration = Duration::from_secs(45);
/// Looks by which something is taken to be over.
const STILL: usize = 12;
const GLANCE: Duration = Duration::from_millis(25);

/// Asks again and again until there is an answer; `what` is told when none came.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if now() > deadline {
            bail!("still not so after {PATIENCE:?}: {what}");
        }
        glance().await;
    }
}

/// Waits until what is looked at has stayed the same for some looks.
pub async fn until_still<T: PartialEq>(what: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<()> {
    let (mut last, mut same) = (None, 0);
    until(what, async || {
        let now = Some(ask().await?);
        same = if now == last { same + 1 } else { 0 };
        last = now;
        Ok((same >= STILL).then_some(()))
    })
    .await
}

/// The pause between two looks.
#[allow(clippy::disallowed_methods, reason = "the one place where a test sleeps: between two looks at a condition")]
async fn glance() {
    tokio::time::sleep(GLANCE).await;
}

/// The test's own clock; the server has its port.
#[allow(clippy::disallowed_methods, reason = "the deadline of a test, outside the server")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}
