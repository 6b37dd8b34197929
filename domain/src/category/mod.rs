//! The kinds of notification that a person can switch off.

mod events;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use events::*;
pub use refusal::CategoryRefusal;
pub use state::{Category, DefineCategory};

crate::cqrs_aggregate!(Category, "category");
