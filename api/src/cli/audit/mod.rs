//! `bongsu audit`: the conservation law over the whole log.
//!
//! queued = sent + failed + cancelled + expired + suppressed + dead-lettered + discarded + in
//! flight + pending, per delivery, with every step on the way allowed by the step before it. It
//! shares no state machine with the server, so that a fault there cannot excuse itself here.

mod delivery;
mod notification;
mod report;
#[cfg(test)]
mod tests;
mod totals;
mod walk;

pub use walk::audit;

use super::exit::CliError;
use super::folder::Folder;
use super::output::Output;
use clap::Args;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Proves from the log alone that every accepted notification is accounted for: each delivery is
/// sent, ended for a reason, or still owed; none was sent twice; nothing is missing in between.
///
/// It may run beside the server, and takes about 16 bytes of memory a stream.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu audit
  bongsu audit --data /var/lib/bongsu --json

Exit status 1 says that the law is broken.

Next: bongsu explain ID for a notification that is named; bongsu dlq list for dead letters")]
pub struct Audit {
    /// Which folder.
    #[command(flatten)]
    pub folder: Folder,
}

impl Audit {
    pub(super) async fn run(self, out: Output) -> Result<ExitCode, CliError> {
        let log = self.folder.log()?;
        let mut progress = super::output::Progress::new("events", std::io::stderr().is_terminal());
        let report = audit(log.as_ref(), |position, head| progress.at(position, head, None)).await?;
        progress.finish();
        if out.json {
            out.json_value(&report)?;
        } else {
            out.line(report.text())?;
        }
        Ok(if report.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
