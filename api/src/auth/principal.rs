//! The caller of a request.

use crate::graphql::transport;
use domain::values::{CategoryKey, KeyId, RecipientId, SenderKey};
use std::sync::Arc;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An administrator's key.
    Administrator {
        /// The key.
        key: KeyId,
    },
    /// A sender's key.
    Sender {
        /// The key.
        key: KeyId,
        /// The sender.
        sender: SenderKey,
        /// Only these categories; all where empty.
        categories: Vec<CategoryKey>,
        /// Everything but the provider call.
        sandbox: bool,
    },
    /// A recipient's client app.
    Recipient {
        /// The recipient.
        id: RecipientId,
    },
}

/// A caller with the end of its credential. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who.
    pub caller: Arc<Caller>,
    /// Until when (ms since the epoch).
    pub expires_at: Option<i64>,
}

impl Principal {
    /// The actor in the metadata of what this caller commits.
    pub fn actor(&self) -> String {
        match self.caller.as_ref() {
            Caller::Administrator { key } => format!("administrator:{key}"),
            Caller::Sender { key, sender, .. } => format!("sender:{sender}:{key}"),
            Caller::Recipient { .. } => "recipient".to_owned(),
        }
    }
}

impl transport::Principal for Principal {
    fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }
}
