//! Listening and serving HTTP for FCM, APNs, webhooks and administration.
//!
//! Guarantee: bounded connections and bodies; every connection task is tracked and ends at shutdown. A fault that
//! closes the connection drops all its streams, as a lost connection does. Rejected: axum for the providers, whose
//! handlers cannot close a connection without an answer.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fault::{Reply, answer};

/// Most simultaneous connections of one simulator.
const MAX_CONNECTIONS: usize = 4_096;
/// Pause after a failed accept (out of file descriptors), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Which HTTP versions a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/1.1 and HTTP/2 with prior knowledge.
    Both,
    /// HTTP/2 only.
    Http2,
}

/// One simulated HTTP provider.
pub(crate) trait HttpSimulator: Send + Sync + 'static {
    /// Largest request body read, in bytes.
    const MAX_BODY: usize;
    /// What is remembered per connection.
    type Connection: Send + Sync + 'static;

    fn handle(&self, connection: &Self::Connection, head: Parts, body: Bytes) -> impl Future<Output = Reply> + Send;

    /// Sends GOAWAY with a reason where the connection can; false elsewhere.
    fn goaway(_connection: &Self::Connection, _reason: &str) -> bool {
        false
    }
}

/// Ends the stream without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulator ended the stream without an answer")]
struct NoAnswer;

/// Accepts connections until `stop`, each handled by `connected` in a tracked task.
pub(crate) async fn accept<F>(listener: TcpListener, tracker: TaskTracker, stop: CancellationToken, connected: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else {
            super::clock::pause(ACCEPT_PAUSE).await;
            continue;
        };
        // Small answers must not wait for more bytes; a socket that refuses the option still works.
        let _ = socket.set_nodelay(true);
        let connection = connected(socket);
        let stop = stop.clone();
        tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection => {}
            }
            drop(permit);
        });
    }
}

/// Serves one connection until it ends or a fault closes it.
pub(crate) async fn serve<S, I>(simulator: Arc<S>, connection: S::Connection, io: I, versions: Versions)
where
    S: HttpSimulator,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let close = CancellationToken::new();
    let connection = Arc::new(connection);
    let service = {
        let close = close.clone();
        service_fn(move |request: Request<Incoming>| {
            let (simulator, connection) = (Arc::clone(&simulator), Arc::clone(&connection));
            let close = close.clone();
            async move { respond(&*simulator, &connection, request, &close).await }
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(1_000);
    if versions == Versions::Http2 {
        builder = builder.http2_only();
    }
    tokio::select! {
        biased;
        () = close.cancelled() => {}
        // How a connection ends is the client's business: there is nobody to report it to.
        _ = builder.serve_connection(TokioIo::new(io), service) => {}
    }
}

async fn respond<S: HttpSimulator>(
    simulator: &S,
    connection: &S::Connection,
    request: Request<Incoming>,
    close: &CancellationToken,
) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, S::MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Ok(answer(413, "text/plain", "request body too large"));
        }
        Err(_) => return Err(NoAnswer),
    };
    match simulator.handle(connection, head, body).await {
        Reply::Answer(answer) => Ok(answer),
        Reply::RstStream => Err(NoAnswer),
        Reply::Hang => pending().await,
        Reply::Goaway(reason) if S::goaway(connection, &reason) => pending().await,
        Reply::Close | Reply::Goaway(_) => {
            close.cancel();
            pending().await
        }
    }
}
