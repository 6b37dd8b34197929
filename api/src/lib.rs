//! placeholder

pub mod graphql;
