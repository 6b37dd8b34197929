//! placeholder

pub mod cli;
pub mod config;
pub mod app;
pub mod auth;
pub mod graphql;
