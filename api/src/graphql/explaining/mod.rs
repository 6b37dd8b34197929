//! Why a notification came, or did not.

mod object;
mod query;

pub use query::ExplainQuery;
