//! `auditor`: checks a log against the client's journal and the simulators' ledger.

use anyhow::{Context as _, Result};
use auditor::{Inputs, check};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// The server's longest provider call where nothing is configured, in ms.
const CALL_WITHIN: i64 = 60_000;

/// Checks that log, client and providers agree. Prints a JSON report; status 1 on a violation.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  auditor --log bongsu-data/log.db --journal journal.ndjson --ledger ledger.ndjson --quiesced\n  BONGSU_POSTGRES__URL=postgres://… auditor --journal journal.ndjson --ledger ledger.ndjson --faults faults.ndjson --quiesced"
)]
struct Arguments {
    /// The log's file; else it is in the database that BONGSU_POSTGRES__URL names.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Answers that the client got: NDJSON of key, id, position.
    #[arg(long)]
    journal: PathBuf,
    /// The simulators' ledger, as `GET /_sim/ledger` gives it.
    #[arg(long)]
    ledger: PathBuf,
    /// What was done to the system, as the chaos harness notes it.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Nothing may be owed any more.
    #[arg(long)]
    quiesced: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let none = PathBuf::from("/dev/null");
    let mut inputs = match &arguments.log {
        Some(log) => Inputs::read(log, &arguments.journal, &arguments.ledger)?,
        None => {
            let url = std::env::var("BONGSU_POSTGRES__URL").context("name the log's file (--log) or its database (BONGSU_POSTGRES__URL)")?;
            auditor::postgres::read(&url, &arguments.journal, &arguments.ledger, arguments.faults.as_ref().unwrap_or(&none)).await?
        }
    };
    inputs.call_within = CALL_WITHIN;
    #[allow(clippy::disallowed_methods, reason = "a program of its own: the machine's clock says what is late")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    inputs.now = i64::try_from(now.as_millis())?;
    let report = check(&inputs, arguments.quiesced);
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
