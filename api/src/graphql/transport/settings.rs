//! Limits of bodies, connections and waiting times, with defaults fit for production.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bounds::Bounds;

/// How the transport behaves. Start from `Default` and change what differs.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// What one document may cost; give the same to [`super::apply`].
    pub bounds: Bounds,
    /// Bytes of a request body or of a WebSocket message.
    pub body_bytes: usize,
    /// Time for a whole body to arrive, and then for its turn if it is a large one.
    pub body_timeout: Duration,
    /// Bytes of large bodies (more than 16 KiB) that are parsed and executed at once: the others
    /// wait for their turn, since a body takes some ten times its size while it is executed.
    pub executing_bytes: usize,
    /// Parsed documents kept, over all shards.
    pub cached_documents: usize,
    /// Longest query text that is kept, in bytes.
    pub cached_query_bytes: usize,
    /// Origins that may open a WebSocket besides the server's own, as browsers write them
    /// (`https://app.example.com`). Callers without an `Origin` are not browsers and may.
    pub allowed_origins: Vec<String>,
    /// Serve `/graphiql`.
    pub graphiql: bool,
    /// Open WebSockets and event streams together; past it 503.
    pub max_connections: usize,
    /// Time for `connection_init` to arrive on a WebSocket.
    pub init_timeout: Duration,
    /// Operations running at once on one WebSocket.
    pub max_operations: usize,
    /// Messages waiting for one client.
    pub outgoing_queue: usize,
    /// A client that takes no message for so long is cut off.
    pub write_timeout: Duration,
    /// Pause between pings on a WebSocket and heartbeats on an event stream. A WebSocket silent
    /// for two of them is closed.
    pub heartbeat: Duration,
    /// Pause between two looks at an open connection's credential.
    pub recheck: Duration,
    /// Cancelled when the server shuts down: WebSockets close with 1001, event streams end.
    pub shutdown: CancellationToken,
    /// Holds every long-lived connection; wait on it after cancelling `shutdown`.
    pub connections: TaskTracker,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            body_bytes: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            executing_bytes: 4 * 1024 * 1024,
            cached_documents: 1_024,
            cached_query_bytes: 16 * 1024,
            allowed_origins: Vec::new(),
            graphiql: true,
            max_connections: 10_000,
            init_timeout: Duration::from_secs(5),
            max_operations: 100,
            outgoing_queue: 64,
            write_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            recheck: Duration::from_secs(5),
            shutdown: CancellationToken::new(),
            connections: TaskTracker::new(),
        }
    }
}
