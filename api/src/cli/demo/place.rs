//! Where the demo works: a folder of its own, and an address of this machine.

use crate::app::data_dir::create_private;
use crate::cli::exit::{CliError, Exit};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// The folder: `data` is the server's, `simulators` holds their test keys.
pub(super) struct Place {
    root: PathBuf,
    /// Removes the folder when dropped, where nobody asked to keep it.
    _temporary: Option<tempfile::TempDir>,
}

impl Place {
    /// The wanted folder, else a temporary one.
    pub(super) fn prepare(wanted: Option<&Path>) -> Result<Self, CliError> {
        let no_folder = |error: std::io::Error| CliError::failure(format!("no folder to work in: {error}; name one with --data"));
        let temporary = match wanted {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("bongsu-demo-").tempdir().map_err(no_folder)?),
        };
        let root = temporary.as_ref().map(tempfile::TempDir::path).or(wanted).unwrap_or(Path::new("."));
        create_private(root)?;
        let place = Self { root: root.canonicalize().map_err(no_folder)?, _temporary: temporary };
        create_private(&place.simulators())?;
        Ok(place)
    }

    /// The server's data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The simulators' folder.
    pub(super) fn simulators(&self) -> PathBuf {
        self.root.join("simulators")
    }

    /// The server's configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.root.join("bongsu.toml")
    }

    /// Where the server says that it answers.
    pub(super) fn ready(&self) -> PathBuf {
        self.root.join("ready.json")
    }

    /// The server's trace.
    pub(super) fn trace(&self) -> PathBuf {
        self.root.join("server.log")
    }
}

/// The address to listen on: as wanted, else the usual one, else, where that is taken, any port.
pub(super) fn listen(wanted: Option<SocketAddr>) -> Result<SocketAddr, CliError> {
    let Some(wanted) = wanted else {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        // Freed again at once. Should it be taken meanwhile, the server says so.
        let free = TcpListener::bind(usual).is_ok();
        return Ok(if free { usual } else { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) });
    };
    if !wanted.ip().is_loopback() {
        return Err(CliError::usage("the demo listens on this machine only, since it prints its keys; use 127.0.0.1, or `bongsu serve` for others"));
    }
    TcpListener::bind(wanted)
        .map(|_| wanted)
        .map_err(|error| CliError::new(Exit::Conflict, format!("cannot listen on {wanted}: {error}; leave --listen out to take a free port")))
}
