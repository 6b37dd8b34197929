//! The protocol as <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md> has it,
//! spoken by an independent WebSocket client.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::toy::{Toy, toy};
use crate::graphql::transport::TransportSettings;

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Serves a toy on a port of its own.
pub async fn listen(toy: &Toy) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = toy.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("127.0.0.1:{}", address.port())
}

pub async fn connect(address: &str, headers: &[(&'static str, &str)]) -> Result<Client, tungstenite::Error> {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (socket, _) = tokio_tungstenite::connect_async(request).await?;
    Ok(Client { socket })
}

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

impl Client {
    pub async fn open(address: &str) -> Self {
        connect(address, &[PROTOCOL]).await.unwrap()
    }

    /// Connected and acknowledged.
    pub async fn ready(address: &str, key: &str) -> Self {
        let mut client = Self::open(address).await;
        client.init(key).await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    pub async fn init(&mut self, key: &str) {
        let payload = json!({ "Authorization": format!("Bearer {key}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next text message.
    pub async fn hear(&mut self) -> Value {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code and reason with which the server closes; messages before it are skipped.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Close(Some(frame)) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Message::Close(None) => panic!("closed without a code"),
                _ => {}
            }
        }
    }
}

pub fn quick() -> TransportSettings {
    TransportSettings { recheck: Duration::from_millis(10), max_operations: 2, ..TransportSettings::default() }
}

#[tokio::test]
async fn a_whole_conversation() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { count(to: 2) }").await;
    for count in 1..=2 {
        let next = json!({ "id": "1", "type": "next", "payload": { "data": { "count": count } } });
        assert_eq!(client.hear().await, next);
    }
    assert_eq!(client.hear().await, json!({ "id": "1", "type": "complete" }));

    // An id is free again after its end; queries and mutations run too.
    client.subscribe("1", "{ whoami }").await;
    assert_eq!(client.hear().await["payload"]["data"]["whoami"], "alice");
    assert_eq!(client.hear().await["type"], "complete");
    client.subscribe("2", "mutation { bump(by: 1) }").await;
    assert_eq!(client.hear().await["payload"]["data"]["bump"], 1);
    assert_eq!(toy.bumps.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_key_may_come_in_the_header() {
    let toy = toy(quick());
    let address = listen(&toy).await;
    let headers = [PROTOCOL, ("authorization", "Bearer alice")];
    let mut client = connect(&address, &headers).await.unwrap();
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.hear().await["type"], "connection_ack");
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let toy = toy(quick());
    let address = listen(&toy).await;
    let mut client = Client::open(&address).await;
    client.say(json!({ "type": "ping" })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong" }));
    client.init("alice").await;
    assert_eq!(client.hear().await["type"], "connection_ack");
    client.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
}

#[tokio::test]
async fn request_errors_are_error_messages_and_free_the_id() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    for (query, code) in
        [("{", "GRAPHQL_PARSE_FAILED"), ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"), ("query Q($a: Int!) { add(a: $a, b: 1) }", "BAD_USER_INPUT")]
    {
        client.subscribe("1", query).await;
        let message = client.hear().await;
        assert_eq!(message["type"], "error", "{message}");
        assert_eq!(message["id"], "1");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
    }
}

#[tokio::test]
async fn complete_stops_an_operation_only() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { wait }").await;
    assert_eq!(client.hear().await["type"], "next");
    client.say(json!({ "id": "1", "type": "complete" })).await;
    // No `complete` comes back, and the id is free.
    client.subscribe("1", "{ whoami }").await;
    assert_eq!(client.hear().await["payload"]["data"]["whoami"], "alice");
    client.say(json!({ "id": "unknown", "type": "complete" })).await;
    client.say(json!({ "type": "pong" })).await;
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn close_codes_of_protocol_mistakes() {
    let toy = toy(quick());
    let address = listen(&toy).await;

    let mut client = Client::open(&address).await;
    client.subscribe("1", "{ whoami }").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".into()));

    let mut client = Client::ready(&address, "alice").await;
    client.init("alice").await;
    assert_eq!(client.closed().await, (4429, "Too many initialisation requests".into()));

    let mut client = Client::ready(&address, "alice").await;
    client.subscribe("one", "subscription { wait }").await;
    client.subscribe("one", "subscription { wait }").await;
    assert_eq!(client.closed().await, (4409, "Subscriber for one already exists".into()));

    for (key, reason) in [("mallory", "Forbidden: UNAUTHENTICATED"), ("revoked", "Forbidden: KEY_REVOKED")] {
        let mut client = Client::open(&address).await;
        client.init(key).await;
        assert_eq!(client.closed().await, (4403, reason.into()));
    }
    let mut client = Client::open(&address).await;
    client.init("limited").await;
    assert_eq!(client.closed().await.0, 1013);
}

#[tokio::test]
async fn silence_instead_of_an_initialisation() {
    let toy = toy(TransportSettings { init_timeout: Duration::from_millis(20), ..quick() });
    let mut client = Client::open(&listen(&toy).await).await;
    let reason = "Connection initialisation timeout";
    assert_eq!(client.closed().await, (4408, reason.into()));
}

#[tokio::test]
async fn messages_that_are_none() {
    let toy = toy(quick());
    let address = listen(&toy).await;
    for message in [
        Message::text("{"),
        Message::text("[]"),
        Message::text(r#"{"type":"unknown"}"#),
        Message::text(r#"{"id":"1"}"#),
        Message::text(r#"{"type":"subscribe","id":"1"}"#),
        Message::text(r#"{"type":"subscribe","payload":{"query":"{ whoami }"}}"#),
        Message::text(r#"{"type":"subscribe","id":"","payload":{"query":"{ whoami }"}}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":[{"query":"{ whoami }"}]}"#),
        Message::binary(b"{}".to_vec()),
    ] {
        let mut client = Client::ready(&address, "alice").await;
        client.raw(message.clone()).await;
        assert_eq!(client.closed().await.0, 4400, "{message:?}");
    }
    let mut client = Client::open(&address).await;
    client.say(json!({ "type": "connection_init", "payload": "key" })).await;
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn unknown_subprotocols() {
    let toy = toy(quick());
    let address = listen(&toy).await;
    let mut client = connect(&address, &[]).await.unwrap();
    assert_eq!(client.closed().await.0, 4406);
}

#[tokio::test]
async fn foreign_origins() {
    let settings = TransportSettings { allowed_origins: vec!["https://app.example.com".into()], ..quick() };
    let toy = toy(settings);
    let address = listen(&toy).await;
    let own = format!("http://{address}");
    for (origin, allowed) in [("https://app.example.com", true), (own.as_str(), true), ("https://evil.example.com", false), ("null", false)] {
        let result = connect(&address, &[PROTOCOL, ("origin", origin)]).await;
        match result {
            Ok(_) => assert!(allowed, "{origin}"),
            Err(tungstenite::Error::Http(response)) => {
                assert!(!allowed, "{origin}");
                assert_eq!(response.status(), 403);
            }
            Err(error) => panic!("{origin}: {error}"),
        }
    }
}
