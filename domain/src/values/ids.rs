//! Identifiers. Sixteen bytes each, shown as UUIDs.
//!
//! What a caller supplies (a recipient's name, an idempotency key, a device token) is often
//! personal, so the ids derived from it are keyed hashes made outside this crate; here they
//! are only carried. Positions and stream numbers belong to the log, not to the domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Default)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// One notification to one recipient. Derived from sender and idempotency key, or time-ordered
    /// (UUIDv7) where no key is given.
    NotificationId
}
id! {
    /// A person or system that receives: a keyed hash of the id the sender uses.
    RecipientId
}
id! {
    /// An address on a channel (device token, e-mail address, URL): a keyed hash of channel and
    /// value, so that the same address has the same id wherever it is registered.
    AddressId
}
id! {
    /// An API key's public identifier.
    KeyId
}

id! {
    /// A digest: a keyed hash of recipient, category and the sender's key.
    DigestId
}
id! {
    /// A schedule of requests to one recipient.
    ScheduleId
}

/// Number of a delivery within its notification, from 0.
pub type DeliveryNo = u16;
