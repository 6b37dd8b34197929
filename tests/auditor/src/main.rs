//! `auditor`: checks a data folder against the client's journal and the simulators' ledger.

use anyhow::Result;
use auditor::{Inputs, check};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks that log, client and providers agree. Prints a JSON report; status 1 on a violation.
#[derive(Parser)]
#[command(after_help = "Example:\n  auditor --log bongsu-data/log.db --journal journal.ndjson --ledger ledger.ndjson --quiesced")]
struct Arguments {
    /// The log's file.
    #[arg(long)]
    log: PathBuf,
    /// Answers that the client got: NDJSON of key, id, position.
    #[arg(long)]
    journal: PathBuf,
    /// The simulators' ledger, as `GET /_sim/ledger` gives it.
    #[arg(long)]
    ledger: PathBuf,
    /// Nothing may be owed any more.
    #[arg(long)]
    quiesced: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let inputs = Inputs::read(&arguments.log, &arguments.journal, &arguments.ledger)?;
    let report = check(&inputs, arguments.quiesced);
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
