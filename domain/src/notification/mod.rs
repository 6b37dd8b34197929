//! One notification to one recipient, over all its channels: from the request to its end.
//!
//! A *delivery* is the notification on one channel to one address; each has its own life
//! ([`Delivery`]), so that a dead e-mail server says nothing about the push. Before it has deliveries, a notification can
//! wait as a whole, or lie in a digest; after, it can go on to later steps of its channel plan.

mod commands;
mod delivery;
mod events;
mod receipt_events;
mod receipts;
mod refusal;
mod settling;
mod state;
mod taking_back;
#[cfg(test)]
mod tests;
mod waiting_events;

pub use commands::{Accept, NotificationCommand};
pub use delivery::{Delivery, DeliveryState};
pub use events::*;
pub use receipts::{MAX_LINKS, Receipt, Reports, Said};
pub use refusal::NotificationRefusal;
pub use state::{Notification, ScheduledStep, Waiting};

crate::cqrs_aggregate!(Notification, "notification");
