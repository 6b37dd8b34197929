//! A person or system that receives: addresses per channel, devices, locale and time zone.

mod events;
mod state;
#[cfg(test)]
mod tests;

pub use events::*;
pub use state::{Address, MAX_DEVICES, Profile, Recipient, RecipientCommand, RecipientRefusal};

crate::cqrs_aggregate!(Recipient, "recipient");
