//! Asking Postgres from a thread of one's own, such as the committer's.
//!
//! With a runtime of its own, driven by whoever waits: no other thread is woken for an answer, and it
//! ends when its owner does. The server's runtime was rejected for it: that one may be gone before the
//! committer's thread has ended.

use crate::database::DatabaseError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Longest wait for an answer. A server that hangs must not hold up those who wait for us.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// See the module. Clones share the runtime. Must not wait on a runtime's threads.
#[derive(Debug, Clone)]
pub struct Blocking(Arc<Owned>);

#[derive(Debug)]
struct Owned {
    runtime: Option<Runtime>,
    answer_within: Duration,
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // May be the last thing that a task of another runtime does, which must not wait.
            runtime.shutdown_background();
        }
    }
}

impl Blocking {
    /// Makes the runtime.
    pub fn new() -> std::io::Result<Self> {
        Self::patient(ANSWER_WITHIN)
    }

    /// For whoever is waited for by nobody else: gives a server up after so long.
    pub fn patient(answer_within: Duration) -> std::io::Result<Self> {
        let runtime = Some(Builder::new_current_thread().enable_all().build()?);
        Ok(Self(Arc::new(Owned { runtime, answer_within })))
    }

    /// Makes something that belongs to the runtime, such as a pool; anywhere.
    pub fn make<T>(&self, make: impl FnOnce() -> T) -> T {
        let _entered = self.0.runtime.as_ref().map(Runtime::enter);
        make()
    }

    /// Waits for an answer.
    pub fn wait<T, E: From<DatabaseError>>(&self, asking: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match &self.0.runtime {
            Some(runtime) => {
                runtime.block_on(async { tokio::time::timeout(self.0.answer_within, asking).await.unwrap_or_else(|_| Err(DatabaseError::NoAnswer.into())) })
            }
            None => Err(DatabaseError::NoAnswer.into()),
        }
    }
}
