#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::collecting::{Collected, GRACE, collect};
use super::objects::{Answer, Objects};
use super::{AttachmentSettings, Attachments, HOUR_MS, Place, StoredObjects, Unattachable, id_of, leaving, object};
use crate::ports::ManualClock;
use bytes::Bytes;
use domain::values::{Attachment, AttachmentId, DAY_MS, SenderKey};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: i64 = 20_000 * DAY_MS;

/// Objects in memory; what is to happen just after a file was moved away can be planted.
#[derive(Default)]
pub(crate) struct Shelf {
    objects: Mutex<BTreeMap<String, Bytes>>,
    after_move: Mutex<Vec<(String, Bytes)>>,
}

impl Shelf {
    fn paths(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

impl Objects for Shelf {
    fn put<'a>(&'a self, path: &'a str, content: Bytes) -> Answer<'a, ()> {
        self.objects.lock().unwrap().insert(path.to_owned(), content);
        Box::pin(async { Ok(()) })
    }

    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        let found = self.objects.lock().unwrap().get(path).cloned();
        Box::pin(async { Ok(found) })
    }

    fn size<'a>(&'a self, path: &'a str) -> Answer<'a, Option<u64>> {
        let found = self.objects.lock().unwrap().get(path).map(|content| content.len() as u64);
        Box::pin(async move { Ok(found) })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.objects.lock().unwrap().remove(path);
        Box::pin(async { Ok(()) })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Answer<'a, ()> {
        let mut objects = self.objects.lock().unwrap();
        if let Some(content) = objects.remove(from) {
            objects.insert(to.to_owned(), content);
            objects.extend(self.after_move.lock().unwrap().drain(..));
        }
        Box::pin(async { Ok(()) })
    }

    fn list<'a>(&'a self, folder: &'a str) -> Answer<'a, Vec<String>> {
        let found = self.objects.lock().unwrap().keys().filter(|path| path.starts_with(folder)).cloned().collect();
        Box::pin(async { Ok(found) })
    }
}

struct Fixture {
    shelf: Arc<Shelf>,
    clock: Arc<ManualClock>,
    attachments: Attachments,
}

fn fixture() -> Fixture {
    let (shelf, clock) = (Arc::<Shelf>::default(), Arc::new(ManualClock::at(NOW)));
    let settings = AttachmentSettings { max_total_bytes: 10, ..AttachmentSettings::default() };
    let attachments = Attachments::new(Some(shelf.clone()), settings, clock.clone());
    Fixture { shelf, clock, attachments }
}

impl Fixture {
    fn pass(&self, millis: i64) {
        self.clock.advance(Duration::from_millis(millis.try_into().unwrap()));
    }

    async fn collect(&self) -> Collected {
        collect(self.shelf.as_ref(), self.clock.as_ref()).await.unwrap()
    }

    async fn upload(&self, sender: &str, content: &'static [u8]) -> AttachmentId {
        self.attachments.store(&key(sender), Bytes::from_static(content)).await.unwrap().id
    }

