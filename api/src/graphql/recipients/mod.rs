//! Recipients, their devices and addresses, their tokens, their erasure.

mod check;
mod links;
mod moving;
mod mutation;
mod object;
#[cfg(test)]
mod tests;

pub use links::LinkQuery;
pub use mutation::RecipientMutation;
pub use object::RecipientQuery;
