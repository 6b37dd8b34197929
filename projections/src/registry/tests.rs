#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{CHECKPOINTS, CHECKPOINTS_POSTGRES, all, find};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_folder_with_a_projection_is_registered() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders: BTreeSet<String> = std::fs::read_dir(source)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("project.rs").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let registered: BTreeSet<String> = all().iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(folders, registered);
}

#[test]
fn names_and_consumers_agree_and_checkpoints_come_first() {
    for registration in all() {
        assert_eq!((registration.consumer)().name(), registration.name);
        assert_eq!(registration.migrations.first(), Some(&CHECKPOINTS));
        assert_eq!(registration.postgres.migrations.first(), Some(&CHECKPOINTS_POSTGRES));
        assert_eq!(find(registration.name).map(|found| found.name), Some(registration.name));
    }
    assert!(find("nothing").is_none());
}
