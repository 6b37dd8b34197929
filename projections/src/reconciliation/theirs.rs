//! The provider's own list, as it can be downloaded from it: one JSON object a line.
//!
//! A line names the message by our ids (`notification`, `delivery`, `attempt`), which providers hand
//! back, or by the provider's (`provider_id`, `sid`, `message_id`, `id`). A line with `delivered: false`
//! does not count: it is not in the list of what was sent.

use domain::values::{DeliveryNo, NotificationId};
use serde_json::Value;
use std::collections::HashMap;
use std::io::BufRead;

/// Names under which a provider's own id stands.
const IDS: [&str; 6] = ["provider_id", "sid", "Sid", "message_id", "messageId", "id"];

type Key = (NotificationId, DeliveryNo, u32);

/// See the module.
#[derive(Debug, Default)]
pub struct Theirs {
    ours: HashMap<Key, u32>,
    own: HashMap<String, u32>,
}

/// What is wrong with a list.
#[derive(Debug, thiserror::Error)]
pub enum TheirsError {
    /// Of a line.
    #[error("line {0} is no JSON object with notification and delivery, or with provider_id; give one message a line")]
    Line(usize),
    /// Of the file.
    #[error("the list cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

impl Theirs {
    /// Reads a list; of a list of several providers, the lines of one.
    ///
    /// # Errors
    /// A line that names no message.
    pub fn read(lines: impl BufRead, provider: Option<&str>) -> Result<Self, TheirsError> {
        let mut theirs = Self::default();
        for (number, line) in (1..).zip(lines.lines()) {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let line: Value = serde_json::from_str(&line).map_err(|_| TheirsError::Line(number))?;
            let other = line["provider"].as_str().zip(provider).is_some_and(|(theirs, wanted)| theirs != wanted);
            if other || line["delivered"] == Value::Bool(false) {
                continue;
            }
            theirs.line(&line).ok_or(TheirsError::Line(number))?;
        }
        Ok(theirs)
    }

    fn line(&mut self, line: &Value) -> Option<()> {
        let number = |name: &str| line[name].as_u64().or_else(|| line[name].as_str()?.parse().ok());
        let notification = line["notification"].as_str().and_then(|id| id.parse().ok());
        if let (Some(notification), Some(delivery)) = (notification, number("delivery")) {
            let attempt = number("attempt").and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(0);
            *self.ours.entry((notification, DeliveryNo::try_from(delivery).ok()?, attempt)).or_default() += 1;
            return Some(());
        }
        let id = IDS.iter().find_map(|name| line[*name].as_str())?;
        *self.own.entry(id.to_owned()).or_default() += 1;
        Some(())
    }

    /// How often an attempt is in it.
    pub(super) fn times(&self, key: &Key, provider_id: Option<&str>) -> u32 {
        let (notification, delivery, _) = *key;
        let ours = self.ours.get(key).or_else(|| self.ours.get(&(notification, delivery, 0)));
        ours.or_else(|| self.own.get(provider_id?)).copied().unwrap_or(0)
    }

    pub(super) fn has(&self, key: &Key, provider_id: Option<&str>) -> bool {
        self.times(key, provider_id) > 0
    }

    /// Attempts in it that are named by our ids and that we do not know, in order.
    pub(super) fn others(&self, known: impl Fn(&Key) -> bool) -> Vec<Key> {
        let mut others: Vec<Key> = self.ours.keys().filter(|key| key.2 != 0 && !known(key)).copied().collect();
        others.sort_unstable();
        others
    }
}
