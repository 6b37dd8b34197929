//! A read model in a store of its own.

use super::stores::{Dump, Store};
use crate::registry::Registration;
use crate::store::Projection;
use commands::consumer::Changes;
use commands::log::Recorded;
use std::sync::Arc;

pub struct View<S> {
    pub projection: Arc<Projection>,
    registration: Registration,
    store: S,
}

impl<S: Store> View<S> {
    pub async fn new(registration: Registration) -> Self {
        let store = S::new().await;
        Self { projection: Arc::new(store.open(registration).await), registration, store }
    }

    /// Takes one batch in, as the runner does.
    pub async fn take(&self, events: &[Arc<Recorded>]) {
        let mut changes = Changes::default();
        (self.registration.consumer)().handle(events, &mut changes).unwrap();
        let checkpoint = events.last().map_or(0, |event| event.position);
        self.projection.serving().rows().apply(self.registration.name, changes, checkpoint).await.unwrap();
    }

    /// Every row of every table, in order.
    pub async fn dump(&self) -> Dump {
        self.store.dump(&self.projection).await
    }
}
