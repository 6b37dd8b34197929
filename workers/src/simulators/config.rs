//! What a caller chooses before the simulators start, and how starting can fail.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::list::Places;

/// Addresses and state of the simulators. Everything listens on loopback; other addresses are refused.
#[derive(Debug, Clone)]
pub struct SimulatorsConfig {
    /// Where each listens; port 0 for the port of the last start, or any.
    pub at: Places<SocketAddr>,
    /// Folder for the test CA, keys, addresses and the ledger file. `None` keeps everything in memory.
    pub state_dir: Option<PathBuf>,
    /// Seed of the random numbers behind percentages and latency distributions.
    pub seed: u64,
}

impl Default for SimulatorsConfig {
    fn default() -> Self {
        Self { at: Places::all(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)), state_dir: None, seed: 1 }
    }
}

/// Why the simulators did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is not loopback; simulators accept test credentials and must not be reachable from outside.
    #[error("the {name} simulator may only listen on loopback, not on {address}; use 127.0.0.1")]
    NotLoopback {
        /// Which simulator.
        name: &'static str,
        /// The refused address.
        address: SocketAddr,
    },
    /// The port is taken or not permitted.
    #[error("the {name} simulator cannot listen on {address}: {source}; choose another port or 0 for any")]
    Bind {
        /// Which simulator.
        name: &'static str,
        /// The wanted address.
        address: SocketAddr,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Generating or reading keys and certificates failed.
    #[error("test credentials could not be prepared: {0}; remove the simulators' state folder to create new ones")]
    Credentials(String),
    /// The state folder cannot be read or written.
    #[error("the simulators' state folder cannot be used: {0}; check that it exists and is writable")]
    State(#[from] std::io::Error),
}
