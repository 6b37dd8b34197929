//! The API as its callers meet it: requests through the real router, engine and log in a folder
//! of their own, no providers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub(crate) mod app;
mod credentials;
mod deciding;
mod explaining;
mod isolation;
mod permissions;
mod preferences;
mod refusals;
mod rehearsals;
mod schedules;
