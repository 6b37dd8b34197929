//! Commands that talk to a running server.

mod client;
pub(super) mod operations;
mod response;

pub use client::Client;

use super::exit::CliError;
use crate::app::data_dir::admin_key;
use clap::Args;
use std::path::PathBuf;

/// Which server, and as whom.
#[derive(Debug, Clone, Args)]
pub struct Remote {
    /// Address of the server.
    #[arg(long, value_name = "URL", env = "BONGSU_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// File with the API key; otherwise BONGSU_KEY, otherwise admin.key of the data folder.
    #[arg(long, value_name = "PATH")]
    pub key_file: Option<PathBuf>,
    /// Data folder, of which admin.key is used where no other key is given.
    #[arg(long, value_name = "DIR", env = "BONGSU_STORAGE__DATA_DIR", default_value = "./bongsu-data")]
    pub data: PathBuf,
}

impl Remote {
    /// A client with the key found. Keys are no flags: flags show in the list of processes.
    pub fn client(&self) -> Result<Client, CliError> {
        Client::new(&self.server, Some(&self.key()?))
    }

    /// A client for pages that need no key.
    pub fn anonymous(&self) -> Result<Client, CliError> {
        Client::new(&self.server, None)
    }

    fn key(&self) -> Result<String, CliError> {
        if let Some(path) = &self.key_file {
            let text = std::fs::read_to_string(path).map_err(|error| CliError::usage(format!("the key file cannot be read: {error}")))?;
            return Ok(text.trim().to_owned());
        }
        if let Ok(key) = std::env::var("BONGSU_KEY")
            && !key.trim().is_empty()
        {
            return Ok(key.trim().to_owned());
        }
        admin_key(&self.data)
            .ok_or_else(|| CliError::usage("no API key; set BONGSU_KEY, or name the server's data folder with --data so that its admin.key can be used"))
    }
}

/// The payload of a mutation whose refusals are types of their own: any other type than the
/// expected one is a refusal with `code` and `message`.
pub fn expected<'a>(payload: &'a serde_json::Value, expected: &str) -> Result<&'a serde_json::Value, CliError> {
    match payload["__typename"].as_str() {
        Some(name) if name != expected => {
            let message = payload["message"].as_str().unwrap_or(name);
            Err(response::refusal(payload["code"].as_str().unwrap_or(name), message))
        }
        _ => Ok(payload),
    }
}
