//! Who may ask: a service of yours.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(Sender, "sender");
