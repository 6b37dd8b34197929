//! A live subscription over WebSocket (`graphql-transport-ws`), as an app would hold it.

use crate::client::Client;
use crate::wait::PATIENCE;
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open subscription.
#[derive(Debug)]
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    /// Connects with the client's credential and subscribes.
    pub async fn subscribe(client: &Client, query: &str, variables: Value) -> Result<Self> {
        let url = format!("{}/graphql", client.base().replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (socket, _) = connect_async(request).await?;
        let mut live = Self { socket };
        live.say(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", client.credential()) } })).await?;
        let answer = live.hear().await?;
        if answer["type"] != "connection_ack" {
            bail!("not accepted: {answer}");
        }
        live.say(&json!({ "id": "1", "type": "subscribe", "payload": { "query": query, "variables": variables } })).await?;
        Ok(live)
    }

    async fn say(&mut self, message: &Value) -> Result<()> {
        self.socket.send(Message::text(message.to_string())).await.map_err(Into::into)
    }

    /// The next message that is no ping.
    pub async fn hear(&mut self) -> Result<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.context("nothing came")?.context("the server closed")??;
            match message {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    if message["type"] == "ping" {
                        self.say(&json!({ "type": "pong" })).await?;
                    } else {
                        return Ok(message);
                    }
                }
                Message::Close(frame) => bail!("the server closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The data of the next item.
    pub async fn next(&mut self) -> Result<Value> {
        let message = self.hear().await?;
        match message["payload"].get("errors") {
            None if message["type"] == "next" => Ok(message["payload"]["data"].clone()),
            _ => bail!("not an item: {message}"),
        }
    }
}
