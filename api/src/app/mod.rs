//! Wiring: the only place that names adapters.
//!
//! - [`callbacks`]: who may tell what became of deliveries.
//! - [`engine`]: log, consumers, read models, delivery; the order of starting and stopping.
//! - [`examining`]: templates are tried in a process of their own.
//! - [`providers`]: configured providers.
//! - [`server`]: the listener and the life of the process.
//! - [`supervisor`]: background tasks that cannot die silently.

mod callbacks;
pub mod data_dir;
pub mod engine;
pub mod examining;
pub mod providers;
mod rotation;
mod server;
pub mod services;
pub mod stores;
pub mod supervisor;

pub use server::{AppError, ServeOptions, serve};
