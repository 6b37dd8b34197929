//! Wiring: the only place that names adapters.
//!
//! - [`callbacks`]: who may tell what became of deliveries.
//! - [`engine`]: log, consumers, read models, delivery; the order of starting and stopping.
//! - [`providers`]: configured providers.
//! - [`server`]: the listener and the life of the process.
//! - [`supervisor`]: background tasks that cannot die silently.

mod callbacks;
pub mod data_dir;
pub mod engine;
pub mod providers;
mod server;
pub mod services;
pub mod stores;
pub mod supervisor;

pub use server::{AppError, ServeOptions, serve};
