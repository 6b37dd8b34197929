//! `bongsu bounce`: a returned mail, from a mail server's pipe to the server.

use super::exit::{CliError, Exit};
use super::output::Output;
use super::remote::Client;
use clap::Args;
use std::io::Read as _;
use std::path::PathBuf;

/// What is read of a mail. Reports come first, and the headers of what came back right after them.
const MOST: u64 = 256 * 1_024;

/// Hands a returned mail, from standard input, to the server: a bounce, or a complaint.
///
/// For a mail server's pipe. Where the server cannot take it now, the status is 75, on which mail servers
/// keep the mail and try again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu bounce --secret-file /etc/bongsu/bounce.secret < message
  bongsu bounce --server https://notify.example.com --secret-file /etc/bongsu/bounce.secret < message

In Postfix's aliases:
  bounces: \"|/usr/bin/bongsu bounce --secret-file /etc/bongsu/bounce.secret\"

Exit status: as of every command, and 75 (come again) where the server cannot be reached or does not take it.

Next: bongsu explain ID of the notification says what came back")]
pub struct Bounce {
    /// Address of the server.
    #[arg(long, value_name = "URL", env = "BONGSU_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// File with the secret of providers.smtp.bounce_secret; otherwise BONGSU_BOUNCE_SECRET.
    #[arg(long, value_name = "PATH")]
    pub secret_file: Option<PathBuf>,
}

impl Bounce {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let client = Client::new(&self.server, Some(&self.secret()?))?;
        let mut mail = Vec::new();
        std::io::stdin()
            .lock()
            .take(MOST)
            .read_to_end(&mut mail)
            .map_err(|error| CliError::new(Exit::Deferred, format!("the mail cannot be read: {error}")))?;
        if mail.is_empty() {
            return Err(CliError::usage("there is no mail on standard input; hand one over: bongsu bounce < message"));
        }
        let status = match client.post("/callbacks/smtp", "message/rfc822", mail).await {
            Ok((status, _)) => status,
            Err(error) => return Err(CliError::new(Exit::Deferred, error)),
        };
        judged(status)?;
        out.note("Taken.");
        Ok(())
    }

    /// A secret is no flag: flags show in the list of processes.
    fn secret(&self) -> Result<String, CliError> {
        if let Some(path) = &self.secret_file {
            let text = std::fs::read_to_string(path).map_err(|error| CliError::new(Exit::Deferred, format!("the secret file cannot be read: {error}")))?;
            return Ok(text.trim().to_owned());
        }
        let given = std::env::var("BONGSU_BOUNCE_SECRET").ok().map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty());
        given.ok_or_else(|| CliError::new(Exit::Deferred, "no secret; name its file with --secret-file, or set BONGSU_BOUNCE_SECRET"))
    }
}

/// What an answer means for the mail. A server that is set up wrongly will be set up rightly: until then
/// the mail waits.
fn judged(status: u16) -> Result<(), CliError> {
    match status {
        200..=299 => Ok(()),
        400 | 413 | 422 => Err(CliError::failure("the server does not take this for a mail; hand over one whole message with its headers")),
        401 | 403 => Err(CliError::new(Exit::Deferred, "the server refuses the secret; it must be that of providers.smtp.bounce_secret")),
        404 => Err(CliError::new(Exit::Deferred, "the server takes no returned mails; set providers.smtp.bounce_secret there, and check --server")),
        status => Err(CliError::new(Exit::Deferred, format!("the server does not take it now ({status})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::judged;
    use crate::cli::exit::Exit;

    #[test]
    fn only_what_is_no_mail_is_not_kept_by_the_mail_server() {
        assert_eq!(judged(202), Ok(()));
        for (status, exit) in [(400, Exit::Failure), (401, Exit::Deferred), (404, Exit::Deferred), (429, Exit::Deferred), (503, Exit::Deferred)] {
            assert_eq!(judged(status).map_err(|error| error.exit), Err(exit), "{status}");
        }
    }
}
