//! A recipient's opt-ins and opt-outs.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(Subscription, "subscription");
