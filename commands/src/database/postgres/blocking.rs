//! Asking Postgres from a thread of one's own, such as the committer's.

use crate::database::DatabaseError;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest wait for an answer. A server that hangs must not hold up those who wait for us.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The runtime that drives the connections. Must not be used on the runtime's own threads.
#[derive(Debug, Clone)]
pub struct Blocking(Handle);

impl Blocking {
    /// On this runtime.
    pub const fn on(runtime: Handle) -> Self {
        Self(runtime)
    }

    /// Waits for an answer.
    pub fn wait<T, E: From<DatabaseError>>(&self, asking: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.0.block_on(async { tokio::time::timeout(ANSWER_WITHIN, asking).await.unwrap_or_else(|_| Err(DatabaseError::NoAnswer.into())) })
    }
}
