//! GraphQL over WebSocket: the `graphql-transport-ws` protocol.
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>
//!
//! - here: the upgrade, with the checks that need its headers.
//! - `message`: what is said. - `close`: the codes. - `connection`: the loop.
//! - `outgoing`: the bounded queue and the writer that cuts slow clients.
//!
//! Rejected: async-graphql's own loop, for its wrong or malformed close codes.

mod close;
mod connection;
mod message;
mod outgoing;

use std::sync::Arc;

use async_graphql::Executor;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;

use super::authenticate::Authenticate;
use super::error::{RequestError, code};
use super::negotiate::Format;
use super::state::Transport;
use super::{respond, sse};

const PROTOCOL: &str = "graphql-transport-ws";

/// True for a request that asks to become a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Checks the origin and hands the socket to its loop.
pub(super) async fn upgrade<E: Executor, A: Authenticate>(transport: Arc<Transport<E, A>>, mut parts: Parts) -> Response<Body> {
    if !origin_allowed(&parts.headers, &transport.settings.allowed_origins) {
        let error = RequestError::new(code::ORIGIN_FORBIDDEN, "Pages of this origin may not connect; ask the operator to allow it.");
        return respond::refuse(StatusCode::FORBIDDEN, error, Format::Json);
    }
    let Ok(permit) = Arc::clone(&transport.connections).try_acquire_owned() else {
        return respond::refuse(StatusCode::SERVICE_UNAVAILABLE, sse::busy(), Format::Json);
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let limit = transport.settings.body_bytes;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(limit).max_frame_size(limit).write_buffer_size(0);
    let known = upgrade.selected_protocol().is_some();
    let tasks = transport.settings.connections.clone();
    let headers = parts.headers;
    upgrade.on_upgrade(move |socket| {
        tasks.track_future(async move {
            if known {
                connection::serve(transport, headers, socket).await;
            } else {
                outgoing::close(socket, close::SUBPROTOCOL).await;
            }
            drop(permit);
        })
    })
}

/// Browsers send `Origin` and let any page open a WebSocket, so foreign pages are refused here.
/// A page of this very server is not foreign. Callers without `Origin` are not browsers.
fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .zip(origin.split_once("://"))
        .is_some_and(|(host, (_, authority))| authority.eq_ignore_ascii_case(host));
    own || allowed.iter().any(|known| known.eq_ignore_ascii_case(origin))
}
