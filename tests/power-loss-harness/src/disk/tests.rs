#![allow(clippy::unwrap_used, missing_docs)]

use super::{Disk, Named, Outcome};
use crate::image::Image;
use crate::trace::{Trace, record};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::path::Path;

const DATA: &str = "/r/data";

/// What a process does, as its record.
#[derive(Default)]
struct Doing(Vec<u8>, u64);

impl Doing {
    /// In a folder that is there to stay; descriptor 1 is of it, 2 of the one that holds it.
    fn new() -> Self {
        let mut doing = Self::default();
        doing.name(b'm', &[DATA]).name(b'm', &["/r"]);
        doing.open(2, "/r").open(1, DATA).sync(2);
        doing
    }

    fn name(&mut self, kind: u8, names: &[&str]) -> &mut Self {
        let content: Vec<u8> = names.iter().flat_map(|name| [name.as_bytes(), &[0]].concat()).collect();
        self.0.extend(record(kind, 0, 0, -1, &content));
        self
    }

    fn open(&mut self, descriptor: i32, name: &str) -> &mut Self {
        self.0.extend(record(b'o', 0, 0, descriptor, &[name.as_bytes(), &[0]].concat()));
        self
    }

    fn write(&mut self, descriptor: i32, offset: u64, content: &[u8]) -> &mut Self {
        self.0.extend(record(b'w', 0, offset, descriptor, content));
        self
    }

    fn truncate(&mut self, descriptor: i32, length: u64) -> &mut Self {
        self.0.extend(record(b't', 0, length, descriptor, &[]));
        self
    }

    fn call(&mut self, descriptor: i32) -> u64 {
        self.1 += 1;
        self.0.extend(record(b's', 0, self.1, descriptor, &[]));
        self.1
    }

    fn done(&mut self, descriptor: i32, number: u64) -> &mut Self {
        self.0.extend(record(b'S', 0, number, descriptor, &[]));
        self
    }

    fn sync(&mut self, descriptor: i32) -> &mut Self {
        let number = self.call(descriptor);
        self.done(descriptor, number)
    }

    fn trace(&self) -> Trace {
        Trace::parse(self.0.clone(), Path::new("/r")).unwrap()
    }
}

fn file(disk: &Disk<'_>, outcome: &Outcome, name: &str) -> Option<Vec<u8>> {
    match outcome.names.get(&format!("{DATA}/{name}")) {
        Some(Named::File(file)) => Some(disk.content(*file, outcome)),
        _ => None,
    }
}

/// Everything that a power loss at the end may leave of a file.
fn outcomes(doing: &Doing, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    let trace = doing.trace();
    let mut disk = Disk::new(&trace);
    disk.advance(trace.steps.len());
    let mut random = StdRng::seed_from_u64(5);
    (0..400).map(|_| disk.lose_power(&mut random)).map(|outcome| file(&disk, &outcome, name)).collect()
}

fn some(contents: &[&[u8]]) -> BTreeSet<Option<Vec<u8>>> {
    contents.iter().map(|content| Some(content.to_vec())).collect()
}

#[test]
fn what_was_synced_stays_and_the_rest_may_go() {
    let mut doing = Doing::new();
    doing.open(3, "/r/data/a").sync(1).write(3, 0, b"one").sync(3);
    assert_eq!(outcomes(&doing, "a"), some(&[b"one"]));
    doing.write(3, 0, b"two");
    assert_eq!(outcomes(&doing, "a"), some(&[b"one", b"two"]));
    doing.sync(1);
    assert_eq!(outcomes(&doing, "a"), some(&[b"one", b"two"]), "the folder's sync says nothing of the content");
}

#[test]
fn a_sync_covers_what_was_written_before_it_was_called_and_counts_once_it_is_done() {
    let mut doing = Doing::new();
    doing.open(3, "/r/data/a").sync(1).write(3, 0, b"a");
    let number = doing.call(3);
    doing.write(3, 1, b"b");
    assert!(outcomes(&doing, "a").contains(&Some(Vec::new())), "it may still fail");
    doing.done(3, number);
    assert_eq!(outcomes(&doing, "a"), some(&[b"a", b"a\0", b"ab"]), "the length may come without the content");
}

