//! placeholder

pub mod config;
pub mod app;
pub mod graphql;
