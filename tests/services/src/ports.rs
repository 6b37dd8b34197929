//! Free ports, below those that the kernel gives to outgoing connections: a server that is down
//! for a moment finds its port free again, and no client that dials it meets itself.
//!
//! Rejected: letting the kernel choose (port 0), for just that reason. Another process may take the
//! port before the server does; whoever starts one tries again with another.

use crate::secret::random;
use anyhow::{Result, bail};
use std::net::{Ipv4Addr, TcpListener};

const LOWEST: u16 = 10_000;
const COUNT: u16 = 12_000;
/// How far from its port a node of a Redis cluster talks to the others.
const BUS: u16 = 10_000;
/// Attempts to find one; also those to start a server on one.
pub(crate) const ATTEMPTS: usize = 20;

/// A port that nobody listens on now, nor on the port of its cluster bus.
pub(crate) fn free() -> Result<u16> {
    for _ in 0..ATTEMPTS {
        let port = LOWEST + u16::from_be_bytes(random()?) % COUNT;
        if [port, port + BUS].iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
            return Ok(port);
        }
    }
    bail!("{ATTEMPTS} ports between {LOWEST} and {} are all taken", LOWEST + COUNT);
}
