//! Port to an object store: bytes under paths, nothing more.
//!
//! What is put is durable when it is answered, and seen by every read that begins later, of any replica: local
//! folders and S3 both keep to that.

use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;

/// The store does not do what it was asked; another time it may.
#[derive(Debug, thiserror::Error)]
#[error("the object store refuses or does not answer: {reason}")]
pub struct StoreError {
    /// In its words; may name buckets and folders, so it is for operators.
    pub reason: String,
}

/// An answer of the store.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// See the module. Paths have parts of ASCII letters, digits and `-_.`, separated by `/`.
pub trait Objects: Send + Sync + 'static {
    /// Writes bytes, in place of those that were there; all of them or nothing.
    fn put<'a>(&'a self, path: &'a str, content: Bytes) -> Answer<'a, ()>;
    /// The bytes; none where there are none.
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>>;
    /// How many; none where there are none.
    fn size<'a>(&'a self, path: &'a str) -> Answer<'a, Option<u64>>;
    /// Removes what is there, if anything is.
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()>;
    /// Moves bytes, in place of those that were there. At every moment they are in one of both places at least. What
    /// is not there is not moved.
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Answer<'a, ()>;
    /// All paths below a folder, which ends with `/`.
    fn list<'a>(&'a self, folder: &'a str) -> Answer<'a, Vec<String>>;
}
