//! A disk of a server's own, of memory, that can be filled up: then the server's, and nobody else's, is full.
//!
//! Needs the right to mount (root). Rejected: a limit on the size of files, which stops a server with a signal
//! or another error than a full disk gives.

use crate::tools::run;
use crate::user::User;
use anyhow::{Context, Result};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Below this there is room for nothing.
const CRUMB: u64 = 4_096;

/// See the module. The keeper unmounts it.
#[derive(Debug)]
pub(crate) struct Disk {
    place: PathBuf,
}

/// Whether this machine lets us have one.
#[must_use]
pub fn possible() -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let mounted = mount(folder.path(), 1, None);
    mounted.is_ok() && run("umount", &[folder.path()], &[]).is_ok()
}

fn mount(place: &Path, mebibytes: u64, user: Option<User>) -> Result<()> {
    let mut options = format!("size={mebibytes}m,mode=700");
    if let Some((user, group)) = user.and_then(User::numbers) {
        options.push_str(&format!(",uid={user},gid={group}"));
    }
    let place = place.display().to_string();
    run("mount", &["-t", "tmpfs", "-o", &options, "bongsu-test", &place], &[]).map(drop)
}

impl Disk {
    /// A new one at an existing, empty folder.
    pub(crate) fn at(place: &Path, mebibytes: u64, user: User) -> Result<Self> {
        mount(place, mebibytes, Some(user)).context("a disk of its own")?;
        Ok(Self { place: place.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) -> Result<()> {
        let file = File::create(self.filler())?;
        let (mut filled, mut piece) = (0, u64::MAX);
        while piece >= CRUMB {
            let state = statvfs(&self.place)?;
            piece = piece.min(state.f_bavail * state.f_frsize);
            match fallocate(&file, FallocateFlags::empty(), filled, piece) {
                Ok(()) => filled += piece,
                // The server took some of it meanwhile, or not all that is told to be there can be had.
                Err(Errno::NOSPC) => piece /= 2,
                // Nothing is left to ask for.
                Err(Errno::INVAL) if piece == 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    pub(crate) fn free(&self) -> Result<()> {
        std::fs::remove_file(self.filler()).context("the disk was not filled")
    }
}
