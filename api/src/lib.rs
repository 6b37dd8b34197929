//! The Bongsu server: API, authentication, configuration, command line, wiring.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod graphql;
pub mod http;
mod template_files;
