//! A provider whose credentials can change while it runs: calls that begin use the newest, calls under
//! way end with those that they began with. Rejected: credentials that are read at each call, which
//! every provider would have to do, and which puts a file between a notification and its provider.

use super::{Call, Message, Provider};
use domain::values::Channel;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

/// See the module.
pub struct Rotating {
    name: String,
    channel: Channel,
    concurrency: usize,
    current: RwLock<Arc<dyn Provider>>,
}

impl Rotating {
    /// With the credentials that it has now.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        let (name, channel, concurrency) = (provider.name().to_owned(), provider.channel(), provider.concurrency());
        Self { name, channel, concurrency, current: RwLock::new(provider) }
    }

    /// Uses others from the next call on.
    pub fn replace(&self, provider: Arc<dyn Provider>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = provider;
    }

    fn current(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Provider for Rotating {
    fn name(&self) -> &str {
        &self.name
    }

    fn channel(&self) -> Channel {
        self.channel
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        let current = self.current();
        Box::pin(async move { current.send(message).await })
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let current = self.current();
        Box::pin(async move { current.check().await })
    }
}
