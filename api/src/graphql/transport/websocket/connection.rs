//! The loop of one connection.
//!
//! One task reads, runs the operations and watches the clock; the writer runs beside it in the
//! same task, so nothing of a connection outlives it.

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::ws::{Message, WebSocket};
use axum::http::HeaderMap;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_stream::StreamMap;

use super::close::{self, Close};
use super::message::{self, ClientMessage};
use super::outgoing;
use crate::graphql::transport::authenticate::Authenticate;
use crate::graphql::transport::error::{Phase, RequestError, code};
use crate::graphql::transport::operation::Answer;
use crate::graphql::transport::params::Params;
use crate::graphql::transport::state::Transport;

/// One operation's next sign of life; `None` is its end.
type Event = Option<Answer>;

/// Serves a socket until it closes.
pub(super) async fn serve<E: Executor, A: Authenticate>(transport: Arc<Transport<E, A>>, headers: HeaderMap, socket: WebSocket) {
    let (mut sink, mut source) = socket.split();
    let (queue, mut waiting) = mpsc::channel(transport.settings.outgoing_queue.max(2));
    let mut connection = Connection { queue, operations: StreamMap::new(), transport: Arc::clone(&transport) };
    let close = tokio::select! {
        close = outgoing::write(&mut sink, &mut waiting, transport.settings.write_timeout) => close,
        close = connection.run(&headers, &mut source) => close,
    };
    // Operations stop before the farewell; what was queued for them is dropped.
    drop(connection);
    outgoing::say_close(&mut sink, close).await;
    outgoing::drain(source).await;
}

struct Connection<E, A> {
    transport: Arc<Transport<E, A>>,
    queue: mpsc::Sender<Message>,
    operations: StreamMap<String, BoxStream<'static, Event>>,
}

impl<E: Executor, A: Authenticate> Connection<E, A> {
    async fn run<S>(&mut self, headers: &HeaderMap, source: &mut S) -> Close
    where
        S: Stream<Item = Result<Message, axum::Error>> + Unpin,
    {
        let principal = match self.initialise(headers, source).await {
            Ok(principal) => principal,
            Err(close) => return close,
        };
        match self.converse(principal, source).await {
            Ok(never) => match never {},
            Err(close) => close,
        }
    }

