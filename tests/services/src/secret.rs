//! Passwords of the private servers: they keep out another test's client that has a wrong port, and
//! make the clients under test log in as they do in production. They show in the list of processes,
//! so they keep no attacker out.

use anyhow::{Context, Result};
use std::io::Read;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).context("reading /dev/urandom")?;
    Ok(bytes)
}

/// A fresh password, fit for a URL and for a configuration file.
pub(crate) fn password() -> Result<String> {
    Ok(random::<12>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
