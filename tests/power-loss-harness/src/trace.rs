//! The record of one recording, read: operations in order, on files that have numbers.
//!
//! Guarantee: what the recorder could not describe, and what this does not understand, is an
//! error, never left out. Names are resolved here, once, by following every creation, rename and
//! removal; resolving them anew for each image was rejected as thousands of times the work.

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// Bytes of a record before its content (tests/shims/recorder.c).
const HEADER: usize = 32;

/// A file's number, from 0 in order of creation. A name that is removed and made again is another.
pub type FileNo = usize;

/// What a sync was of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synced {
    /// A file's content and length.
    File(FileNo),
    /// A folder's names.
    Folder(String),
}

/// What was done.
#[derive(Debug, Clone)]
pub enum Op {
    /// Bytes of the record that went to a place in a file.
    Write(FileNo, u64, Range<usize>),
    /// A new length.
    Truncate(FileNo, u64),
    /// A file has got a name.
    Create(String, FileNo),
    /// A folder has got a name.
    MakeFolder(String),
    /// A name has taken another's place.
    Rename(String, String),
    /// A name has gone.
    Remove(String),
    /// A sync was called; its number is unique.
    SyncCalled(u64, Synced),
    /// It has succeeded.
    SyncDone(u64),
    /// Nothing that outlives the machine, such as opening a file that is there.
    Nothing,
}

/// An operation and its place.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where its record ends: what the recorder's file was as long as, right after it.
    pub end: u64,
    /// When (ns since the epoch).
    pub at: u64,
    /// By which process.
    pub process: u32,
    /// What.
    pub op: Op,
}

/// A whole record.
#[derive(Debug)]
pub struct Trace {
    /// The folder below which everything happened; it was there before.
    pub root: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// In order.
    pub steps: Vec<Step>,
    /// Files that there ever were.
    pub files: usize,
}

struct Raw<'a> {
    at: u64,
    first: u64,
    process: u32,
    descriptor: i32,
    kind: u8,
    flags: u8,
    content: &'a [u8],
    start: usize,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

fn raw(bytes: &[u8], start: usize) -> Result<Raw<'_>> {
    let header = bytes.get(start..start + HEADER).context("half a record")?;
    let length = u32::from_ne_bytes(array(header, 20)) as usize;
    Ok(Raw {
        at: u64::from_ne_bytes(array(header, 0)),
        first: u64::from_ne_bytes(array(header, 8)),
        process: u32::from_ne_bytes(array(header, 16)),
        descriptor: i32::from_ne_bytes(array(header, 24)),
        kind: header[28],
        flags: header[29],
        content: bytes.get(start + HEADER..start + HEADER + length).context("half a record")?,
        start: start + HEADER,
    })
}

/// A record as the recorder writes it, of process 0.
pub fn record(kind: u8, at: u64, first: u64, descriptor: i32, content: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEADER + content.len());
    record.extend(at.to_ne_bytes());
    record.extend(first.to_ne_bytes());
    record.extend(0_u32.to_ne_bytes());
    record.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_ne_bytes());
    record.extend(descriptor.to_ne_bytes());
    record.extend([kind, 0, 0, 0]);
    record.extend(content);
    record
}

/// Follows names and descriptors.
#[derive(Default)]
struct Reader {
    names: HashMap<String, Synced>,
    descriptors: HashMap<(u32, i32), (Synced, bool)>,
    lengths: Vec<u64>,
}