    /// Waits for `connection_init`, at most `init_timeout`.
    async fn initialise<S>(&mut self, headers: &HeaderMap, source: &mut S) -> Result<A::Principal, Close>
    where
        S: Stream<Item = Result<Message, axum::Error>> + Unpin,
    {
        let transport = Arc::clone(&self.transport);
        let until = transport.auth.sleep(transport.settings.init_timeout);
        tokio::pin!(until);
        loop {
            let text = tokio::select! {
                () = transport.settings.shutdown.cancelled() => return Err(close::GOING_AWAY),
                () = &mut until => return Err(close::INIT_TIMEOUT),
                item = source.next() => text(item)?,
            };
            let Some(text) = text else { continue };
            match ClientMessage::parse(&text)? {
                ClientMessage::Init(payload) => {
                    let init = init_payload(payload)?;
                    let principal = tokio::select! {
                        () = &mut until => return Err(close::INIT_TIMEOUT),
                        result = transport.auth.authenticate(headers, init.as_ref()) => {
                            result.map_err(|failure| close::refused(&failure))?
                        }
                    };
                    self.say(message::plain(r#"{"type":"connection_ack"}"#))?;
                    return Ok(principal);
                }
                ClientMessage::Ping(payload) => self.pong(payload)?,
                ClientMessage::Pong | ClientMessage::Complete { .. } => {}
                ClientMessage::Subscribe { .. } => return Err(close::UNAUTHORIZED),
            }
        }
    }

    /// Everything after the acknowledgement; ends only with a reason to close.
    async fn converse<S>(&mut self, principal: A::Principal, source: &mut S) -> Result<std::convert::Infallible, Close>
    where
        S: Stream<Item = Result<Message, axum::Error>> + Unpin,
    {
        let transport = Arc::clone(&self.transport);
        let settings = &transport.settings;
        let watch = transport.watch(&principal);
        tokio::pin!(watch);
        let mut heartbeat = tokio::time::interval(settings.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        let mut silent = 0u8;
        let queue = self.queue.clone();
        loop {
            let operations = &mut self.operations;
            let running = !operations.is_empty();
            // A place in the queue comes first, so that no answer is taken that cannot be kept.
            let event = async {
                let place = queue.reserve().await;
                (place, operations.next().await)
            };
            tokio::select! {
                () = settings.shutdown.cancelled() => return Err(close::GOING_AWAY),
                ended = &mut watch => return Err(close::ended(&ended)),
                item = source.next() => {
                    silent = 0;
                    if let Some(text) = text(item)? {
                        self.hear(&text, &principal)?;
                    }
                }
                _ = heartbeat.tick() => {
                    silent += 1;
                    if silent > 2 {
                        return Err(close::SILENT);
                    }
                    self.say(message::ping())?;
                }
                (place, event) = event, if running => {
                    let (Ok(place), Some((id, event))) = (place, event) else { continue };
                    let (message, last) = tell(&id, event);
                    place.send(message);
                    if last {
                        self.operations.remove(&id);
                    }
                }
            }
        }
    }

    fn hear(&mut self, text: &str, principal: &A::Principal) -> Result<(), Close> {
        match ClientMessage::parse(text)? {
            ClientMessage::Init(_) => Err(close::SECOND_INIT),
            ClientMessage::Ping(payload) => self.pong(payload),
            ClientMessage::Pong => Ok(()),
            ClientMessage::Complete { id } => {
                self.operations.remove(&*id);
                Ok(())
            }
            ClientMessage::Subscribe { id, payload } => {
                if self.operations.contains_key(&*id) {
                    return Err(close::duplicate(&id));
                }
                match self.start(payload, principal) {
                    Ok(events) => {
                        self.operations.insert(id.into_owned(), events);
                        Ok(())
                    }
                    // A payload that is no GraphQL request at all is a message that is not of
                    // the protocol.
                    Err(error) if is_malformed(&error) => Err(close::invalid("Invalid message: payload is no GraphQL request")),
                    Err(error) => {
                        let errors = [error.into_server()];
                        self.say(written(message::write("error", Some(&id), Some(&errors))))
                    }
                }
            }
        }
    }

    fn start(&self, payload: &RawValue, principal: &A::Principal) -> Result<BoxStream<'static, Event>, RequestError> {
        if self.operations.len() >= self.transport.settings.max_operations {
            return Err(RequestError::new(code::TOO_MANY_OPERATIONS_RUNNING, "This connection runs all the operations it may; complete one first."));
        }
        self.transport.auth.admit(principal).map_err(|failure| RequestError::from(&failure))?;
        let params = Params::from_json(payload.get().as_bytes())?;
        let prepared = self.transport.prepare(params, principal.clone())?;
        let answers = self.transport.stream(prepared);
        let end = futures_util::stream::once(std::future::ready(None));
        Ok(answers.map(Some).chain(end).boxed())
    }

    fn pong(&self, payload: Option<&RawValue>) -> Result<(), Close> {
        self.say(written(message::write("pong", None, payload)))
    }

    /// Queues a message that cannot wait. A client that lets these pile up is too slow.
    fn say(&self, message: Message) -> Result<(), Close> {
        self.queue.try_send(message).map_err(|_| close::SLOW)
    }
}

/// The message for an operation's event, and whether it is the operation's last.
fn tell(id: &str, event: Event) -> (Message, bool) {
    match event {
        None => (written(message::write("complete", Some(id), None::<()>)), true),
        Some(Answer { response, phase: Phase::Execution }) => (written(message::write("next", Some(id), Some(&response))), false),
        Some(Answer { response, phase: Phase::Request }) => (written(message::write("error", Some(id), Some(&response.errors))), true),
    }
}

/// Our own types always become JSON; a resolver's value that does not is told as a ping.
fn written(message: Result<Message, serde_json::Error>) -> Message {
    message.unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        message::ping()
    })
}

fn is_malformed(error: &RequestError) -> bool {
    matches!(error.code, code::BAD_REQUEST | code::BATCH_DISABLED)
}

/// The payload of `connection_init`: an object, or nothing.
fn init_payload(payload: Option<&RawValue>) -> Result<Option<serde_json::Value>, Close> {
    let Some(payload) = payload else {
        return Ok(None);
    };
    match serde_json::from_str(payload.get()) {
        Ok(serde_json::Value::Null) => Ok(None),
        Ok(value @ serde_json::Value::Object(_)) => Ok(Some(value)),
        _ => Err(close::invalid("Invalid message: payload must be an object")),
    }
}

/// The text of a frame; `None` for frames that the WebSocket library answers itself.
fn text(item: Option<Result<Message, axum::Error>>) -> Result<Option<axum::extract::ws::Utf8Bytes>, Close> {
    match item {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(close::invalid("Invalid message: not text")),
        Some(Ok(Message::Close(_))) | None => Err(close::NORMAL),
        // The library's error type is hidden behind axum's; its words are all there is.
        Some(Err(error)) if error.to_string().contains("too long") => Err(close::TOO_BIG),
        Some(Err(_)) => Err(close::BROKEN),
    }
}
