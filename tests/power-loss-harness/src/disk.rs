//! A disk as a power loss leaves it: what was synced, and of the rest what chance kept.
//!
//! A sync of a file makes its earlier writes and its length durable, a sync of a folder the names
//! in it, and nothing else does: not even closing, renaming, or syncing the file of a new name.
//! Real file systems promise more; what holds here holds on each of them.

use crate::trace::{FileNo, Op, Synced, Trace, folder_of};
use rand::RngExt as _;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::path::Path;

#[cfg(test)]
mod tests;

/// What a disk writes whole.
pub const SECTOR: u64 = 512;

/// A change of a file that is not synced yet.
#[derive(Debug, Clone)]
enum Change {
    Write(u64, Range<usize>),
    Truncate(u64),
}

/// A file's durable content and what is not.
#[derive(Debug, Default)]
pub struct File {
    /// The bytes that a power loss leaves in any case.
    pub durable: Vec<u8>,
    pending: VecDeque<(usize, Change)>,
    /// Where `durable` has changed since this was last emptied.
    pub changed: Vec<Range<u64>>,
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A file.
    File(FileNo),
    /// A folder.
    Folder,
}

type Names = BTreeMap<String, Named>;

#[derive(Debug, Clone)]
enum Naming {
    Give(String, Named),
    Rename(String, String),
    Remove(String),
}

impl Naming {
    fn folder(&self) -> &str {
        match self {
            Self::Give(name, _) | Self::Rename(name, _) | Self::Remove(name) => folder_of(name),
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Give(name, named) => drop(names.insert(name.clone(), *named)),
            Self::Rename(from, to) => {
                if let Some(named) = names.remove(from) {
                    names.insert(to.clone(), named);
                }
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }
}

/// A piece of a write that was kept, or what it left of a file's length.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes of the record at a place.
    Bytes(u64, Range<usize>),
    /// A shorter or longer file.
    Length(u64),
    /// At least so long.
    Reach(u64),
}

/// One outcome of a power loss.
#[derive(Debug)]
pub struct Outcome {
    /// What there is.
    pub names: Names,
    /// What was kept of each file beyond its durable content, in order.
    pub pieces: HashMap<FileNo, Vec<Piece>>,
}

/// How much chance keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Nothing,
    All,
    /// The first ones; the next is torn.
    First,
    /// Each with this chance of a hundred.
    Some(u8),
    /// Each with even chance, and each of its sectors so.
    Torn,
    /// All but one.
    AllBut,
}

/// See the module.
#[derive(Debug)]
pub struct Disk<'a> {
    trace: &'a Trace,
    next: usize,
    /// By number.
    pub files: Vec<File>,
    names: Names,
    naming: VecDeque<(usize, Naming)>,
    syncs: HashMap<u64, (usize, Synced)>,
}

impl<'a> Disk<'a> {
    /// Before the first operation.
    pub fn new(trace: &'a Trace) -> Self {
        let files = (0..trace.files).map(|_| File::default()).collect();
        Self { trace, next: 0, files, names: Names::new(), naming: VecDeque::new(), syncs: HashMap::new() }
    }

    /// The folder below which everything is.
    pub fn root(&self) -> &str {
        &self.trace.root
    }

