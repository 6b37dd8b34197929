//! Commands that talk to a running server.

mod client;
pub(super) mod operations;
mod response;
#[cfg(test)]
mod tests;

pub use client::Client;

use super::exit::CliError;
use crate::app::data_dir::{admin_key, write_private};
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
    /// A client with the key that was given, else the administrator's.
    pub fn client(&self) -> Result<Client, CliError> {
        Client::new(&self.server, Some(&self.key()?))
    }

    /// A client for pages that need no key.
    pub fn anonymous(&self) -> Result<Client, CliError> {
        Client::new(&self.server, None)
    }

    /// A client that may send: with the key that was given, else with a key of the sender `cli`,
    /// which is made once with the administrator's key and kept in the data folder.
    pub async fn sender(&self) -> Result<Client, CliError> {
        if let Some(key) = self.given()? {
            return Client::new(&self.server, Some(&key));
        }
        let path = self.data.join("cli-sender.key");
        if let Ok(text) = std::fs::read_to_string(&path) {
            return Client::new(&self.server, Some(text.trim()));
        }
        let administrator = self.client()?;
        super::key::ensure_sender(&administrator, "cli").await?;
        let input = serde_json::json!({ "name": "bongsu send", "role": "SENDER", "sender": "cli" });
        let issued = super::key::issue(&administrator, &input).await?;
        let secret = issued["secret"].as_str().unwrap_or_default();
        write_private(&path, secret)?;
        Client::new(&self.server, Some(secret))
    }

    /// The key that was given, else the administrator's. Keys are no flags: flags show in the
    /// list of processes.
    fn key(&self) -> Result<String, CliError> {
        self.given()?
            .or_else(|| admin_key(&self.data))
            .ok_or_else(|| CliError::usage("no API key; set BONGSU_KEY, or name the server's data folder with --data so that its admin.key can be used"))
    }

    /// Whether no key was given, so that the administrator's is used.
    pub fn as_administrator(&self) -> Result<bool, CliError> {
        Ok(self.given()?.is_none())
    }

    fn given(&self) -> Result<Option<String>, CliError> {
        if let Some(path) = &self.key_file {
            let text = std::fs::read_to_string(path).map_err(|error| CliError::usage(format!("the key file cannot be read: {error}")))?;
            return Ok(Some(text.trim().to_owned()));
        }
        Ok(std::env::var("BONGSU_KEY").ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()))
    }
}

/// The payload of a mutation; where it is the type `Refused`, the command's error.
pub fn accepted(payload: &serde_json::Value) -> Result<&serde_json::Value, CliError> {
    if payload["__typename"] != "Refused" {
        return Ok(payload);
    }
    let code = payload["code"].as_str().unwrap_or("REFUSED");
    let message = payload["message"].as_str().unwrap_or("the server refused");
    Err(response::refusal(code, message))
}
