//! The suite of the store of objects: in a folder, and in a bucket.

#![allow(clippy::unwrap_used, missing_docs)]

use commands::attachments::{Place, StoredObjects};
use contracts::bucket::Bucket;
use contracts::objects;

fn folder() -> (tempfile::TempDir, StoredObjects) {
    let folder = tempfile::tempdir().unwrap();
    let store = StoredObjects::open(Place::Folder(folder.path().join("files"))).unwrap();
    (folder, store)
}

macro_rules! every_store {
    ($($name:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[tokio::test]
            async fn $name() {
                let (_folder, store) = super::folder();
                super::objects::$name(&store).await;
            })+
        }

        mod in_a_bucket {
            $(#[tokio::test]
            async fn $name() {
                let bucket = super::Bucket::start().await;
                super::objects::$name(&bucket.store()).await;
                assert!(bucket.keys().iter().all(|key| key.starts_with("prod/files/")), "{:?}", bucket.keys());
            })+
        }
    };
}

every_store!(what_was_put_is_there_until_it_is_removed, a_list_is_whole_and_of_one_folder, what_is_moved_is_there_and_no_more_here);

#[tokio::test]
async fn a_bucket_is_tried_out_and_left_as_it_was() {
    let bucket = Bucket::start().await;
    bucket.store().try_out().await.unwrap();
    assert_eq!(bucket.keys(), Vec::<String>::new());
}