    async fn refer(&self, sender: &str, id: &AttachmentId, from: i64) -> Result<Vec<u64>, Unattachable> {
        self.attachments.refer(&key(sender), &[file(id, "application/pdf")], from).await
    }
}

fn key(sender: &str) -> SenderKey {
    SenderKey::new(sender).unwrap()
}

fn file(id: &AttachmentId, kind: &str) -> Attachment {
    Attachment { id: id.clone(), name: "a.pdf".to_owned(), kind: kind.to_owned(), bytes: 0 }
}

#[tokio::test]
async fn the_same_bytes_are_stored_once_and_each_sender_uses_its_own() {
    let fixture = fixture();
    let id = fixture.upload("shop", b"abc").await;
    assert_eq!(id.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-4's own example");
    assert_eq!(fixture.refer("bank", &id, 0).await, Err(Unattachable::NotFound { id: id.clone() }), "knowing a hash is no right");
    assert_eq!(fixture.upload("bank", b"abc").await, id);
    assert_eq!(fixture.refer("bank", &id, 0).await, Ok(vec![3]));
    assert_eq!(fixture.refer("shop", &id, 0).await, Ok(vec![3]));
    assert_eq!(fixture.shelf.paths().iter().filter(|path| path.starts_with("objects/")).count(), 1);
    assert_eq!(fixture.attachments.open(&id).await.unwrap().unwrap(), "abc");
}

#[tokio::test]
async fn what_is_not_taken_is_told() {
    let fixture = fixture();
    let (small, large) = (fixture.upload("shop", b"abc").await, fixture.upload("shop", b"12345678").await);
    let unknown = id_of(b"unknown").unwrap();
    assert_eq!(fixture.refer("shop", &unknown, 0).await, Err(Unattachable::NotFound { id: unknown }));
    let both = [file(&small, "application/pdf"), file(&large, "application/pdf")];
    assert_eq!(fixture.attachments.refer(&key("shop"), &both, 0).await, Err(Unattachable::TooLarge { bytes: 11, most: 10 }));
    assert_eq!(fixture.attachments.refer(&key("shop"), &[file(&small, "text/html")], 0).await, Err(Unattachable::Type));
    assert_eq!(fixture.attachments.would_take("text/html", 1), Err(Unattachable::Type));
    assert_eq!(fixture.attachments.would_take("text/plain", 10 << 20), Ok(()));
    assert!(matches!(fixture.attachments.would_take("text/plain", (10 << 20) + 1), Err(Unattachable::TooLarge { .. })));
    let off = Attachments::new(None, AttachmentSettings::default(), fixture.clock.clone());
    assert_eq!(off.would_take("text/plain", 1), Err(Unattachable::Off));
}

#[tokio::test]
async fn bytes_that_were_changed_behind_our_back_are_not_what_was_attached() {
    let fixture = fixture();
    let id = fixture.upload("shop", b"abc").await;
    fixture.shelf.put(&object(&id), Bytes::from_static(b"abd")).await.unwrap();
    assert_eq!(fixture.attachments.open(&id).await.unwrap(), None);
}

#[tokio::test]
async fn what_nothing_refers_to_is_removed_after_its_day_and_its_grace() {
    let fixture = fixture();
    let (left, used) = (fixture.upload("shop", b"left").await, fixture.upload("shop", b"used").await);
    fixture.refer("shop", &used, NOW + 30 * DAY_MS).await.unwrap();
    fixture.pass(DAY_MS + GRACE);
    assert_eq!(fixture.collect().await.files, 0);
    // It is gone for requests long before it is gone.
    assert_eq!(fixture.refer("shop", &left, 0).await, Err(Unattachable::NotFound { id: left.clone() }));
    fixture.pass(HOUR_MS);
    assert_eq!(fixture.collect().await, Collected { files: 1, marks: 1 });
    assert_eq!(fixture.attachments.open(&left).await.unwrap(), None);
    // Kept from when it may be sent, not from when it was asked for.
    fixture.pass(390 * DAY_MS);
    assert_eq!(fixture.collect().await.files, 0);
    assert_eq!(fixture.attachments.open(&used).await.unwrap().unwrap(), "used");
    fixture.pass(8 * DAY_MS);
    assert_eq!(fixture.collect().await.files, 1);
    assert_eq!(fixture.shelf.paths(), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_crosses_the_collector_keeps_its_bytes() {
    let fixture = fixture();
    let id = fixture.upload("shop", b"abc").await;
    fixture.pass(DAY_MS + GRACE + HOUR_MS);
    // Its mark is written as the collector has just moved the bytes away: before it looked for them.
    let until = NOW + 3 * DAY_MS;
    fixture.shelf.after_move.lock().unwrap().push((format!("kept/{id}/shop/{until:016}"), Bytes::new()));
    assert_eq!(fixture.collect().await.files, 0);
    assert_eq!(fixture.shelf.get(&object(&id)).await.unwrap().unwrap(), "abc");
    assert_eq!(fixture.refer("shop", &id, 0).await, Ok(vec![3]));
}

#[tokio::test]
async fn what_a_crash_left_half_removed_can_be_read_and_is_put_back_or_removed() {
    let fixture = fixture();
    let (kept, over) = (fixture.upload("shop", b"kept").await, id_of(b"over").unwrap());
    fixture.shelf.rename(&object(&kept), &leaving(&kept)).await.unwrap();
    fixture.shelf.put(&leaving(&over), Bytes::from_static(b"over")).await.unwrap();
    assert_eq!(fixture.attachments.open(&kept).await.unwrap().unwrap(), "kept");
    assert_eq!(fixture.refer("shop", &kept, 0).await, Ok(vec![4]));
    assert_eq!(fixture.collect().await.files, 1);
    assert_eq!(fixture.shelf.get(&object(&kept)).await.unwrap().unwrap(), "kept");
    assert_eq!(fixture.shelf.list("leaving/").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_is_private_and_tried_out() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data/attachments");
    let store = StoredObjects::open(Place::Folder(place.clone())).unwrap();
    store.try_out().await.unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&place).unwrap().permissions()) & 0o777, 0o700);
    let wrong = folder.path().join("file");
    std::fs::write(&wrong, "").unwrap();
    assert!(StoredObjects::open(Place::Folder(wrong.join("x"))).is_err());
}
