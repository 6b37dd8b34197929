//! Who owns an address: a device token belongs to one recipient at a time, whoever registered
//! it last. The stream is keyed by the address's keyed hash, since addresses move.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(AddressOwnership, "address");
