//! The last messages each simulator received, raw, for assertions.
//!
//! Guarantee: at most 256 messages and 32 MB per provider; older ones go first. Rejected: keeping all, which a
//! benchmark would turn into gigabytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::ledger::Provider;

const MAX_MESSAGES: usize = 256;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// One received message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Position of its ledger entry.
    pub seq: u64,
    /// Device token, URL path, telephone number, or the accepted recipients separated by commas.
    pub address: String,
    /// SMTP: envelope sender. Empty elsewhere.
    pub sender: String,
    /// Body as received, of a push to a browser what was read of it; SMTP: headers and body with dots removed.
    pub raw: Bytes,
}

/// Message as `GET /_sim/messages` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct MessageView {
    seq: u64,
    address: String,
    sender: String,
    raw: String,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self { seq: message.seq, address: message.address.clone(), sender: message.sender.clone(), raw: String::from_utf8_lossy(&message.raw).into_owned() }
    }
}

#[derive(Debug, Default)]
struct Shelf {
    messages: VecDeque<Message>,
    bytes: usize,
}

/// Handle to the received messages; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    shelves: Arc<[Mutex<Shelf>; Provider::COUNT]>,
}

impl Messages {
    pub(crate) fn push(&self, provider: Provider, message: Message) {
        let mut shelf = self.shelf(provider);
        shelf.bytes += message.raw.len();
        shelf.messages.push_back(message);
        while shelf.messages.len() > MAX_MESSAGES || shelf.bytes > MAX_BYTES {
            let Some(oldest) = shelf.messages.pop_front() else {
                break;
            };
            shelf.bytes = shelf.bytes.saturating_sub(oldest.raw.len());
        }
    }

    /// The newest `limit` messages of a provider, oldest first.
    #[must_use]
    pub fn latest(&self, provider: Provider, limit: usize) -> Vec<Message> {
        let shelf = self.shelf(provider);
        let skip = shelf.messages.len().saturating_sub(limit);
        shelf.messages.iter().skip(skip).cloned().collect()
    }

    /// Forgets all messages.
    pub fn clear(&self) {
        for provider in Provider::ALL {
            *self.shelf(provider) = Shelf::default();
        }
    }

    fn shelf(&self, provider: Provider) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelves[provider.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
