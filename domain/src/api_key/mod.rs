//! API keys of senders and administrators. Only a keyed hash of the secret is ever stored.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(ApiKey, "api_key");
