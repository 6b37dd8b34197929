//! Copying logs and keys from any store to any other, and comparing the two.

use crate::app::data_dir::hex;
use crate::cli::exit::CliError;
use crate::cli::output::Progress;
use aws_lc_rs::digest::{Context, SHA256};
use commands::log::raw::{RawEvent, RawReader, RawWriter};
use commands::log::{KeyRows, Metadata, Position};
use commands::ports::{Clock, SystemClock};
use std::io::IsTerminal;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Events read and written at once.
const PAGE: usize = 4_000;
/// Keys likewise.
const KEYS: usize = 4_000;

/// A store of keys that is asked on threads of its own.
pub(super) type Keys = Arc<dyn KeyRows>;

/// What both sides of a copy hold.
pub(super) struct Compared {
    pub events: u64,
    pub sha256: String,
    /// The highest number of a replica that is named in it: a new database must not give it again.
    pub replica: u64,
}

/// How far something is, told with its rate.
struct Told {
    progress: Progress,
    clock: SystemClock,
    from: Position,
}

impl Told {
    fn new(what: &'static str, from: Position) -> Self {
        Self { progress: Progress::new(what, std::io::stderr().is_terminal()), clock: SystemClock::default(), from }
    }

    fn at(&mut self, done: Position, all: Position) {
        let seconds = self.clock.monotonic().as_secs_f64();
        let rate = (seconds > 0.0).then(|| (done - self.from) as f64 / seconds);
        self.progress.at(done, all, rate);
    }
}

/// Fills a log from where it ends on; the next page is read while one is written.
pub(super) async fn log(from: &dyn RawReader, mut to: Box<dyn RawWriter>, head: Position) -> Result<(), CliError> {
    let mut told = Told::new("events copied", to.head());
    let mut page = commits(from, to.head()).await?;
    while let Some(last) = page.last().map(|event| event.position) {
        let write = move || to.write(&page).map(|()| to);
        let (written, next) = tokio::join!(spawn_blocking(write), commits(from, last));
        to = written.map_err(CliError::failure)?.map_err(CliError::failure)?;
        page = next?;
        told.at(last, head);
    }
    told.progress.finish();
    Ok(())
}

/// Whole commits after a position.
async fn commits(log: &dyn RawReader, after: Position) -> Result<Vec<RawEvent>, CliError> {
    let mut page = log.read_raw(after, PAGE).await?;
    let Some(last) = page.last() else { return Ok(page) };
    if last.commit.last == last.position {
        return Ok(page);
    }
    let (first, until) = (last.commit.first, last.commit.last);
    page.retain(|event| event.position < first);
    if !page.is_empty() {
        return Ok(page);
    }
    // One commit that is larger than a page.
    let all = usize::try_from(until - after).unwrap_or(usize::MAX);
    Ok(log.read_raw(after, all).await?)
}

/// Reads both logs to their ends. They must be equal.
pub(super) async fn compare(one: &dyn RawReader, other: &dyn RawReader, head: Position) -> Result<Compared, CliError> {
    let mut told = Told::new("events compared", 0);
    let (mut left, mut right) = (Context::new(&SHA256), Context::new(&SHA256));
    let (mut position, mut replica, mut commit) = (0, 0, 0);
    loop {
        let (ours, theirs) = tokio::join!(one.read_raw(position, PAGE), other.read_raw(position, PAGE));
        let (ours, theirs) = (ours?, theirs?);
        if ours != theirs {
            let differs = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs).map(|(ours, _)| ours.position);
            let at = differs.unwrap_or(position + ours.len().min(theirs.len()) as u64 + 1);
            return Err(CliError::failure(format!("the copy differs from position {at} on")));
        }
        for event in &theirs {
            absorb(&mut right, event);
        }
        let Some(last) = ours.last().map(|event| event.position) else { break };
        for event in &ours {
            absorb(&mut left, event);
            if event.commit.first > commit {
                commit = event.commit.first;
                let metadata: Option<Metadata> = serde_json::from_str(&event.commit.metadata).ok();
                replica = metadata.and_then(|metadata| metadata.replica).unwrap_or_default().max(replica);
            }
        }
        position = last;
        told.at(position, head);
    }
    told.progress.finish();
    let (left, right) = (left.finish(), right.finish());
    if left.as_ref() != right.as_ref() || position != head {
        return Err(CliError::failure(format!("the copy ends at position {position}, and the log at {head}")));
    }
    Ok(Compared { events: position, sha256: hex(left.as_ref()), replica })
}

/// Everything that an event consists of, each part with its length before it.
fn absorb(digest: &mut Context, event: &RawEvent) {
    for number in [event.position, event.sequence, u64::from(event.version), event.commit.first, event.commit.last, event.commit.at.cast_unsigned()] {
        digest.update(&number.to_be_bytes());
    }
    let (kind, id) = (event.stream.kind.number(), event.stream.id);
    let sealed = event.sealed.as_deref();
    let parts = [&[kind][..], id.as_bytes(), event.name.as_bytes(), event.payload.as_bytes(), event.commit.metadata.as_bytes(), sealed.unwrap_or_default()];
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(&[u8::from(sealed.is_some())]);
}

/// Copies all keys into a store that has none; how many there are.
pub(super) async fn keys(from: Keys, to: Keys) -> Result<u64, CliError> {
    let copy = move || {
        let (mut after, mut copied) = (None, 0);
        loop {
            let page = from.after(after, KEYS)?;
            let Some((last, _)) = page.last() else { return Ok::<u64, CliError>(copied) };
            after = Some(*last);
            to.add(&page)?;
            copied += page.len() as u64;
        }
    };
    spawn_blocking(copy).await.map_err(CliError::failure)?
}

/// Whether two stores hold the same keys, wrapped in the same way; how many the first one has.
pub(super) async fn same_keys(one: Keys, other: Keys) -> Result<(bool, u64), CliError> {
    let compare = move || {
        let (mut after, mut count, mut same) = (None, 0, true);
        loop {
            let page = one.after(after, KEYS)?;
            same = same && page == other.after(after, KEYS)?;
            let Some((last, _)) = page.last() else { return Ok::<_, CliError>((same, count)) };
            after = Some(*last);
            count += page.len() as u64;
        }
    };
    spawn_blocking(compare).await.map_err(CliError::failure)?
}

/// Whether a log that is to be gone on with holds what its source holds, as far as its end tells.
pub(super) async fn goes_on(source: &dyn RawReader, unfinished: &dyn RawReader, end: Position) -> Result<bool, CliError> {
    let Some(before) = end.checked_sub(1) else { return Ok(true) };
    let (ours, theirs) = tokio::join!(source.read_raw(before, 1), unfinished.read_raw(before, 1));
    // What its newest commit goes up to differs while the rest is missing.
    let told =
        |events: Vec<RawEvent>| events.into_iter().next().map(|event| (event.stream, event.sequence, event.name, event.payload, event.sealed, event.commit.at));
    let (ours, theirs) = (told(ours?), told(theirs?));
    Ok(ours.is_some() && ours == theirs)
}
