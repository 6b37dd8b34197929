//! What every request of one router shares.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::authenticate::Authenticate;
use super::document::DocumentCache;
use super::settings::TransportSettings;

/// Schema, port, settings and caches of one router.
pub(super) struct Transport<E, A> {
    pub schema: E,
    pub auth: Arc<A>,
    pub settings: TransportSettings,
    pub documents: DocumentCache,
    /// One permit for each long-lived connection.
    pub connections: Arc<Semaphore>,
}

impl<E, A: Authenticate> Transport<E, A> {
    pub fn new(schema: E, auth: Arc<A>, settings: TransportSettings) -> Self {
        Self {
            documents: DocumentCache::new(settings.cached_documents, settings.cached_query_bytes),
            connections: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            schema,
            auth,
            settings,
        }
    }
}
