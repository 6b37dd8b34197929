//! Who calls, and what they may do.
//!
//! - [`api_key`]: the form of API keys and how they are hashed.
//! - [`registry`]: all keys in memory, current from the commit on, so that a revocation holds
//!   from the next request.
//! - [`recipient_token`]: short-lived signed tokens for recipients' client apps.
//! - [`gate`]: credentials of a request to a [`Principal`].
//! - [`catch_up`]: keys that another replica has just issued.
//! - [`limits`]: how many requests a credential may make.
//! - [`bootstrap`]: what the first start creates.

pub mod api_key;
pub mod bootstrap;
pub mod catch_up;
pub mod gate;
pub mod limits;
mod principal;
pub mod recipient_token;
pub mod registry;
#[cfg(test)]
mod tests;

pub use gate::Gate;
pub use principal::{Caller, Principal};
