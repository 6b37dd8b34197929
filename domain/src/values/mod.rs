//! The words that aggregates, policies and adapters share; one file each.

mod channel;
mod content;
mod ids;
mod json;
mod outcome;
mod priority;
mod reason;
#[cfg(test)]
mod tests;
mod text;

pub use channel::Channel;
pub use content::{Content, ContentError, MAX_NOTIFICATION_BYTES};
pub use ids::{AddressId, DeliveryNo, KeyId, NotificationId, RecipientId};
pub use json::{MAX_JSON_LEVELS, json_levels};
pub use outcome::{BadAddress, Misconfigured, Outcome, ThrottleScope};
pub use priority::Priority;
pub use reason::{FactVersions, Rule};
pub use text::{CategoryKey, SenderKey, TextError};

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;
