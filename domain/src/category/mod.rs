//! The kinds of notification that a person can switch off.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(Category, "category");
