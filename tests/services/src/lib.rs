//! Private servers for tests: Postgres and Redis (single, cluster, sentinel), on free ports.
//!
//! Guarantees that nothing of them stays, neither process nor folder, when the test drops them,
//! panics, ends without dropping (statics), or is killed: a small `sh`, the keeper, outlives the
//! test by that much. Needs Linux (`/proc`, `setpriv`); `tests/services/install` brings the servers.
//!
//! What disturbs a server (kill, stop, restart) takes `&mut self`, so a shared one cannot be
//! disturbed by one of the tests that share it.
//!
//! Rejected: containers, which not every machine may run, and which hide the processes that a test
//! wants to kill; the machine's own services, which are not the test's to kill.

pub mod disk;
mod keeper;
mod ports;
pub mod postgres;
mod processes;
pub mod redis;
pub mod redis_cluster;
mod secret;
pub mod sentinel;
mod tools;
mod user;
pub mod wait;

pub use postgres::Postgres;
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use sentinel::Sentinel;
