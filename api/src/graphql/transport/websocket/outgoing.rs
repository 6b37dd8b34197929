//! What waits to be sent to one client, and the writer.
//!
//! Guarantee: the queue is bounded; operations wait while it is full (so a long backlog flows at
//! the client's pace), and a client that takes nothing for `write_timeout` is cut off with 1013.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;

use super::close::{self, Close};

/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);

/// Sends until the queue's other end is dropped or the client does not keep up.
pub(super) async fn write(sink: &mut SplitSink<WebSocket, Message>, queue: &mut mpsc::Receiver<Message>, timeout: Duration) -> Close {
    while let Some(message) = queue.recv().await {
        match tokio::time::timeout(timeout, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return close::NORMAL,
            Err(_) => return close::SLOW,
        }
    }
    close::NORMAL
}

/// Says why and closes. A client that does not read gets no reason.
pub(super) async fn say_close(sink: &mut SplitSink<WebSocket, Message>, close: Close) {
    let message = Message::Close(Some(close.into()));
    // Failing means the client is gone, which is what was wanted.
    let _ = tokio::time::timeout(CLOSING, sink.send(message)).await;
}

/// Reads on for a moment, so that the client sees the close frame and not a reset connection.
pub(super) async fn drain(mut source: impl StreamExt<Item = Result<Message, axum::Error>> + Unpin) {
    let _ = tokio::time::timeout(CLOSING, async { while let Some(Ok(_)) = source.next().await {} }).await;
}

/// Closes a socket that never became a connection.
pub(super) async fn close(socket: WebSocket, close: Close) {
    let (mut sink, source) = socket.split();
    say_close(&mut sink, close).await;
    drain(source).await;
}
