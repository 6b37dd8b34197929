//! `bongsu vapid`: the key by which browsers' push services know the server.

use super::exit::CliError;
use super::output::Output;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;
use workers::providers::web_push::VapidKeys;

use crate::app::data_dir::write_private;

/// The key by which browsers' push services know this server (VAPID).
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  bongsu vapid generate
  bongsu vapid generate --out ./vapid.key

Next: bongsu check")]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Vapid {
    Generate(Generate),
}

/// Makes a VAPID key pair and prints the lines of configuration that use it.
///
/// Browsers subscribe under the public half, and everything sent to them is signed with the private
/// one: with another pair every browser has to subscribe anew.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu vapid generate
  bongsu vapid generate --out ./vapid.key
  bongsu vapid generate --json

Next: put the lines into bongsu.toml, hand the public key to PushManager.subscribe as applicationServerKey, then
bongsu check")]
pub struct Generate {
    /// File for the private half, readable by you only; without it the private half is printed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made {
    public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_file: Option<PathBuf>,
}

impl Vapid {
    pub(super) fn run(self, out: Output) -> Result<(), CliError> {
        let Self::Generate(generate) = self;
        generate.run(out)
    }
}

impl Generate {
    fn run(self, out: Output) -> Result<(), CliError> {
        let keys = VapidKeys::generate().ok_or_else(|| CliError::failure("this machine gives no random numbers"))?;
        let file = match &self.out {
            Some(path) if path.exists() => {
                return Err(CliError::usage(format!("{} exists; browsers subscribed under its key, so it is not replaced", path.display())));
            }
            Some(path) => {
                write_private(path, &keys.private)?;
                Some(path.canonicalize().map_err(CliError::failure)?)
            }
            None => None,
        };
        if out.json {
            let private_key = file.is_none().then(|| keys.private.to_string());
            return out.json_value(&Made { public_key: keys.public, private_key, private_key_file: file });
        }
        let setting = match &file {
            Some(path) => format!("private_key_file = {}", toml::Value::String(path.display().to_string())),
            None => format!("private_key = \"{}\"", keys.private.as_str()),
        };
        out.line(format!(
            "# For bongsu.toml. The public key, for PushManager.subscribe (applicationServerKey):\n# {}\n[providers.web_push]\n{setting}\nsubject = \"mailto:you@example.com\"",
            keys.public
        ))?;
        out.note("\nNext: put your own address into subject, keep the private key from others, then bongsu check");
        Ok(())
    }
}