impl Reader {
    fn op(&mut self, raw: &Raw<'_>) -> Result<Vec<Op>> {
        let mut texts = raw.content.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        Ok(match raw.kind {
            b'o' => self.open(raw, text()),
            b'w' => {
                let (file, append) = self.file(raw)?;
                let offset = if append { self.lengths[file] } else { raw.first };
                self.lengths[file] = self.lengths[file].max(offset + raw.content.len() as u64);
                vec![Op::Write(file, offset, raw.start..raw.start + raw.content.len())]
            }
            b't' => {
                let (file, _) = self.file(raw)?;
                self.lengths[file] = raw.first;
                vec![Op::Truncate(file, raw.first)]
            }
            b's' => vec![Op::SyncCalled(number(raw), self.target(raw)?.0.clone())],
            b'S' => vec![Op::SyncDone(number(raw))],
            b'r' => {
                let (from, to) = (text(), text());
                let Some(moved @ Synced::File(_)) = self.names.remove(&from) else { bail!("{from} was renamed and is no file that was recorded") };
                ensure!(folder_of(&from) == folder_of(&to), "{from} went to another folder");
                self.names.insert(to.clone(), moved);
                vec![Op::Rename(from, to)]
            }
            b'u' => {
                let name = text();
                ensure!(self.names.remove(&name).is_some(), "{name} was removed and was not recorded");
                vec![Op::Remove(name)]
            }
            b'm' => {
                let name = text();
                self.names.insert(name.clone(), Synced::Folder(name.clone()));
                vec![Op::MakeFolder(name)]
            }
            _ => bail!("the server did what cannot be recorded: {} {:?}", char::from(raw.kind), text()),
        })
    }

    fn open(&mut self, raw: &Raw<'_>, name: String) -> Vec<Op> {
        let (truncated, folder, append) = (raw.flags & 1 != 0, raw.flags & 2 != 0, raw.flags & 4 != 0);
        let mut done = Vec::new();
        let target = match self.names.get(&name) {
            Some(target) => target.clone(),
            None if folder => Synced::Folder(name),
            None => {
                let file = self.lengths.len();
                self.lengths.push(0);
                self.names.insert(name.clone(), Synced::File(file));
                done.push(Op::Create(name, file));
                Synced::File(file)
            }
        };
        if truncated && let Synced::File(file) = target {
            self.lengths[file] = 0;
            done.push(Op::Truncate(file, 0));
        }
        self.descriptors.insert((raw.process, raw.descriptor), (target, append));
        done
    }

    fn target(&self, raw: &Raw<'_>) -> Result<&(Synced, bool)> {
        self.descriptors.get(&(raw.process, raw.descriptor)).with_context(|| format!("descriptor {} was not opened", raw.descriptor))
    }

    fn file(&self, raw: &Raw<'_>) -> Result<(FileNo, bool)> {
        match self.target(raw)? {
            (Synced::File(file), append) => Ok((*file, *append)),
            (Synced::Folder(name), _) => bail!("a write to the folder {name}"),
        }
    }
}

/// A sync's number, unique over processes.
fn number(raw: &Raw<'_>) -> u64 {
    u64::from(raw.process) << 32 | raw.first
}

/// The folder that holds a name.
pub fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Trace {
    /// Reads the recorder's file.
    pub fn read(path: &Path, root: &Path) -> Result<Self> {
        Self::parse(std::fs::read(path).with_context(|| format!("reading {}", path.display()))?, root)
    }

    /// How many of the bytes are whole records: a killed process may have left half of one.
    pub fn whole(bytes: &[u8]) -> usize {
        let mut start = 0;
        while let Ok(raw) = raw(bytes, start) {
            start = raw.start + raw.content.len();
        }
        start
    }

    /// Of a recorder's file.
    pub fn parse(bytes: Vec<u8>, root: &Path) -> Result<Self> {
        let root = root.display().to_string();
        let mut reader = Reader::default();
        let (mut steps, mut start) = (Vec::new(), 0);
        while start < bytes.len() {
            let raw = raw(&bytes, start)?;
            start = raw.start + raw.content.len();
            let mut done = reader.op(&raw).with_context(|| format!("record at {}", raw.start - HEADER))?;
            if done.is_empty() {
                done.push(Op::Nothing);
            }
            steps.extend(done.into_iter().map(|op| Step { end: start as u64, at: raw.at, process: raw.process, op }));
        }
        Ok(Self { root, files: reader.lengths.len(), bytes, steps })
    }
}
