//! Processes as the kernel shows them, and signals to whole trees of them.
//!
//! By the tree and not by the process group: each process of Postgres leads a group of its own.

use crate::wait::until;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashSet;

/// One process at one look. With the time of its birth it is told from a later one of the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its id.
    pub(crate) id: u32,
    /// Its parent's id.
    pub(crate) parent: u32,
    state: u8,
    born: u64,
}

impl Seen {
    /// A process that runs; none that only waits for its parent to take note of its end.
    pub(crate) fn look(id: u32) -> Option<Self> {
        // "id (name) state parent … born …"; the name may hold anything, even brackets.
        let line = std::fs::read(format!("/proc/{id}/stat")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let state = *fields.first()?.as_bytes().first()?;
        let seen = Self { id, parent: fields.get(1)?.parse().ok()?, state, born: fields.get(19)?.parse().ok()? };
        (!b"ZX".contains(&state)).then_some(seen)
    }

    fn now(self) -> Option<Self> {
        Self::look(self.id).filter(|now| now.born == self.born)
    }

    fn signal(self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw).context("not the id of a process")?;
        match kill_process(id, signal) {
            // It ended by itself in between.
            Err(rustix::io::Errno::SRCH) => Ok(()),
            other => other.with_context(|| format!("signalling process {}", self.id)),
        }
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(self) -> Result<()> {
        // Its number may be another one's by now.
        self.now().map_or(Ok(()), |one| one.signal(Signal::KILL))?;
        until("a killed process is gone", || Ok(self.now().is_none().then_some(())))
    }

    fn stop(self) -> Result<()> {
        self.signal(Signal::STOP)?;
        until("a stopped process stands still", || Ok(self.now().is_none_or(|now| now.state == b'T').then_some(())))
    }
}

/// The children of a process and theirs, in the order of the kernel's list.
pub(crate) fn descendants(of: u32) -> Result<Vec<Seen>> {
    let ids = std::fs::read_dir("/proc").context("reading /proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let all: Vec<Seen> = ids.filter_map(Seen::look).collect();
    let mut family = HashSet::from([of]);
    // A child may be listed before its parent: until a round finds nobody new.
    loop {
        let found: Vec<u32> = all.iter().filter(|one| family.contains(&one.parent) && !family.contains(&one.id)).map(|one| one.id).collect();
        if found.is_empty() {
            break;
        }
        family.extend(found);
    }
    Ok(all.into_iter().filter(|one| one.id != of && family.contains(&one.id)).collect())
}

/// Stops a process, then its descendants: one that stands still makes no new ones.
pub(crate) fn stop_tree(root: Seen) -> Result<Vec<Seen>> {
    root.stop()?;
    let children = descendants(root.id)?;
    children.iter().try_for_each(|child| child.stop())?;
    Ok(children)
}

/// Lets a stopped tree go on.
pub(crate) fn continue_tree(root: Seen) -> Result<()> {
    descendants(root.id)?.into_iter().chain([root]).try_for_each(|one| one.signal(Signal::CONT))
}

/// Kills a process and its descendants as the loss of the machine would: none of them gets to say
/// anything, because all stand still before the first one dies.
pub(crate) fn kill_tree(root: Seen) -> Result<()> {
    stop_tree(root)?.into_iter().chain([root]).try_for_each(Seen::kill)
}
