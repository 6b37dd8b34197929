//! A digest: notifications of one category to one recipient that go out together.
//!
//! One stream per recipient, category and the sender's key. Collecting is one commit with the item's
//! own notification; closing is one commit with the summary's. So an item is always in exactly one
//! window, and a window that is closed has its summary. A late item finds the closed window and opens
//! the next.

mod events;
mod state;
#[cfg(test)]
mod tests;

pub use events::*;
pub use state::{AddItem, Digest, DigestCommand, DigestRefusal, OpenWindow};

crate::cqrs_aggregate!(Digest, "digest");
