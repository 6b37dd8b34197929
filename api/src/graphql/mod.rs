//! The GraphQL API.
//!
//! - [`transport`]: HTTP, WebSocket and event streams, bounds, errors; knows no schema.
//! - [`schema`]: the schema, put together from one folder a noun.
//! - [`context`], [`error`], [`position`], [`problem`], [`names`]: what the nouns share.

mod addresses;
mod administration;
mod attachments;
mod context;
mod dead_letters;
mod error;
mod explaining;
mod live;
mod names;
mod notifications;
mod plan;
mod position;
mod problem;
mod recipients;
mod reconciling;
mod schedules;
pub mod schema;
mod sending;
mod subscriptions;
mod templates;
#[cfg(test)]
pub(crate) mod tests;
pub mod transport;
mod wait;
