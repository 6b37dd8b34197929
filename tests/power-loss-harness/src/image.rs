//! A data folder as an outcome left it, as real files.
//!
//! From one image to the next of the same folder only what differs is written: the rest of a file
//! is as the last image had it. That holds because the checker writes to none of them, which is
//! verified now and then by reading everything back. Writing each image whole was rejected: the
//! files have megabytes, and an image differs from the last one by kilobytes.

use crate::disk::{Disk, Named, Outcome, Piece, to_index};
use crate::trace::FileNo;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// More places than this, and a file is written whole.
const MOST_PLACES: usize = 4_096;

/// See the module.
#[derive(Debug)]
pub struct Image {
    root: PathBuf,
    placed: BTreeMap<String, Placed>,
}

#[derive(Debug)]
struct Placed {
    file: FileNo,
    /// Where the last outcome was more than the durable content.
    beyond: Vec<Range<u64>>,
}

impl Image {
    /// In a new folder.
    pub fn new(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root)?;
        Ok(Self { root, placed: BTreeMap::new() })
    }

    /// Where a recorded name stands here.
    fn path(&self, disk: &Disk<'_>, name: &str) -> PathBuf {
        self.root.join(name.strip_prefix(disk.root()).unwrap_or(name).trim_start_matches('/'))
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Makes the files those of the outcome.
    pub fn place(&mut self, disk: &mut Disk<'_>, outcome: &Outcome) -> Result<()> {
        let stays = |name: &str, placed: &Placed| outcome.names.get(name) == Some(&Named::File(placed.file));
        let gone: Vec<String> = self.placed.iter().filter(|(name, placed)| !stays(name, placed)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.placed.remove(&name);
            remove(&self.path(disk, &name))?;
        }
        for (name, named) in &outcome.names {
            let path = self.path(disk, name);
            match named {
                Named::Folder => fs::create_dir_all(&path)?,
                Named::File(file) => self.place_file(disk, outcome, name, *file, &path)?,
            }
        }
        self.sweep(&self.data(), disk, outcome)?;
        // What is not in this image is written whole when it comes again.
        for file in &mut disk.files {
            file.changed.clear();
        }
        Ok(())
    }

    /// Removes what SQLite made beside the image's files, and folders that are gone.
    fn sweep(&self, folder: &Path, disk: &Disk<'_>, outcome: &Outcome) -> Result<()> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            let below = path.strip_prefix(&self.root)?.display().to_string();
            match outcome.names.get(&format!("{}/{below}", disk.root())) {
                None if path.is_dir() => fs::remove_dir_all(&path)?,
                None => remove(&path)?,
                Some(Named::Folder) => self.sweep(&path, disk, outcome)?,
                Some(Named::File(_)) => {}
            }
        }
        if !outcome.names.contains_key(&format!("{}/data", disk.root())) {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    fn place_file(&mut self, disk: &Disk<'_>, outcome: &Outcome, name: &str, file: FileNo, path: &Path) -> Result<()> {
        let source = &disk.files[file];
        let length = source.durable.len() as u64;
        let target = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).with_context(|| path.display().to_string())?;
        let placed = self.placed.remove(name);
        match placed {
            Some(placed) if source.changed.len() + placed.beyond.len() <= MOST_PLACES => {
                target.set_len(length)?;
                for place in placed.beyond.iter().chain(&source.changed) {
                    let (start, end) = (place.start.min(length), place.end.min(length));
                    target.write_all_at(&source.durable[to_index(start)..to_index(end)], start)?;
                }
            }
            _ => {
                target.set_len(0)?;
                target.write_all_at(&source.durable, 0)?;
            }
        }
        let mut beyond = Vec::new();
        let mut reach = length;
        for piece in outcome.pieces.get(&file).into_iter().flatten() {
            match piece {
                Piece::Bytes(offset, bytes) => {
                    let end = offset + bytes.len() as u64;
                    target.write_all_at(disk.bytes(bytes), *offset)?;
                    beyond.push(*offset..end);
                    reach = reach.max(end);
                }
                Piece::Length(to) => {
                    target.set_len(*to)?;
                    beyond.push((*to).min(reach)..(*to).max(reach));
                    reach = *to;
                }
                Piece::Reach(to) => {
                    if reach < *to {
                        target.set_len(*to)?;
                        beyond.push(reach..*to);
                        reach = *to;
                    }
                }
            }
        }
        self.placed.insert(name.to_owned(), Placed { file, beyond });
        Ok(())
    }

    /// Forgets what is there: the next image is written whole. For after something wrote to it.
    pub fn forget(&mut self) -> Result<()> {
        self.placed.clear();
        if self.data().exists() {
            fs::remove_dir_all(self.data())?;
        }
        Ok(())
    }

    /// Reads everything back: each file of the outcome is there, as it should be.
    pub fn verify(&self, disk: &Disk<'_>, outcome: &Outcome) -> Result<()> {
        for (name, named) in &outcome.names {
            let Named::File(file) = named else { continue };
            let found = fs::read(self.path(disk, name)).with_context(|| format!("{name} is not in the image"))?;
            ensure!(found == disk.content(*file, outcome), "{name} is not what the image should have, or the checker wrote to it");
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
