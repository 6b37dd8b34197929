//! The server on an image: it starts, finishes what it owes, and the auditor agrees, as if the
//! machine had come back.

use crate::check::Expected;
use crate::recording::Providers;
use anyhow::{Context, Result};
use auditor::Inputs;
use crash_harness::quiet;
use crash_harness::server::{Paths, Server};
use std::path::{Path, PathBuf};

/// Arrivals within this after the moment (ns) may have been before it.
const UNCERTAIN: u64 = 2_000_000;

/// Starts a server on the data folder below `root`, and gives what is wrong.
pub async fn restart(binary: &Path, root: PathBuf, recorded: &Path, expected: &Expected<'_>, head: u64, providers: &Providers) -> Result<Vec<String>> {
    let simulators = root.join("simulators");
    std::os::unix::fs::symlink(recorded.join("simulators"), &simulators)?;
    let paths = Paths { binary: binary.to_owned(), root };
    let before = providers.simulators.write_ledger(&paths.ledger()).await?;
    let mut server = Server::new(paths.clone())?;
    if let Err(error) = live(&mut server).await {
        let said = std::fs::read_to_string(paths.root.join("server.log")).unwrap_or_default();
        return Ok(vec![format!("the server does not come back: {error:#}: {said}")]);
    }
    providers.simulators.write_ledger(&paths.ledger()).await?;

    // What was promised and what had arrived by then, and what has arrived since.
    std::fs::write(paths.journal(), "")?;
    let mut inputs = Inputs::read(&server.log(), &paths.journal(), &paths.ledger())?;
    let since = inputs.arrivals.split_off(before.min(inputs.arrivals.len()));
    let reference = expected.reference;
    inputs.answers = reference.promised(expected.recorded).iter().map(|promise| promise.answer.clone()).collect();
    let possible = reference.arrived(expected.moment + UNCERTAIN).iter();
    inputs.arrivals = possible
        .filter(|arrived| arrived.by <= expected.moment || arrived.position.is_some_and(|position| position <= head))
        .map(|arrived| arrived.arrival.clone())
        .chain(since)
        .collect();
    Ok(auditor::check(&inputs, true).examples)
}

/// From its start until nothing is owed, and its end.
async fn live(server: &mut Server) -> Result<()> {
    server.spawn(None)?;
    server.wait_ready().await?;
    quiet::wait(&server.log()).await.context("it does not finish")?;
    server.stop().await
}
