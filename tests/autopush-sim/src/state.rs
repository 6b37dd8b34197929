//! Browsers, their subscriptions ("channels"), and what is on its way to them.
//!
//! Guarantee: a message is handed to its browser at each connection until that acknowledges it.

use crate::endpoint::{ENCODING, PATH};
use crate::vapid::BASE64;
use base64::Engine as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::Sender;

/// In place of a browser's word: another with its topic came before it was delivered.
const REPLACED: u64 = 0;

/// What an application server posted.
#[derive(Debug, Clone)]
pub struct Message {
    /// The subscription it is for.
    pub channel: String,
    /// Its own id.
    pub version: String,
    /// As the browser gets it: encrypted for it.
    pub body: Vec<u8>,
    /// For how many seconds it is kept for a browser that is away.
    pub ttl: u32,
    /// In place of which undelivered one it goes.
    pub topic: Option<String>,
    /// What the browser made of it: 100 is delivered, 101 could not be decrypted, 102 not delivered, from 301
    /// on the service worker failed; none until it says so. 0 is not the browser's: another with its topic came
    /// first.
    pub ack: Option<u64>,
}

/// A subscription of a browser's.
#[derive(Debug)]
struct Channel {
    browser: String,
    /// The application server's public key, which alone may send; none where the page named none.
    key: Option<Vec<u8>>,
    gone: bool,
}

/// Why nothing can be sent to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nobody {
    Unknown,
    Gone,
}

#[derive(Debug, Default)]
struct Inner {
    browsers: u64,
    connected: HashMap<String, Sender<Value>>,
    channels: HashMap<String, Channel>,
    messages: Vec<Message>,
    spoil: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    /// Scheme, host and port, as in a claim's audience.
    pub(crate) origin: String,
    inner: Mutex<Inner>,
}

impl State {
    pub(crate) fn new(origin: String) -> Self {
        Self { origin, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.inner().messages.clone()
    }

    pub(crate) fn spoil_next(&self) {
        self.inner().spoil = true;
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.inner().channels.values().filter(|channel| !channel.gone).count()
    }

    /// A browser connects, under the id that it was given before, if any. Gives its id, and what waits for it.
    pub(crate) fn connect(&self, known: Option<&str>, queue: &Sender<Value>) -> (String, Vec<Value>) {
        let mut inner = self.inner();
        let known = known.filter(|id| inner.channels.values().any(|channel| channel.browser == *id));
        let browser = known.map_or_else(
            || {
                inner.browsers += 1;
                format!("{:032x}", inner.browsers)
            },
            ToOwned::to_owned,
        );
        inner.connected.insert(browser.clone(), queue.clone());
        let its = |channel: &String| inner.channels.get(channel).is_some_and(|channel| channel.browser == browser && !channel.gone);
        let waiting = inner.messages.iter().filter(|message| message.ack.is_none() && its(&message.channel)).map(told).collect();
        (browser, waiting)
    }

    /// The browser is away.
    pub(crate) fn disconnect(&self, browser: &str) {
        self.inner().connected.remove(browser);
    }

    /// A page subscribes; gives the endpoint.
    pub(crate) fn register(&self, browser: &str, channel: &str, key: Option<Vec<u8>>) -> String {
        self.inner().channels.insert(channel.to_owned(), Channel { browser: browser.to_owned(), key, gone: false });
        format!("{}{PATH}{channel}", self.origin)
    }

    /// It gives the subscription up.
    pub(crate) fn unregister(&self, channel: &str) {
        if let Some(channel) = self.inner().channels.get_mut(channel) {
            channel.gone = true;
        }
    }

    /// It says what became of a message.
    pub(crate) fn acknowledge(&self, version: &str, code: u64) {
        if let Some(message) = self.inner().messages.iter_mut().find(|message| message.version == version) {
            message.ack = Some(code);
        }
    }

    /// Who may send to a subscription.
    pub(crate) fn key(&self, channel: &str) -> Result<Option<Vec<u8>>, Nobody> {
        match self.inner().channels.get(channel) {
            None => Err(Nobody::Unknown),
            Some(channel) if channel.gone => Err(Nobody::Gone),
            Some(channel) => Ok(channel.key.clone()),
        }
    }

    /// Takes a message and hands it on where the browser is there; gives its id.
    pub(crate) fn post(&self, channel: &str, ttl: u32, topic: Option<String>, mut body: Vec<u8>) -> String {
        let mut inner = self.inner();
        if std::mem::take(&mut inner.spoil)
            && let Some(last) = body.last_mut()
        {
            *last ^= 1;
        }
        let version = format!("m{}", inner.messages.len() + 1);
        if topic.is_some() {
            // The newer one goes in its place; as acknowledged it is sent no more.
            let older = inner.messages.iter_mut().filter(|message| message.ack.is_none() && message.channel == channel && message.topic == topic);
            older.for_each(|message| message.ack = Some(REPLACED));
        }
        let message = Message { channel: channel.to_owned(), version: version.clone(), body, ttl, topic, ack: None };
        if let Some(queue) = inner.channels.get(channel).and_then(|channel| inner.connected.get(&channel.browser)) {
            // A full queue is a browser that reads nothing: it is told at its next connection.
            let _ = queue.try_send(told(&message));
        }
        inner.messages.push(message);
        version
    }
}

/// As a browser is told of it.
fn told(message: &Message) -> Value {
    json!({
        "messageType": "notification",
        "channelID": message.channel,
        "version": message.version,
        "data": BASE64.encode(&message.body),
        "headers": { "encoding": ENCODING },
    })
}
