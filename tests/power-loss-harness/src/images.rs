//! Many images of one recording, on several threads, and what they showed.

use crate::check::{Expected, Findings, Wrong, check};
use crate::disk::Disk;
use crate::image::Image;
use crate::recording::Recording;
use crate::trace::{Op, Trace};
use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One image in so many is read back and compared with what it should be.
const VERIFIED: usize = 200;
/// Operations after the start of a process that are looked at more closely.
const AROUND_START: usize = 400;
/// Examples that are told.
const EXAMPLES: usize = 20;

/// How many images, which of them are started, and where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Images.
    pub images: usize,
    /// One in so many is kept for a real start; none for 0.
    pub start_one_in: usize,
    /// Seed of cuts and outcomes.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Where images are made, best in memory.
    pub scratch: PathBuf,
}

/// An image that is to be started.
#[derive(Debug)]
pub struct Kept {
    /// Its number.
    pub number: usize,
    /// The folder that holds its data folder.
    pub root: PathBuf,
    /// Bytes recorded before the power loss.
    pub recorded: u64,
    /// When that was (ns since the epoch).
    pub moment: u64,
    /// Events in its log.
    pub head: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Tally {
    /// Images.
    pub images: usize,
    /// Images that show a wrong, by kind.
    pub wrong: BTreeMap<Wrong, usize>,
    /// Images that show any.
    pub violations: usize,
    /// Some of them.
    pub examples: Vec<String>,
    /// For a real start.
    pub kept: Vec<Kept>,
}

impl Tally {
    fn note(&mut self, number: usize, cut: usize, findings: &Findings) {
        self.images += 1;
        self.violations += usize::from(!findings.wrongs.is_empty());
        for (wrong, (_, what)) in &findings.wrongs {
            *self.wrong.entry(*wrong).or_default() += 1;
            self.tell(format!("image {number}, power lost before operation {cut}: {wrong:?}: {what}"));
        }
    }

    /// Keeps an example.
    pub fn tell(&mut self, example: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }

    fn merge(&mut self, other: Self) {
        self.images += other.images;
        self.violations += other.violations;
        for (wrong, count) in other.wrong {
            *self.wrong.entry(wrong).or_default() += count;
        }
        other.examples.into_iter().for_each(|example| self.tell(example));
        self.kept.extend(other.kept);
    }
}

/// Where the power goes: before which operation. Most anywhere; some while the folder is made,
/// some after a start, where few operations do much.
fn cuts(recording: &Recording, plan: &Plan) -> Vec<usize> {
    let trace = &recording.trace;
    let all = trace.steps.len();
    let first_promise = recording.reference.promises.first().map_or(0, |promise| promise.recorded);
    let made = trace.steps.partition_point(|step| step.end <= first_promise).max(1);
    let starts: Vec<usize> = (1..all).filter(|step| trace.steps[*step].process != trace.steps[step - 1].process).collect();
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut cuts: Vec<usize> = (0..plan.images)
        .map(|_| match random.random_range(0..10) {
            0 => random.random_range(0..=made),
            1 if !starts.is_empty() => (starts[random.random_range(0..starts.len())] + random.random_range(0..AROUND_START)).min(all),
            _ => random.random_range(0..=all),
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

/// Makes and judges the images.
pub fn judge(recording: &Recording, plan: &Plan) -> Result<Tally> {
    let cuts = cuts(recording, plan);
    let share = cuts.len().div_ceil(plan.threads.max(1)).max(1);
    let tallies: Vec<Result<Tally>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            cuts.chunks(share).enumerate().map(|(index, cuts)| scope.spawn(move || judge_some(recording, plan, index * share, cuts, index))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))).collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.merge(tally?);
    }
    Ok(all)
}

fn judge_some(recording: &Recording, plan: &Plan, first: usize, cuts: &[usize], thread: usize) -> Result<Tally> {
    let trace = &recording.trace;
    let mut disk = Disk::new(trace);
    let mut image = Image::new(plan.scratch.join(format!("image-{thread}")))?;
    let mut tally = Tally::default();
    for (index, cut) in cuts.iter().copied().enumerate() {
        let number = first + index;
        disk.advance(cut);
        let mut random = StdRng::seed_from_u64(plan.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let outcome = disk.lose_power(&mut random);
        image.place(&mut disk, &outcome).with_context(|| format!("image {number}"))?;
        let (recorded, moment) = moment(trace, cut);
        // Copied before the checker has looked at it.
        let wanted = plan.start_one_in > 0 && (number % plan.start_one_in == plan.start_one_in / 2 || number == plan.images / 50);
        let root = plan.scratch.join(format!("started-{number}"));
        if wanted {
            copy(&image.data(), &root.join("data"))?;
        }
        let findings = check(&image.data(), &Expected { reference: &recording.reference, recorded, moment })?;
        tally.note(number, cut, &findings);
        if wanted {
            tally.kept.push(Kept { number, root, recorded, moment, head: findings.head });
        }
        if outcome.names.keys().any(|name| name.ends_with("-journal")) {
            // SQLite has rolled it back, in the file.
            image.forget()?;
        } else if number.is_multiple_of(VERIFIED) {
            image.verify(&disk, &outcome).with_context(|| format!("image {number}"))?;
        }
    }
    Ok(tally)
}

/// What was recorded before the power loss, and until when there was power at least.
fn moment(trace: &Trace, cut: usize) -> (u64, u64) {
    let recorded = cut.checked_sub(1).map_or(0, |last| trace.steps[last].end);
    // One record may be two operations: what had come by its end had both.
    let whole = trace.steps.get(cut).is_none_or(|next| next.end != recorded || matches!(next.op, Op::Nothing));
    let recorded = if whole { recorded } else { recorded.saturating_sub(1) };
    let moment = trace.steps.get(cut).or(trace.steps.last()).map_or(0, |step| step.at.saturating_sub(1));
    (recorded, moment)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    let Ok(entries) = std::fs::read_dir(from) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
