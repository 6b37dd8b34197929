//! A simulator of KurrentDB for tests, since no package offers the server itself.
//!
//! The wire is not our reading of the protocol: the server's side is generated from the official
//! definitions, and the official client talks to it. What it checks is written after the server's
//! own rules: expected revisions, repeats recognised by event id, revisions without gaps, and one
//! order of everything in `$all`.
//!
//! - [`store`]: streams and `$all`; the rules of appending.
//! - [`append`], [`read`]: the calls.
//! - [`faults`]: what a test may let go wrong, such as an answer that is lost.
//! - [`connections`]: the listener, whose connections can be cut.
//!
//! Not there, and refused as unimplemented: deleting, persistent subscriptions, gossip, filters by
//! regular expression, TLS. A single node without TLS is what it plays.

#![allow(clippy::result_large_err, reason = "tonic's traits want its Status as it is")]

mod append;
mod connections;
pub mod faults;
mod protocol;
mod read;
mod service;
mod store;

pub use faults::Faults;
pub use store::{Appended, Expected, NewEvent, Record, Refused, Store};

use connections::Connections;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A running simulator; it ends when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

/// What all calls see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) connections: Connections,
}

impl Simulator {
    /// Starts one on a free port of this machine.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let server = tokio::spawn(service::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// How clients are told of it. They wait as long as `discoveryInterval` (ms) before each
    /// connection, also the first.
    pub fn connection_string(&self) -> String {
        format!("esdb://{}?tls=false&discoveryInterval=10", self.address)
    }

    /// What is stored, to look at or to tamper with.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What may go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Cuts every connection there is.
    pub fn cut(&self) {
        self.shared.connections.cut();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        self.shared.connections.cut();
    }
}
