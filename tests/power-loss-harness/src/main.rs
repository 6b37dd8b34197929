//! `power-loss-harness`: records what a server under load does to its files, makes images of what
//! a power loss would have left of them, and checks that each still has all that was promised.
//!
//! A killed process loses nothing that it wrote, since the system's cache outlives it; only this
//! shows whether it waits for the disk before it promises.

#![allow(clippy::disallowed_methods, reason = "a program of its own that waits for real processes: the machine's clock is what it measures")]

mod check;
mod death;
mod disk;
mod image;
mod images;
mod recording;
mod reference;
mod restart;
mod self_test;
mod trace;

use anyhow::{Context, Result};
use check::{Expected, Wrong};
use clap::Parser;
use crash_harness::server::{self, Paths};
use images::{Kept, Plan, Tally};
use recording::{Providers, Recording};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Images of one recording. The next ones are of another, with other clients and other kills.
const OF_ONE: usize = 5_000;
/// One image in so many is really started.
const START_ONE_IN: usize = 500;

/// Checks that nothing promised is lost with the power. The last line of output is a JSON object;
/// status 1 on any violation.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  power-loss-harness --images 5000 --seed 1\n  power-loss-harness --self-test")]
struct Arguments {
    /// How many images.
    #[arg(long, default_value_t = 5_000)]
    images: usize,
    /// Seed of the load, of the moments and of what is lost.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plants faults in the server and demands that each is found.
    #[arg(long)]
    self_test: bool,
    /// Threads that check images.
    #[arg(long)]
    threads: Option<usize>,
    /// The server's binary, built with `failpoints` [default: bongsu beside this one].
    #[arg(long, env = "BONGSU_BIN")]
    binary: Option<PathBuf>,
    /// Check a recording that an earlier run has kept, starting no server.
    #[arg(long, conflicts_with = "self_test")]
    recorded: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    eprintln!("seed {0}; the same again: tests/power-loss --images {1} --seed {0}", arguments.seed, arguments.images);
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => server::default_binary()?,
    };
    let run = Run { binary: binary.canonicalize().with_context(|| format!("{} is not built", binary.display()))?, threads: threads(&arguments) };
    let summary = match &arguments.recorded {
        Some(folder) => run.again(folder, arguments.images, arguments.seed)?,
        None if arguments.self_test => self_test::run(&run, arguments.images.min(self_test::IMAGES), arguments.seed).await?,
        None => run.all(arguments.images, arguments.seed).await?,
    };
    println!("{summary}");
    Ok(if summary["violations"] == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn threads(arguments: &Arguments) -> usize {
    arguments.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// What is the same for all recordings.
struct Run {
    binary: PathBuf,
    threads: usize,
}

/// A recording's images, judged.
struct Judged {
    tally: Tally,
    acknowledged: usize,
    operations: usize,
    started: usize,
    /// Seconds that the images took, without the recording.
    checking: f64,
}

/// A folder in memory where there is one: images are made thousands of times.
fn scratch() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let builder = || tempfile::Builder::new().prefix("bongsu-power-").to_owned();
    let made = if memory.is_dir() { builder().tempdir_in(memory) } else { builder().tempdir() };
    Ok(made.or_else(|_| builder().tempdir())?)
}

impl Run {
    /// As many recordings as it takes.
    async fn all(&self, images: usize, seed: u64) -> Result<Value> {
        let start = Instant::now();
        let (mut done, mut number) = (Vec::new(), 0);
        let mut left = images;
        while left > 0 {
            let some = left.min(OF_ONE);
            done.push(self.one(some, seed.wrapping_add(number), None, START_ONE_IN).await?);
            left -= some;
            number += 1;
        }
        Ok(summary(&done, seed, start.elapsed().as_secs()))
    }

    /// One recording and its images. The folder is kept on a violation.
    async fn one(&self, images: usize, seed: u64, fault: Option<&str>, start_one_in: usize) -> Result<Judged> {
        let mut folder = tempfile::Builder::new().prefix("bongsu-power-").tempdir()?;
        let scratch = scratch()?;
        let paths = Paths { binary: self.binary.clone(), root: folder.path().canonicalize()? };
        let recorder = recording::build_recorder(scratch.path()).await?;
        let providers = Providers::start(&paths, seed).await?;
        let into = scratch.path().join("record");
        let start = Instant::now();
        let recorded = recording::record(&paths, &into, &recorder, &providers, seed, fault).await;
        let judged = match recorded {
            Ok(recording) => {
                eprintln!("recorded in {:.1} s", start.elapsed().as_secs_f64());
                let plan = Plan { images, start_one_in, seed, threads: self.threads, scratch: scratch.path().to_owned() };
                self.judge(&recording, &plan, &paths, Some(&providers)).await
            }
            Err(error) => Err(error),
        };
        if fault.is_none() && !matches!(&judged, Ok(judged) if judged.tally.violations == 0) {
            folder.disable_cleanup(true);
            let _ = std::fs::copy(&into, paths.root.join("record"));
            eprintln!("everything is kept; again: tests/power-loss --recorded {} --images {images} --seed {seed}", paths.root.display());
        }
        providers.stop().await?;
        judged
    }

    async fn judge(&self, recording: &Recording, plan: &Plan, paths: &Paths, providers: Option<&Providers>) -> Result<Judged> {
        let start = Instant::now();
        let mut tally = images::judge(recording, plan)?;
        let checking = start.elapsed().as_secs_f64();
        for problem in &recording.problems {
            tally.violations += 1;
            tally.tell(format!("without any power loss: {problem}"));
        }
        let kept = std::mem::take(&mut tally.kept);
        let mut started = 0;
        if let Some(providers) = providers {
            for image in kept {
                let problems = self.restart(recording, &image, paths, providers).await?;
                started += 1;
                tally.violations += usize::from(!problems.is_empty());
                problems.into_iter().for_each(|problem| tally.tell(format!("image {}, started: {problem}", image.number)));
            }
        }
        tally.examples.iter().for_each(|example| eprintln!("{example}"));
        eprintln!("{} images of {} operations in {checking:.1} s, {started} started", tally.images, recording.trace.steps.len());
        Ok(Judged { tally, acknowledged: recording.reference.promises.len(), operations: recording.trace.steps.len(), started, checking })
    }

    async fn restart(&self, recording: &Recording, image: &Kept, paths: &Paths, providers: &Providers) -> Result<Vec<String>> {
        let expected = Expected { reference: &recording.reference, recorded: image.recorded, moment: image.moment };
        restart::restart(&self.binary, image.root.clone(), &paths.root, &expected, image.head, providers).await
    }

    /// A recording that was kept.
    fn again(&self, folder: &Path, images: usize, seed: u64) -> Result<Value> {
        let start = Instant::now();
        let scratch = scratch()?;
        let paths = Paths { binary: self.binary.clone(), root: folder.canonicalize()? };
        let recording = recording::read(&paths, &paths.root.join("record"))?;
        let plan = Plan { images, start_one_in: 0, seed, threads: self.threads, scratch: scratch.path().to_owned() };
        let tally = images::judge(&recording, &plan)?;
        tally.examples.iter().for_each(|example| eprintln!("{example}"));
        let judged = Judged {
            acknowledged: recording.reference.promises.len(),
            operations: recording.trace.steps.len(),
            started: 0,
            checking: start.elapsed().as_secs_f64(),
            tally,
        };
        Ok(summary(&[judged], seed, start.elapsed().as_secs()))
    }
}

fn summary(done: &[Judged], seed: u64, seconds: u64) -> Value {
    let sum = |of: fn(&Judged) -> usize| done.iter().map(of).sum::<usize>();
    let wrong = |wrong: Wrong| done.iter().filter_map(|judged| judged.tally.wrong.get(&wrong)).sum::<usize>();
    let checking: f64 = done.iter().map(|judged| judged.checking).sum();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure for people")]
    let per_second = (sum(|judged| judged.tally.images) as f64 / checking.max(0.001)).round() as u64;
    json!({
        "images": sum(|judged| judged.tally.images), "acknowledged": sum(|judged| judged.acknowledged),
        "lost": wrong(Wrong::Lost), "corrupt": wrong(Wrong::Corrupt), "started": sum(|judged| judged.started),
        "violations": sum(|judged| judged.tally.violations), "unexplained": wrong(Wrong::Unexplained), "ahead": wrong(Wrong::Ahead),
        "locked_out": wrong(Wrong::LockedOut), "recordings": done.len(), "operations": sum(|judged| judged.operations),
        "images_per_s": per_second, "seconds": seconds, "seed": seed,
    })
}
