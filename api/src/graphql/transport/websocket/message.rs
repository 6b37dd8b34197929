//! The messages of `graphql-transport-ws`.

use std::borrow::Cow;

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::close::{self, Close};

/// The longest id of an operation, in bytes.
const MAX_ID: usize = 128;

/// What a client may say.
#[derive(Debug)]
pub(super) enum ClientMessage<'a> {
    Init(Option<&'a RawValue>),
    Ping(Option<&'a RawValue>),
    Pong,
    Subscribe { id: Cow<'a, str>, payload: &'a RawValue },
    Complete { id: Cow<'a, str> },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl<'a> ClientMessage<'a> {
    /// Reads one text message.
    pub fn parse(text: &'a str) -> Result<Self, Close> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| close::invalid("Invalid message: not JSON of this protocol"))?;
        let id = match envelope.id {
            Some(id) if id.is_empty() || id.len() > MAX_ID => {
                return Err(close::invalid("Invalid message: id must have 1 to 128 bytes"));
            }
            id => id,
        };
        let missing = || close::invalid("Invalid message: id or payload is missing");
        Ok(match &*envelope.kind {
            "connection_init" => Self::Init(envelope.payload),
            "ping" => Self::Ping(envelope.payload),
            "pong" => Self::Pong,
            "subscribe" => Self::Subscribe { id: id.ok_or_else(missing)?, payload: envelope.payload.ok_or_else(missing)? },
            "complete" => Self::Complete { id: id.ok_or_else(missing)? },
            _ => return Err(close::invalid("Invalid message: unknown type")),
        })
    }
}

#[derive(Serialize)]
struct Outgoing<'a, P: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

/// A message of the server's; `payload` is any of our serialisable types.
pub(super) fn write<P: Serialize>(kind: &'static str, id: Option<&str>, payload: Option<P>) -> Result<Message, serde_json::Error> {
    let text = serde_json::to_string(&Outgoing { id, kind, payload })?;
    Ok(Message::Text(text.into()))
}

/// A message without an id.
pub(super) fn plain(text: &'static str) -> Message {
    Message::Text(Utf8Bytes::from_static(text))
}

/// A ping that the client's WebSocket library answers by itself.
pub(super) fn ping() -> Message {
    Message::Ping(Bytes::new())
}
