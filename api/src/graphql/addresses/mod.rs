//! The suppression list: addresses to which nothing goes, whoever asks. For administrators.

mod mutation;
mod query;

pub use mutation::AddressMutation;
pub use query::AddressQuery;
