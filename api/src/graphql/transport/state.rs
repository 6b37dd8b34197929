//! What every request of one router shares.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::authenticate::Authenticate;
use super::document::DocumentCache;
use super::settings::TransportSettings;

/// Bodies up to this size never wait: what they take is bounded by the connections.
const SMALL: usize = 16 * 1024;

/// Schema, port, settings and caches of one router.
pub(super) struct Transport<E, A> {
    pub schema: E,
    pub auth: Arc<A>,
    pub settings: TransportSettings,
    pub documents: DocumentCache,
    /// One permit for each long-lived connection.
    pub connections: Arc<Semaphore>,
    /// One permit for each byte of a large body that is executed.
    executing: Arc<Semaphore>,
}

impl<E, A: Authenticate> Transport<E, A> {
    pub fn new(schema: E, auth: Arc<A>, settings: TransportSettings) -> Self {
        Self {
            documents: DocumentCache::new(settings.cached_documents, settings.cached_query_bytes),
            connections: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            executing: Arc::new(Semaphore::new(settings.executing_bytes.clamp(1, u32::MAX as usize))),
            schema,
            auth,
            settings,
        }
    }

    /// Waits until a body of this size may be parsed and executed; the answer is to be held until
    /// that is done. Nothing where it did not come to its turn in time.
    pub async fn turn(&self, bytes: usize) -> Option<Turn> {
        if bytes <= SMALL {
            return Some(Turn(None));
        }
        let wanted = u32::try_from(bytes.min(self.settings.executing_bytes)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.executing).acquire_many_owned(wanted);
        let permit = tokio::time::timeout(self.settings.body_timeout, permit).await.ok()?;
        permit.ok().map(|permit| Turn(Some(permit)))
    }
}

/// A body's turn; over when it is dropped.
pub(super) struct Turn(#[expect(dead_code, reason = "held, not looked at")] Option<OwnedSemaphorePermit>);
