//! One notification to one recipient, over all its channels: from the request to its end.
//!
//! A *delivery* is the notification on one channel to one address; each has its own life
//! ([`Delivery`]), so that a dead e-mail server says nothing about the push.

mod commands;
mod delivery;
mod events;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use commands::{Accept, NotificationCommand};
pub use delivery::{Delivery, DeliveryState};
pub use events::*;
pub use refusal::NotificationRefusal;
pub use state::Notification;

crate::cqrs_aggregate!(Notification, "notification");
