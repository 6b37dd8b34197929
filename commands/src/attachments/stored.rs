//! Where objects are: a local folder, or a bucket that speaks S3's protocol; both by the crate `object_store`.
//!
//! Guarantee: in a folder a file is written beside its place, synced and renamed, so that a crash leaves all of it or
//! nothing. Empty folders stay: removing them could meet a file that is just being put into one. Rejected: the vendor's own kit for S3, a hundred crates for five requests.

use super::objects::{Answer, Objects, StoreError};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _, RetryConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a request may be tried again before it counts as not answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where objects are kept.
#[derive(Debug, Clone)]
pub enum Place {
    /// Below a folder; of several replicas it is the same one for all.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(S3),
}

/// A bucket.
#[derive(Clone)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// What stands before all paths; may be empty.
    pub prefix: String,
    /// The server, such as `https://minio.internal:9000`; none for Amazon's own.
    pub endpoint: Option<String>,
    /// The region, such as `ap-northeast-2`.
    pub region: String,
    /// Id and secret of the key; none: what the machine was given (environment, role).
    pub key: Option<(String, Zeroizing<String>)>,
}

/// Without the key.
impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3").field("bucket", &self.bucket).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// See the module.
#[derive(Debug)]
pub struct StoredObjects {
    store: Arc<dyn ObjectStore>,
}

impl StoredObjects {
    /// Opens it. A folder is created; a bucket is not asked anything yet.
    ///
    /// # Errors
    /// The folder cannot be created, or the settings do not fit together.
    pub fn open(place: Place) -> Result<Self, StoreError> {
        let store: Arc<dyn ObjectStore> = match place {
            Place::Folder(folder) => {
                create_private(&folder).map_err(|error| StoreError { reason: error.to_string() })?;
                Arc::new(LocalFileSystem::new_with_prefix(folder).map_err(refused)?.with_fsync(true))
            }
            Place::Bucket(s3) => {
                let plain = s3.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
                let mut builder = AmazonS3Builder::from_env()
                    .with_bucket_name(s3.bucket)
                    .with_region(s3.region)
                    // One request each: not every server of this protocol takes lists of them.
                    .with_disable_bulk_delete(true)
                    .with_client_options(ClientOptions::new().with_timeout(PATIENCE).with_connect_timeout(Duration::from_secs(5)).with_allow_http(plain))
                    .with_retry(RetryConfig { retry_timeout: PATIENCE, max_retries: 3, ..RetryConfig::default() });
                if let Some(endpoint) = s3.endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                if let Some((id, secret)) = s3.key {
                    builder = builder.with_access_key_id(id).with_secret_access_key(secret.as_str());
                }
                Arc::new(PrefixStore::new(builder.build().map_err(refused)?, s3.prefix))
            }
        };
        Ok(Self { store })
    }

    /// Writes, reads and removes something, for `bongsu check`.
    ///
    /// # Errors
    /// One of them does not work.
    pub async fn try_out(&self) -> Result<(), StoreError> {
        let (path, content) = ("try/out", Bytes::from_static(b"bongsu check"));
        self.put(path, content.clone()).await?;
        let read = self.get(path).await?;
        self.delete(path).await?;
        if read == Some(content) { Ok(()) } else { Err(StoreError { reason: "what was written was not read back".to_owned() }) }
    }
}

/// Readable by its owner only, as the data folder is.
fn create_private(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn refused(error: Error) -> StoreError {
    StoreError { reason: error.to_string() }
}

/// What is not there is no error.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

impl Objects for StoredObjects {
    fn put<'a>(&'a self, path: &'a str, content: Bytes) -> Answer<'a, ()> {
        Box::pin(async move { self.store.put(&Path::from(path), content.into()).await.map(drop).map_err(refused) })
    }

    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        Box::pin(async move {
            match found(self.store.get(&Path::from(path)).await)? {
                Some(result) => found(result.bytes().await),
                None => Ok(None),
            }
        })
    }

    fn size<'a>(&'a self, path: &'a str) -> Answer<'a, Option<u64>> {
        Box::pin(async move { Ok(found(self.store.head(&Path::from(path)).await)?.map(|meta| meta.size)) })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { found(self.store.delete(&Path::from(path)).await).map(drop) })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { found(self.store.rename(&Path::from(from), &Path::from(to)).await).map(drop) })
    }

    fn list<'a>(&'a self, folder: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let folder = Path::from(folder.trim_end_matches('/'));
            let found = self.store.list(Some(&folder)).map_ok(|meta| meta.location.to_string());
            found.try_collect().await.map_err(refused)
        })
    }
}