    /// Bytes of the record.
    pub fn bytes(&self, range: &Range<usize>) -> &'a [u8] {
        &self.trace.bytes[range.clone()]
    }

    /// As of the operations before this one. Never goes back.
    pub fn advance(&mut self, to: usize) {
        while self.next < to {
            let step = self.next;
            self.next += 1;
            match &self.trace.steps[step].op {
                Op::Write(file, offset, bytes) => self.files[*file].pending.push_back((step, Change::Write(*offset, bytes.clone()))),
                Op::Truncate(file, length) => self.files[*file].pending.push_back((step, Change::Truncate(*length))),
                Op::Create(name, file) => self.naming.push_back((step, Naming::Give(name.clone(), Named::File(*file)))),
                Op::MakeFolder(name) => self.naming.push_back((step, Naming::Give(name.clone(), Named::Folder))),
                Op::Rename(from, to) => self.naming.push_back((step, Naming::Rename(from.clone(), to.clone()))),
                Op::Remove(name) => self.naming.push_back((step, Naming::Remove(name.clone()))),
                Op::SyncCalled(number, of) => drop(self.syncs.insert(*number, (step, of.clone()))),
                Op::SyncDone(number) => match self.syncs.remove(number) {
                    Some((called, Synced::File(file))) => self.files[file].settle(called, &self.trace.bytes),
                    Some((called, Synced::Folder(folder))) => self.settle_names(called, &folder),
                    None => {}
                },
                Op::Nothing => {}
            }
        }
    }

    fn settle_names(&mut self, called: usize, folder: &str) {
        let names = &mut self.names;
        self.naming.retain(|(step, naming)| {
            let settled = *step < called && naming.folder() == folder;
            if settled {
                naming.apply(names);
            }
            !settled
        });
    }

    /// Everything kept, as if there had been no power loss.
    pub fn everything(&self) -> Outcome {
        self.outcome(|_| Keep::All, Keep::All, None)
    }

    /// A file's bytes in an outcome.
    pub fn content(&self, file: FileNo, outcome: &Outcome) -> Vec<u8> {
        let mut content = self.files[file].durable.clone();
        for piece in outcome.pieces.get(&file).into_iter().flatten() {
            match piece {
                Piece::Bytes(offset, bytes) => {
                    let (start, end) = (to_index(*offset), to_index(*offset) + bytes.len());
                    content.resize(content.len().max(end), 0);
                    content[start..end].copy_from_slice(self.bytes(bytes));
                }
                Piece::Length(to) => content.resize(to_index(*to), 0),
                Piece::Reach(to) => content.resize(content.len().max(to_index(*to)), 0),
            }
        }
        content
    }

    /// What a power loss now may leave.
    pub fn lose_power(&self, random: &mut StdRng) -> Outcome {
        // One in five images each that keeps nothing or everything of what was not synced: the
        // commonest mistakes show there. In the others each file has its own fate.
        let all = match random.random_range(0..10) {
            0 | 1 => Some(Keep::Nothing),
            2 => Some(Keep::All),
            _ => None,
        };
        let seeds: Vec<Keep> = self.files.iter().map(|_| all.unwrap_or_else(|| keep(random))).collect();
        let names = all.unwrap_or_else(|| keep(random));
        self.outcome(|file| seeds[file], names, Some(random))
    }

    fn outcome(&self, of: impl Fn(FileNo) -> Keep, of_names: Keep, mut random: Option<&mut StdRng>) -> Outcome {
        let mut names = self.names.clone();
        let choice = Choice::new(of_names, self.naming.len(), random.as_deref_mut());
        for (index, (_, naming)) in self.naming.iter().enumerate() {
            if choice.keeps(index, random.as_deref_mut()) {
                naming.apply(&mut names);
            }
        }
        // A name in a folder that is gone is gone with it.
        let folders: Vec<String> = names.iter().filter(|(_, named)| **named == Named::Folder).map(|(name, _)| name.clone()).collect();
        let data = format!("{}/data", self.trace.root);
        names.retain(|name, _| {
            if !Path::new(name).starts_with(&data) {
                return false;
            }
            let mut folder = folder_of(name);
            while folder.len() > self.trace.root.len() {
                if !folders.iter().any(|there| there == folder) {
                    return false;
                }
                folder = folder_of(folder);
            }
            true
        });
        let mut pieces = HashMap::new();
        for named in names.values() {
            if let Named::File(file) = named {
                let kept = self.files[*file].survivors(of(*file), random.as_deref_mut());
                pieces.insert(*file, kept);
            }
        }
        Outcome { names, pieces }
    }
}

