//! What a recipient chose: opt-ins and opt-outs, quiet hours, preferred channels.

mod commands;
mod events;
mod state;
#[cfg(test)]
mod tests;
mod verdict;

pub use commands::{SetSubscription, SubscriptionCommand, SubscriptionRefusal};
pub use events::*;
pub use state::{MAX_SWITCHES, Subscription};
pub use verdict::Verdict;

crate::cqrs_aggregate!(Subscription, "subscription");
