//! Recipients, their devices and addresses, their tokens, their erasure.

mod check;
mod mutation;
mod object;
#[cfg(test)]
mod tests;

pub use mutation::RecipientMutation;
pub use object::RecipientQuery;
