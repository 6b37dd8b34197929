#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod calls;
mod mapping;
mod payloads;
mod receipts;
