//! A simulator of Mozilla's push service (autopush), to which a real Firefox connects.
//!
//! One port has both sides: browsers hold a WebSocket (`hello`, `register`, `notification`, `ack`,
//! `unregister`), application servers post to the endpoints that browsers were given (RFC 8030, RFC 8292).
//! What is posted is handed on unread: only the browser has the keys, and its `ack` says whether it could
//! decrypt what came. Written after <https://mozilla-services.github.io/autopush-rs/> and the browser's own
//! side of it.
//!
//! - [`Message`]: what was posted, and what became of it.
//! - `state`: browsers, their subscriptions and messages.
//! - `socket`: the browser's side.
//! - `endpoint`, `vapid`: the application server's side.
//!
//! Not there: receipts, broadcasts, messages that expire, encodings other than `aes128gcm`, TLS. Rejected:
//! the simulator of browsers that `bongsu simulate` has, which decrypts by the server's own code.

mod endpoint;
mod socket;
mod state;
mod vapid;

pub use state::Message;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::routing::{any, post};
use state::State;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The subprotocol that browsers ask for.
const PROTOCOL: &str = "push-notification";

/// A running push service; it ends when this is dropped.
#[derive(Debug)]
pub struct PushService {
    address: SocketAddr,
    state: Arc<State>,
    server: tokio::task::JoinHandle<()>,
}

impl PushService {
    /// Starts one on a free port of this machine.
    ///
    /// # Errors
    /// No port can be listened on.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(format!("http://{address}")));
        let router = routes(&state);
        let server = tokio::spawn(async move {
            // Ends only where the listener does, and then with nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, state, server })
    }

    /// What a Firefox is told of it: the preference `dom.push.serverURL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// Everything that was taken for browsers, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.state.messages()
    }

    /// Changes one bit of the next message that is posted, as somebody in between could.
    pub fn spoil_next(&self) {
        self.state.spoil_next();
    }

    /// How many subscriptions there are that were not given up.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.state.subscriptions()
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn routes(state: &Arc<State>) -> Router {
    let (browsers, senders) = (Arc::clone(state), Arc::clone(state));
    Router::new()
        .route("/", any(async move |upgrade: WebSocketUpgrade| upgrade.protocols([PROTOCOL]).on_upgrade(move |socket| socket::talk(socket, browsers))))
        .route(
            &format!("{}{{channel}}", endpoint::PATH),
            post(async move |channel: Path<String>, headers: HeaderMap, body: Bytes| endpoint::take(&senders, &channel, &headers, &body)),
        )
}
