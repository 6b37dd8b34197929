//! Sending, looking ahead at what would become of it, and taking back.

mod cancelling;
mod finding;
mod input;
mod mutation;
mod preview;

pub use cancelling::{CancelMutation, SearchQuery};
pub use input::{ContentInput, category_in, told};
pub use mutation::{SendingMutation, accept};
pub use preview::PreviewQuery;
