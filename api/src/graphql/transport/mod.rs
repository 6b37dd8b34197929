//! GraphQL over HTTP, WebSocket and server-sent events, for any async-graphql schema.
//!
//! Guarantees: a caller is authenticated before its body is read; nothing unbounded is read,
//! parsed, executed or queued; every error that leaves carries a stable `extensions.code`;
//! the GraphQL-over-HTTP audits pass (`tests/graphql-http-audit`). What clients see, close codes
//! included, is written down in `docs/graphql-transport.md`.
//!
//! Rejected: `async-graphql-axum`. It runs mutations over GET and over `text/plain` POSTs (CSRF),
//! accepts array batches, and answers protocol mistakes on a WebSocket with the wrong close codes.
//!
//! - [`bounds`]: what a request may cost, and how the schema is told.
//! - [`authenticate`]: the port by which callers are known.
//! - [`settings`]: limits of connections, bodies and times.
//! - [`document`]: parsed query documents, measured once and kept.
//! - [`error`]: the codes.
//! - `params`, `body`, `negotiate`, `respond`, `http`: one HTTP request.
//! - `operation`: from parameters to a running operation, shared by all three transports.
//! - `websocket`, `sse`: many answers to one request.
//! - `graphiql`: the explorer, from our own files.

mod body;
mod graphiql;
mod http;
mod negotiate;
mod operation;
mod params;
mod respond;
mod sse;
mod state;
mod watch;
mod websocket;

pub mod authenticate;
pub mod bounds;
pub mod document;
pub mod error;
pub mod settings;

pub use authenticate::{AuthFailure, Authenticate, Principal};
pub(crate) use body::drain;
pub use bounds::{Bounds, apply};
pub use settings::TransportSettings;

use std::sync::Arc;

use async_graphql::Executor;
use axum::Router;
use axum::extract::Request;
use axum::routing::any;

use state::Transport;

/// The routes `/graphql` (POST, GET, WebSocket upgrade, event stream) and, unless switched off,
/// `/graphiql` with its files.
///
/// Build the schema with [`bounds::apply`] and the same [`Bounds`] as in `settings`. Resolvers
/// find the principal in their context as `A::Principal`.
pub fn router<E, A>(schema: E, auth: Arc<A>, settings: TransportSettings) -> Router
where
    E: Executor,
    A: Authenticate,
{
    let with_graphiql = settings.graphiql;
    let transport = Arc::new(Transport::new(schema, auth, settings));
    let graphql = Router::new().route(
        "/graphql",
        any(move |request: Request| {
            let transport = Arc::clone(&transport);
            async move { http::handle(transport, request).await }
        }),
    );
    if with_graphiql { graphql.merge(graphiql::router()) } else { graphql }
}

#[cfg(test)]
mod tests;
