#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bounds;
mod cache;
mod errors;
mod explorer;
mod http;
mod sse;
mod toy;
mod websocket;
mod websocket_limits;
