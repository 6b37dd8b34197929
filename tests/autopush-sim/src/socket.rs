//! The browser's side: JSON over a WebSocket.

use crate::state::State;
use crate::vapid::BASE64;
use axum::extract::ws::{Message, WebSocket};
use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, channel};

/// Messages on their way to one browser.
const QUEUED: usize = 64;

/// Talks with one browser until it goes.
pub(crate) async fn talk(socket: WebSocket, state: Arc<State>) {
    let (mut out, mut heard) = socket.split();
    let (queue, mut queued) = channel(QUEUED);
    let mut browser = None;
    loop {
        let answers = tokio::select! {
            Some(message) = queued.recv() => vec![message],
            message = heard.next() => match message {
                Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map(|said| answers(&state, &said, &mut browser, &queue)).unwrap_or_default(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // axum answers pings itself; nothing else is of this protocol.
                Some(Ok(_)) => Vec::new(),
            },
        };
        for answer in answers {
            if out.send(Message::text(answer.to_string())).await.is_err() {
                break;
            }
        }
    }
    if let Some(browser) = browser {
        state.disconnect(&browser);
    }
}

/// What a browser is answered; nothing to what needs no answer, and to what comes before `hello`.
fn answers(state: &State, said: &Value, browser: &mut Option<String>, queue: &Sender<Value>) -> Vec<Value> {
    let channel = said["channelID"].as_str().unwrap_or_default();
    let acknowledge = |update: &Value| {
        if let (Some(version), Some(code)) = (update["version"].as_str(), update["code"].as_u64()) {
            state.acknowledge(version, code);
        }
    };
    match (said["messageType"].as_str(), browser.as_deref()) {
        // An empty message asks whether we are still there.
        (None, _) => vec![json!({})],
        (Some("hello"), None) => {
            let (id, waiting) = state.connect(said["uaid"].as_str(), queue);
            let hello = json!({ "messageType": "hello", "status": 200, "uaid": id, "use_webpush": true, "broadcasts": {} });
            *browser = Some(id);
            std::iter::once(hello).chain(waiting).collect()
        }
        (Some("register"), Some(browser)) => {
            let key = said["key"].as_str().map(|key| BASE64.decode(key));
            let answer = match key.transpose() {
                Ok(key) => json!({ "status": 200, "pushEndpoint": state.register(browser, channel, key) }),
                Err(_) => json!({ "status": 400 }),
            };
            vec![replying("register", channel, answer)]
        }
        (Some("unregister"), Some(_)) => {
            state.unregister(channel);
            vec![replying("unregister", channel, json!({ "status": 200 }))]
        }
        (Some("ack"), Some(_)) => {
            said["updates"].as_array().into_iter().flatten().for_each(acknowledge);
            Vec::new()
        }
        // After the `ack`: the service worker failed at it.
        (Some("nack"), Some(_)) => {
            acknowledge(said);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn replying(to: &str, channel: &str, mut answer: Value) -> Value {
    answer["messageType"] = json!(to);
    answer["channelID"] = json!(channel);
    answer
}
