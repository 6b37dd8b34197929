//! One recording: the real server under load, with real sends to the simulators, killed and
//! started again on the way, while everything that it does to its files is recorded.
//!
//! Guarantee: the record is complete. Replayed without a power loss it gives the very files that
//! each process left, byte for byte (see `death.rs`), or the run is refused.

use crate::death::{IN_FLIGHT, settle};
use crate::reference::Reference;
use crate::trace::Trace;
use anyhow::{Context, Result, bail, ensure};
use crash_harness::api;
use crash_harness::journal::Journal;
use crash_harness::load::{Load, RECIPIENTS, Shared};
use crash_harness::server::{self, Paths, Server};
use crash_harness::simulators::Simulators;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Concurrent clients: enough for commits of several at once.
const CLIENTS: usize = 5;

/// The lives of the recorded server under load: how long, and whether it is killed at the end. A
/// kill leaves a journal that the next life recovers, a stop none; the last is long enough for
/// the journal to begin anew while requests come.
const LIVES: [(Duration, bool); 5] = [
    (Duration::from_millis(800), true),
    (Duration::from_millis(400), true),
    (Duration::from_millis(700), false),
    (Duration::from_millis(300), true),
    (Duration::from_millis(500), true),
];

/// The journal is copied every 4,000 pages, which take some seconds.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(60);

/// Nothing recorded for so long means that nothing goes on: read models follow within 250 ms.
const STILL: Duration = Duration::from_millis(600);
const STILL_WITHIN: Duration = Duration::from_secs(20);

/// A finished recording.
pub struct Recording {
    /// What was done.
    pub trace: Trace,
    /// What it led to.
    pub reference: Reference,
    /// What the checker found wrong without any power loss.
    pub problems: Vec<String>,
}

/// Simulators that outlive recordings and the servers that are started on images.
pub struct Providers {
    /// Rules and ledger.
    pub simulators: Simulators,
    child: Child,
    webhook: String,
}

impl Providers {
    /// Starts them in the folder.
    pub async fn start(paths: &Paths, seed: u64) -> Result<Self> {
        let (child, addresses) = server::start_simulators(paths, seed).await?;
        Ok(Self { simulators: Simulators::new(&addresses)?, child, webhook: addresses.webhook })
    }

    /// Ends them.
    pub async fn stop(self) -> Result<()> {
        server::stop(self.child).await.map(drop)
    }
}

/// Builds the recorder by the machine's C compiler.
pub async fn build_recorder(folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shims/recorder.c");
    let library = folder.join("recorder.so");
    let done = Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).args(["-ldl", "-lpthread"]).output().await;
    let done = done.context("a C compiler is needed")?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(library)
}

/// Records, and reads what was recorded. `into` is where the record goes; `fault` is planted.
pub async fn record(paths: &Paths, into: &Path, recorder: &Path, providers: &Providers, seed: u64, fault: Option<&str>) -> Result<Recording> {
    let text = |path: &Path| path.display().to_string();
    let mut environment =
        vec![("LD_PRELOAD".to_owned(), text(recorder)), ("RECORD_BELOW".to_owned(), text(&paths.root)), ("RECORD_INTO".to_owned(), text(into))];
    environment.extend(fault.map(|fault| ("BONGSU_PLANTED_FAULT".to_owned(), fault.to_owned())));
    std::fs::write(into, "")?;
    let mut server = Server::new(paths.clone())?.with_environment(environment);
    server.spawn(None)?;
    server.wait_ready().await?;
    let administrator = api::Client::new(&server.base(), &api::admin_key(&server.data())?)?;
    let sender = administrator.create_sender("load").await?;
    let secret = providers.simulators.webhook_secret().await?;
    for number in 0..RECIPIENTS {
        administrator.create_recipient(number, &providers.webhook, &secret).await?;
    }
    providers.simulators.misbehave(false).await?;
    let shared = Shared::new(Journal::beside(&paths.journal(), into.to_owned())?);
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(Load::new(shared.clone(), sender.clone(), seed, number).run())).collect();
    for (index, (time, killed)) in LIVES.into_iter().enumerate() {
        if index > 0 {
            server.spawn(None)?;
            server.wait_ready().await?;
        }
        if index + 1 == LIVES.len() {
            through_checkpoint(&mut server, time).await?;
            break;
        }
        server.run_for(time).await?;
        if killed {
            server.kill().await?;
        } else {
            server.stop().await?;
        }
        settle(into, paths, IN_FLIGHT)?;
    }
    providers.simulators.behave().await?;
    shared.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.context("a client failed")??;
    }
    // What is owed is sent, but for what may be repeated in a minute only.
    still(into).await?;
    server.kill().await?;
    // Nothing was going on any more, so there is nothing to add.
    settle(into, paths, 0)?;
    providers.simulators.write_ledger(&paths.ledger()).await?;
    if shared.unanswered.load(Ordering::Relaxed) > 0 {
        bail!("requests were refused or not answered while recording: {:?}", shared.problems.lock().await);
    }
    read(paths, into)
}

/// Runs until the log's journal has been copied into its file under load, and then for the time.
async fn through_checkpoint(server: &mut Server, then: Duration) -> Result<()> {
    let changed = |server: &Server| std::fs::metadata(server.log()).and_then(|file| file.modified());
    let at_start = changed(server)?;
    let deadline = Instant::now() + CHECKPOINT_WITHIN;
    while changed(server)? == at_start {
        ensure!(Instant::now() < deadline, "the journal of the log was not copied into its file, so the hardest moments were not recorded");
        server.run_for(Duration::from_millis(50)).await?;
    }
    server.run_for(then).await.map(drop)
}

/// Waits until nothing is recorded any more.
async fn still(into: &Path) -> Result<()> {
    let length = || std::fs::metadata(into).map(|record| record.len());
    let deadline = Instant::now() + STILL_WITHIN;
    loop {
        let before = length()?;
        tokio::time::sleep(STILL).await;
        if length()? == before {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the server goes on writing with nothing to do");
    }
}

/// Reads a recording that is finished.
pub fn read(paths: &Paths, into: &Path) -> Result<Recording> {
    let trace = Trace::read(into, &paths.root)?;
    let inputs = auditor::Inputs::read(&api::log_file(&paths.data()), &paths.journal(), &paths.ledger())?;
    let problems = auditor::check(&inputs, false).examples;
    let reference = Reference::read(&paths.data(), &paths.journal(), &paths.ledger(), &inputs)?;
    Ok(Recording { trace, reference, problems })
}
