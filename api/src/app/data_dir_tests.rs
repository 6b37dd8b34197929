#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use commands::ports::SeededRandom;

fn same(a: &MasterKey, b: &MasterKey) -> bool {
    a.derive("test").as_ref() == b.derive("test").as_ref()
}

#[test]
fn a_second_process_is_turned_away_until_the_first_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let first = DataDir::lock(folder.path()).unwrap();
    let second = DataDir::lock(folder.path()).unwrap_err();
    assert!(matches!(second, DataDirError::Locked { .. }));
    assert!(second.to_string().contains("stop that server"));
    drop(first);
    DataDir::lock(folder.path()).unwrap();
}

#[test]
fn the_master_key_is_made_once_and_is_nobody_elses_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let data = DataDir::lock(&root).unwrap();
    let made = data.master_key(None, None, &SeededRandom::new(1)).unwrap();
    let found = data.master_key(None, None, &SeededRandom::new(2)).unwrap();
    assert!(same(&made, &found));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data.master_key_file()), 0o600);
        assert_eq!(mode(&root), 0o700);
        assert_eq!(mode(&data.views()), 0o700);
    }
}

#[test]
fn no_new_master_key_is_made_for_old_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::lock(folder.path()).unwrap();
    std::fs::write(data.log(), b"").unwrap();
    let error = data.master_key(None, None, &SeededRandom::new(1)).err().unwrap();
    assert!(matches!(error, DataDirError::MasterKeyLost { .. }));
    assert!(!data.master_key_file().exists());
}

#[test]
fn the_variable_wins_and_must_be_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::lock(folder.path()).unwrap();
    let text = "ab".repeat(32);
    let key = data.master_key(Some(&text), None, &SeededRandom::new(1)).unwrap();
    assert!(same(&key, &MasterKey::new([0xab; 32])));
    assert!(!data.master_key_file().exists());
    let error = data.master_key(Some("secret"), None, &SeededRandom::new(1)).err().unwrap();
    assert!(error.to_string().contains("64 hexadecimal digits"));
    assert!(!error.to_string().contains("secret"));
}
