//! The GraphQL API.

pub mod transport;
