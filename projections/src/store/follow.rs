//! Following what other processes do with read models that are shared: which generation serves, and
//! how far its consumer has come where it runs elsewhere.
//!
//! By asking: seldom, and often while somebody waits for a position. Notifications of Postgres were
//! rejected for it: they are lost with their connection, so that one would have to ask all the same.

use super::ReadModels;
use super::error::ReadError;
use super::projection::Projection;
use commands::database::DatabaseError;
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often to ask while somebody waits.
const HURRY: Duration = Duration::from_millis(20);

impl Projection {
    /// Notices what other processes have done; of read models in files there is nothing to notice.
    pub async fn refresh(&self) -> Result<(), ReadError> {
        if !self.store.is_shared() {
            return Ok(());
        }
        self.follow_switch().await?;
        let serving = self.serving();
        let position = serving.rows().checkpoint(self.name()).await?;
        serving.progress().learn(position);
        Ok(())
    }

    /// Takes the generation that another process has let serve.
    pub(super) async fn follow_switch(&self) -> Result<(), DatabaseError> {
        let _switching = self.switching.lock().await;
        if let Some(fresh) = self.store.moved(&self.registration, self.serving().number()).await? {
            let position = fresh.rows().checkpoint(self.name()).await.map_err(|error| DatabaseError::BrokenOff(error.to_string()))?;
            fresh.progress().learn(position);
            tracing::info!(model = self.name(), generation = fresh.number(), "another process has let another generation serve");
            self.serving.send_replace(Arc::new(fresh));
        }
        Ok(())
    }

    /// [Notices](Self::refresh) again and again, until told to stop.
    pub async fn follow(&self, clock: &dyn Clock, every: Duration, stop: &CancellationToken) {
        if !self.store.is_shared() {
            return;
        }
        while !stop.is_cancelled() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(model = self.name(), ?error, "a read model that others may have moved could not be asked");
            }
            let serving = self.serving();
            let position = serving.progress().position();
            let mut wanted = serving.progress().wanted();
            let elsewhere = !*self.running.borrow();
            let hurried = async {
                // The sender lives as long as the generation, which is held.
                let _ = wanted.wait_for(|wanted| elsewhere && *wanted > position).await;
                clock.sleep(HURRY.min(every)).await;
            };
            tokio::select! {
                () = clock.sleep(every) => {}
                () = hurried => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

impl ReadModels {
    /// Keeps this process's view of shared read models up to date until told to stop: run it once in
    /// every process. A switch is noticed within `every`, or by a read that fails for it.
    pub async fn follow(&self, clock: Arc<dyn Clock>, every: Duration, stop: CancellationToken) {
        let models = self.all().iter().map(|model| model.follow(&*clock, every, &stop));
        futures_util::future::join_all(models).await;
    }
}
