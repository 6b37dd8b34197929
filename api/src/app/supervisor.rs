//! Background tasks that cannot die silently: one that ends before it was told to, by a panic or
//! by itself, stops the whole server, loudly. Restarting it in place was rejected: what made it
//! panic is still there, and a process that starts anew begins from what is durable.

use std::future::Future;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// See the module.
#[derive(Debug, Clone)]
pub struct Supervisor {
    stop: CancellationToken,
    failed: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    /// `failed` is cancelled when a task ends untimely.
    pub fn new(failed: CancellationToken) -> Self {
        Self { stop: CancellationToken::new(), failed, tasks: TaskTracker::new() }
    }

    /// Runs a task under a name until it is told to stop.
    pub fn run<F>(&self, name: &str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let running = tokio::spawn(task(self.stop.clone()));
        let (stop, failed, name) = (self.stop.clone(), self.failed.clone(), name.to_owned());
        self.tasks.spawn(async move {
            let ended = running.await;
            if let Err(error) = &ended {
                tracing::error!(task = name, %error, "a background task broke off; the server stops");
                failed.cancel();
            } else if !stop.is_cancelled() {
                tracing::error!(task = name, "a background task ended by itself; the server stops");
                failed.cancel();
            }
        });
    }

    /// Tells the tasks to stop and waits for them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