#[test]
fn a_name_is_there_for_certain_once_its_folder_is_synced() {
    let mut doing = Doing::new();
    doing.open(3, "/r/data/a").write(3, 0, b"a").sync(3);
    assert!(outcomes(&doing, "a").contains(&None), "the file's own sync is not enough");
    doing.sync(1);
    assert_eq!(outcomes(&doing, "a"), some(&[b"a"]));
    doing.name(b'u', &["/r/data/a"]);
    assert_eq!(outcomes(&doing, "a").len(), 2);
    doing.sync(1);
    assert_eq!(outcomes(&doing, "a"), BTreeSet::from([None]));
}

#[test]
fn a_folder_whose_name_is_not_synced_goes_with_all_that_is_in_it() {
    let mut doing = Doing::new();
    doing.name(b'm', &["/r/data/views"]).open(4, "/r/data/views").open(3, "/r/data/views/a").write(3, 0, b"a").sync(3).sync(4);
    assert!(outcomes(&doing, "views/a").contains(&None));
    doing.sync(1);
    assert_eq!(outcomes(&doing, "views/a"), some(&[b"a"]));
}

#[test]
fn a_rename_leaves_the_old_or_the_new_and_the_new_whole_only_if_it_was_synced() {
    let mut doing = Doing::new();
    doing.open(3, "/r/data/a").write(3, 0, b"old").sync(3).open(4, "/r/data/b").sync(1).write(4, 0, b"new").sync(4).name(b'r', &["/r/data/b", "/r/data/a"]);
    assert_eq!(outcomes(&doing, "a"), some(&[b"old", b"new"]));
    let mut hasty = Doing::new();
    hasty.open(4, "/r/data/b").sync(1).write(4, 0, b"new").name(b'r', &["/r/data/b", "/r/data/a"]).sync(1);
    assert!(outcomes(&hasty, "a").contains(&Some(Vec::new())), "a name without content");
}

#[test]
fn a_write_is_torn_between_sectors_and_not_within() {
    let mut doing = Doing::new();
    doing.open(3, "/r/data/a").sync(1).write(3, 0, &[1; 1_500]).sync(3).write(3, 100, &[2; 1_300]);
    let found = outcomes(&doing, "a");
    for content in found.iter().flatten() {
        for sector in [100..512, 512..1_024, 1_024..1_400] {
            let first = content[sector.start];
            assert!(content[sector].iter().all(|byte| *byte == first));
        }
        assert!(content[..100].iter().chain(&content[1_400..]).all(|byte| *byte == 1));
    }
    assert_eq!(found.len(), 8, "each of three sectors may be there or not");
}

#[test]
fn what_cannot_be_recorded_is_an_error() {
    for wrong in [record(b'?', 0, 0, 3, b"sendfile\0"), record(b'w', 0, 0, 9, b"x"), record(b'u', 0, 0, -1, b"/r/data/unknown\0")] {
        assert!(Trace::parse(wrong, Path::new("/r")).is_err());
    }
}

/// The quick way to make an image gives what the plain way gives, whatever came before it.
#[test]
fn images_made_one_from_the_other_are_right() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..5 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut doing = Doing::new();
        for _ in 0..150 {
            let number = random.random_range(3..7);
            let name = format!("/r/data/{number}");
            match random.random_range(0..12) {
                0..6 => {
                    let content = vec![random.random_range(1..=255); random.random_range(1..3_000)];
                    doing.open(number, &name).write(number, random.random_range(0..6_000), &content);
                }
                6 => drop(doing.open(number, &name).truncate(number, random.random_range(0..6_000))),
                7..10 => drop(doing.open(number, &name).sync(number)),
                10 => drop(doing.sync(1)),
                _ => drop(doing.open(number, &name).name(b'u', &[&name])),
            }
        }
        let trace = doing.trace();
        let mut disk = Disk::new(&trace);
        let mut image = Image::new(folder.path().join(seed.to_string())).unwrap();
        for cut in 0..trace.steps.len() {
            disk.advance(cut);
            let outcome = disk.lose_power(&mut random);
            image.place(&mut disk, &outcome).unwrap();
            image.verify(&disk, &outcome).unwrap();
            let left = std::fs::read_dir(image.data()).map_or(0, Iterator::count);
            assert_eq!(left, outcome.names.values().filter(|named| **named != Named::Folder).count(), "and no more");
        }
    }
}
