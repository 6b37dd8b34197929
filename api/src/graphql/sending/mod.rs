//! Sending and cancelling.

mod input;
mod mutation;

pub use mutation::SendingMutation;
