//! What administrators do: senders, API keys, categories, and looking at the whole.

mod categories;
mod keys;
mod projections;
mod senders;
mod sent_from;
mod status;

pub use categories::{CategoryMutation, CategoryQuery, categories_of};
pub use keys::{KeyMutation, KeyQuery};
pub use projections::ProjectionMutation;
pub use senders::{SenderMutation, SenderQuery};
pub use status::StatusQuery;
