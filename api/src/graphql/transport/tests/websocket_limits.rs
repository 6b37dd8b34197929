//! What ends a connection that speaks the protocol well.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_tungstenite::tungstenite::{self, Message};

use super::toy::toy;
use super::websocket::{Client, connect, listen, quick};
use crate::graphql::transport::TransportSettings;

#[tokio::test]
async fn a_credential_that_ends() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "short").await;
    client.subscribe("1", "subscription { wait }").await;
    assert_eq!(client.hear().await["type"], "next");
    toy.doorman.now.store(1_000, Ordering::SeqCst);
    assert_eq!(client.closed().await, (4403, "Forbidden: credential expired".into()));
}

#[tokio::test]
async fn a_credential_that_is_withdrawn() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { wait }").await;
    assert_eq!(client.hear().await["type"], "next");
    toy.doorman.withdrawn.store(true, Ordering::SeqCst);
    assert_eq!(client.closed().await, (4401, "Unauthorized: KEY_REVOKED".into()));
}

#[tokio::test]
async fn shutdown() {
    let settings = quick();
    let toy = toy(settings.clone());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { wait }").await;
    assert_eq!(client.hear().await["type"], "next");
    settings.shutdown.cancel();
    assert_eq!(client.closed().await, (1001, "Server is shutting down".into()));
    drop(client);
    settings.connections.close();
    settings.connections.wait().await;
}

#[tokio::test]
async fn too_many_operations_are_told_apart_from_mistakes() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    for id in ["1", "2"] {
        client.subscribe(id, "subscription { wait }").await;
        assert_eq!(client.hear().await["type"], "next");
    }
    client.subscribe("3", "subscription { wait }").await;
    let message = client.hear().await;
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS_RUNNING");
}

/// A backlog far longer than the queue reaches a client that reads, whole and in order.
#[tokio::test]
async fn a_long_backlog_flows_at_the_clients_pace() {
    let toy = toy(quick());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { count(to: 2000) }").await;
    for count in 1..=2000 {
        assert_eq!(client.hear().await["payload"]["data"]["count"], count);
    }
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let settings = TransportSettings { write_timeout: Duration::from_millis(50), ..quick() };
    let toy = toy(settings.clone());
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.subscribe("1", "subscription { flood }").await;
    settings.connections.close();
    settings.connections.wait().await;
    drop(client);
}

/// Nobody polls this client, so its library answers no ping.
#[tokio::test]
async fn a_silent_client_is_closed() {
    let settings = TransportSettings { heartbeat: Duration::from_millis(20), ..quick() };
    let toy = toy(settings.clone());
    let client = Client::ready(&listen(&toy).await, "alice").await;
    settings.connections.close();
    settings.connections.wait().await;
    drop(client);
}

#[tokio::test]
async fn long_messages() {
    let toy = toy(TransportSettings { body_bytes: 1_000, ..quick() });
    let mut client = Client::ready(&listen(&toy).await, "alice").await;
    client.raw(Message::text("x".repeat(2_000))).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn connections_are_bounded() {
    let toy = toy(TransportSettings { max_connections: 1, ..quick() });
    let address = listen(&toy).await;
    let _first = Client::ready(&address, "alice").await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    match connect(&address, &[protocol]).await {
        Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 503),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("connected"),
    }
}
