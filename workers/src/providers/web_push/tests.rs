#![allow(clippy::unwrap_used, missing_docs)]

mod calls;
mod vectors;
