//! Who owns an address, and whether anything may go there. A device token belongs to one recipient
//! at a time, whoever registered it last. Suppressions belong to the address and not to its
//! owner, so that they outlive a change of hands. The stream is keyed by the address's keyed hash.

mod state;
#[cfg(test)]
mod tests;

pub use state::*;

crate::cqrs_aggregate!(AddressOwnership, "address");
