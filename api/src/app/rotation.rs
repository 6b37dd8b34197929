//! Credentials that are in files are taken anew when the files change, without a restart.
//!
//! Guarantee: what is used is always a whole set that could be set up; a file that is missing, half
//! written or wrong changes nothing and is told. A file counts when it was found the same twice.
//! Rejected: a signal, which those who mount secrets into containers do not send; watching by the
//! operating system, which mounted secrets do not always tell.

use super::{callbacks, providers};
use crate::config::Config;
use crate::http::callbacks::CallbackDoor;
use commands::ports::Clock;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use workers::providers::Provider;
use workers::providers::rotating::Rotating;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// See the module.
pub struct Rotation {
    config: Config,
    providers: Vec<Arc<Rotating>>,
    files: Vec<PathBuf>,
    clock: Arc<dyn Clock>,
}

/// What is in the files, as far as it takes to see that it is another.
type Found = Vec<Option<u64>>;

impl Rotation {
    /// Wraps providers so that they can be given other credentials.
    pub fn new(config: &Config, providers: Vec<Arc<dyn Provider>>, clock: &Arc<dyn Clock>) -> Self {
        let providers = providers.into_iter().map(|provider| Arc::new(Rotating::new(provider))).collect();
        Self { config: config.clone(), providers, files: config.providers.credential_files(), clock: Arc::clone(clock) }
    }

    /// The wrapped ones.
    pub fn providers(&self) -> Vec<Arc<dyn Provider>> {
        self.providers.iter().map(|provider| Arc::<Rotating>::clone(provider) as Arc<dyn Provider>).collect()
    }

    /// Looks after the files until told to stop.
    pub async fn run(self, door: Option<Arc<CallbackDoor>>, stop: CancellationToken) {
        if self.files.is_empty() {
            return stop.cancelled().await;
        }
        let mut used = self.look().await;
        let mut seen = used.clone();
        loop {
            tokio::select! {
                () = self.clock.sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            let found = self.look().await;
            if found == seen && found != used {
                self.take(door.as_deref());
                used.clone_from(&found);
            }
            seen = found;
        }
    }

    async fn look(&self) -> Found {
        let files = self.files.clone();
        let looked = tokio::task::spawn_blocking(move || files.iter().map(|file| std::fs::read(file).ok().map(|bytes| digest(&bytes))).collect());
        // Only a panic could keep it from ending.
        looked.await.unwrap_or_default()
    }

    fn take(&self, door: Option<&CallbackDoor>) {
        let counted = |result: &'static str| metrics::counter!("bongsu_credential_rotations_total", "result" => result).increment(1);
        let set_up = providers::build(&self.config, &self.clock).and_then(|all| Ok((all, callbacks::build(&self.config, &self.clock)?)));
        match set_up {
            Ok((all, readers)) => {
                for provider in all {
                    if let Some(known) = self.providers.iter().find(|known| known.name() == provider.name()) {
                        known.replace(provider);
                    }
                }
                if let Some(door) = door {
                    door.replace(readers);
                }
                counted("taken");
                tracing::info!("credentials were changed in their files, and are used from now on");
            }
            Err(error) => {
                counted("refused");
                tracing::error!(%error, "credentials were changed in their files and cannot be used; the former ones go on");
            }
        }
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
