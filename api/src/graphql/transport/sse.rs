//! Server-sent events: the distinct connections mode of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.
//!
//! Each answer is a `next` event, the end a `complete` event. A stream that ends without
//! `complete` was cut (shutdown, slow client, credential no longer valid): the client connects
//! again. A producer of its own feeds a bounded queue, since a stalled client would otherwise
//! keep the operation, which only runs while the client reads.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::Executor;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::ReceiverStream;

use super::authenticate::Authenticate;
use super::error::{RequestError, code};
use super::negotiate::Format;
use super::operation::{Answer, Prepared};
use super::respond;
use super::state::Transport;

/// Begins the stream.
pub(super) fn open<E: Executor, A: Authenticate>(transport: Arc<Transport<E, A>>, prepared: Prepared, principal: A::Principal) -> Response<Body> {
    let Ok(permit) = Arc::clone(&transport.connections).try_acquire_owned() else {
        return respond::refuse(StatusCode::SERVICE_UNAVAILABLE, busy(), Format::Json);
    };
    let (queue, events) = mpsc::channel(transport.settings.outgoing_queue.max(1));
    let tasks = transport.settings.connections.clone();
    tasks.spawn(async move {
        produce(&transport, prepared, principal, queue).await;
        drop(permit);
    });
    let body = ReceiverStream::new(events).map(Ok::<Bytes, Infallible>);
    let mut http = Response::new(Body::from_stream(body));
    let headers = http.headers_mut();
    headers.insert(header::CONTENT_TYPE, Format::EventStream.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks nginx not to hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    http
}

/// No connection is free.
pub(super) fn busy() -> RequestError {
    RequestError::new(code::TOO_MANY_CONNECTIONS, "All connections are taken; try again later.")
}

async fn produce<E: Executor, A: Authenticate>(transport: &Arc<Transport<E, A>>, prepared: Prepared, principal: A::Principal, queue: mpsc::Sender<Bytes>) {
    let settings = &transport.settings;
    let mut answers = transport.stream(prepared);
    let watch = transport.watch(&principal);
    tokio::pin!(watch);
    let mut heartbeat = tokio::time::interval(settings.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (event, last) = tokio::select! {
            () = settings.shutdown.cancelled() => return,
            () = queue.closed() => return,
            _ = &mut watch => return,
            answer = answers.next() => match answer {
                Some(answer) => (next(&answer), false),
                None => (Bytes::from_static(b"event: complete\ndata:\n\n"), true),
            },
            _ = heartbeat.tick() => (Bytes::from_static(b":\n\n"), false),
        };
        let sent = tokio::select! {
            () = settings.shutdown.cancelled() => return,
            sent = tokio::time::timeout(settings.write_timeout, queue.send(event)) => sent,
        };
        if last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

fn next(answer: &Answer) -> Bytes {
    const START: &[u8] = b"event: next\ndata: ";
    // JSON from serde_json has no raw line breaks, so one `data` line holds it.
    let json = respond::to_json(&answer.response, answer.phase);
    let mut event = Vec::with_capacity(START.len() + json.len() + 2);
    event.extend_from_slice(START);
    event.extend_from_slice(&json);
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}