fn keep(random: &mut StdRng) -> Keep {
    match random.random_range(0..10) {
        0 => Keep::Nothing,
        1 => Keep::All,
        2 => Keep::First,
        3 => Keep::Some(10),
        4 | 5 => Keep::Some(50),
        6 => Keep::Some(90),
        7 | 8 => Keep::Torn,
        _ => Keep::AllBut,
    }
}

/// How one file's, or the folders', unsynced operations fare.
struct Choice {
    keep: Keep,
    border: usize,
}

impl Choice {
    fn new(keep: Keep, count: usize, random: Option<&mut StdRng>) -> Self {
        let border = random.map_or(0, |random| random.random_range(0..=count));
        Self { keep, border }
    }

    fn keeps(&self, index: usize, random: Option<&mut StdRng>) -> bool {
        let chance = |percent: u8| random.is_some_and(|random| random.random_range(0..100) < percent);
        match self.keep {
            Keep::Nothing => false,
            Keep::All => true,
            Keep::First => index < self.border,
            Keep::Some(percent) => chance(percent),
            Keep::Torn => chance(50),
            Keep::AllBut => index != self.border,
        }
    }

    fn tears(&self, index: usize) -> bool {
        self.keep == Keep::Torn || (self.keep == Keep::First && index == self.border)
    }
}

impl File {
    /// What was done before a sync was called is durable once it has succeeded.
    fn settle(&mut self, called: usize, bytes: &[u8]) {
        while self.pending.front().is_some_and(|(step, _)| *step < called) {
            match self.pending.pop_front() {
                Some((_, Change::Write(offset, range))) => {
                    let (start, end) = (to_index(offset), to_index(offset) + range.len());
                    self.changed.push(offset..offset + range.len() as u64);
                    if self.durable.len() < end {
                        self.changed.push(self.durable.len() as u64..end as u64);
                        self.durable.resize(end, 0);
                    }
                    self.durable[start..end].copy_from_slice(&bytes[range]);
                }
                Some((_, Change::Truncate(length))) => {
                    let (before, after) = (self.durable.len() as u64, length);
                    self.changed.push(before.min(after)..before.max(after));
                    self.durable.resize(to_index(length), 0);
                }
                None => {}
            }
        }
    }

    fn survivors(&self, keep: Keep, mut random: Option<&mut StdRng>) -> Vec<Piece> {
        let choice = Choice::new(keep, self.pending.len(), random.as_deref_mut());
        let mut pieces = Vec::new();
        for (index, (_, change)) in self.pending.iter().enumerate() {
            let torn = choice.tears(index);
            if !torn && !choice.keeps(index, random.as_deref_mut()) {
                continue;
            }
            match (change, random.as_deref_mut().filter(|_| torn)) {
                (Change::Truncate(length), _) => pieces.push(Piece::Length(*length)),
                (Change::Write(offset, bytes), None) => pieces.push(Piece::Bytes(*offset, bytes.clone())),
                (Change::Write(offset, bytes), Some(random)) => tear(*offset, bytes, random, &mut pieces),
            }
        }
        pieces
    }
}

/// Some of a write's sectors; its length may be kept without its content.
fn tear(offset: u64, bytes: &Range<usize>, random: &mut StdRng, pieces: &mut Vec<Piece>) {
    let end = offset + bytes.len() as u64;
    if random.random_bool(0.5) {
        pieces.push(Piece::Reach(end));
    }
    let mut at = offset;
    while at < end {
        let next = ((at / SECTOR + 1) * SECTOR).min(end);
        if random.random_bool(0.5) {
            pieces.push(Piece::Bytes(at, bytes.start + to_index(at - offset)..bytes.start + to_index(next - offset)));
        }
        at = next;
    }
}

/// An offset in memory. Records are read whole, so offsets fit.
pub fn to_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
