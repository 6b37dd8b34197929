//! The contract of a store of objects.

use bytes::Bytes;
use commands::attachments::Objects;

/// Bytes of more than one piece of a transfer.
const LONG: usize = 3 << 20;

/// What every store does.
pub async fn what_was_put_is_there_until_it_is_removed(store: &dyn Objects) {
    let long = Bytes::from((0..LONG).map(|at| (at % 251) as u8).collect::<Vec<_>>());
    assert_eq!(store.get("objects/a").await.unwrap(), None);
    assert_eq!(store.size("objects/a").await.unwrap(), None);
    store.put("objects/a", long.clone()).await.unwrap();
    assert_eq!(store.size("objects/a").await.unwrap(), Some(LONG as u64));
    assert_eq!(store.get("objects/a").await.unwrap().unwrap(), long);
    store.put("objects/a", Bytes::from_static(b"b")).await.unwrap();
    assert_eq!(store.get("objects/a").await.unwrap().unwrap(), "b");
    store.delete("objects/a").await.unwrap();
    store.delete("objects/a").await.unwrap();
    assert_eq!(store.get("objects/a").await.unwrap(), None);
}

/// A folder is a folder, not all that begins like it; a list is whole, however long.
pub async fn a_list_is_whole_and_of_one_folder(store: &dyn Objects) {
    assert_eq!(store.list("kept/").await.unwrap(), Vec::<String>::new());
    for path in ["kept/a/shop/0000000000000001", "kept/a/shop.2/0000000000000002", "kept/ab/shop/0000000000000003"] {
        store.put(path, Bytes::new()).await.unwrap();
    }
    assert_eq!(store.list("kept/a/shop/").await.unwrap(), ["kept/a/shop/0000000000000001"]);
    assert_eq!(store.list("kept/a/").await.unwrap().len(), 2);
    for number in 0..7 {
        store.put(&format!("kept/c/shop/{number:016}"), Bytes::new()).await.unwrap();
    }
    let mut all = store.list("kept/").await.unwrap();
    all.sort();
    assert_eq!((all.len(), all.last().map(String::as_str)), (10, Some("kept/c/shop/0000000000000006")));
    assert_eq!(store.size("kept/a/shop/0000000000000001").await.unwrap(), Some(0));
}

/// Moving replaces what was there; what is not there is not moved.
pub async fn what_is_moved_is_there_and_no_more_here(store: &dyn Objects) {
    store.rename("objects/a", "leaving/a").await.unwrap();
    assert_eq!(store.get("leaving/a").await.unwrap(), None);
    store.put("objects/a", Bytes::from_static(b"newer")).await.unwrap();
    store.put("leaving/a", Bytes::from_static(b"older")).await.unwrap();
    store.rename("objects/a", "leaving/a").await.unwrap();
    assert_eq!(store.get("objects/a").await.unwrap(), None);
    assert_eq!(store.get("leaving/a").await.unwrap().unwrap(), "newer");
}
