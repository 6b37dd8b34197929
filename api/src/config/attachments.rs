//! `[attachments]`: files that go with notifications.

use super::Storage;
use super::providers::credential;
use super::section::{Reader, Section, section};
use super::storage::Profile;
use super::value::{Bytes, Secret};
use commands::attachments::{AttachmentSettings, Place, S3};
use domain::values::{Millis, check_content_type};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

section! {
    /// Files that go with notifications, kept in a folder or in a bucket. See [attachments](guides/attachments.md).
    Attachments at "attachments" {
        /// Whether senders may attach files. In the profile `cluster` they may once `folder` or `url` says where replicas
        /// have them in common.
        enabled: bool = "true",
        /// The folder of the files; when left out, `attachments` in the data folder, in the profile `embedded`. Replicas
        /// need the same one, on a file system that they share.
        folder: Option<PathBuf>,
        /// A bucket that speaks S3's protocol instead, such as `s3://bucket/prefix`.
        url: Option<url::Url>,
        /// Where the bucket is, if not at Amazon, such as `https://minio.example.com`.
        endpoint: Option<url::Url>,
        /// The bucket's region.
        region: String = "us-east-1",
        /// Id of the access key; when left out, the machine's own credentials are used (environment or role).
        access_key_id: Option<String>,
        /// A file with the access key's secret.
        secret_access_key_file: Option<PathBuf>,
        /// The secret itself, in place of the file.
        secret_access_key: Option<Secret>,
        /// Largest file.
        max_bytes: Bytes = "10MiB",
        /// All files of one notification together. Mail grows them by a third, and large mail providers take 20 to 30 MiB.
        max_total_bytes: Bytes = "15MiB",
        /// Content types that are taken.
        types: Vec<String> = "application/pdf,application/zip,application/json,application/msword,application/vnd.ms-excel,application/vnd.openxmlformats-officedocument.wordprocessingml.document,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,application/vnd.openxmlformats-officedocument.presentationml.presentation,image/png,image/jpeg,image/gif,image/webp,text/plain,text/csv,text/calendar",
        /// Days that a recipient's link to a file works.
        link_days: usize = "7",
        /// How long a file is kept that no notification refers to.
        keep_unreferenced: Duration = "24h",
        /// Days that a file is kept after the last notification that refers to it may first be sent.
        keep_days: usize = "365",
    }
}

impl Attachments {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(self.folder.is_none() || self.url.is_none(), "attachments.url", "set either this or attachments.folder, not both");
        if let Some(url) = &self.url {
            let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none() && url.port().is_none();
            reader.require(url.scheme() == "s3" && bare, "attachments.url", "must be like s3://bucket/prefix, and nothing more");
        }
        if let Some(endpoint) = &self.endpoint {
            reader.require(
                matches!(endpoint.scheme(), "http" | "https"),
                "attachments.endpoint",
                "must begin with https:// (or http:// within a trusted network)",
            );
        }
        let needed = self.enabled && self.access_key_id.is_some();
        credential::read(reader, Self::PATH, "secret_access_key", self.secret_access_key.as_ref(), self.secret_access_key_file.as_deref(), needed);
        reader.require((1..=100 << 20).contains(&self.max_bytes.0), "attachments.max_bytes", "must be between 1B and 100MiB");
        reader.require(
            (self.max_bytes.0..=200 << 20).contains(&self.max_total_bytes.0),
            "attachments.max_total_bytes",
            "must be between attachments.max_bytes and 200MiB",
        );
        for kind in &self.types {
            let active = matches!(kind.as_str(), "text/html" | "image/svg+xml" | "application/xhtml+xml" | "text/javascript" | "application/javascript");
            reader.require(check_content_type(kind).is_ok(), "attachments.types", format_args!("{kind:?} is no content type; write them like application/pdf"));
            reader.require(!active, "attachments.types", format_args!("{kind} can hold scripts, and is never taken"));
        }
        reader.require((1..=365).contains(&self.link_days), "attachments.link_days", "must be between 1 and 365");
        reader.require(
            (Duration::from_secs(3_600)..=Duration::from_secs(30 * 86_400)).contains(&self.keep_unreferenced),
            "attachments.keep_unreferenced",
            "must be between 1h and 30d",
        );
        reader.require((1..=3_650).contains(&self.keep_days), "attachments.keep_days", "must be between 1 and 3650");
    }

    /// What is taken, and how long it is kept.
    pub fn settings(&self) -> AttachmentSettings {
        AttachmentSettings {
            max_bytes: self.max_bytes.0 as u64,
            max_total_bytes: self.max_total_bytes.0 as u64,
            types: self.types.clone(),
            keep_unreferenced: Millis::try_from(self.keep_unreferenced.as_millis()).unwrap_or(Millis::MAX / 4),
            keep: Millis::try_from(self.keep_days).unwrap_or(3_650) * domain::values::DAY_MS,
        }
    }

    /// Where the files are; none where there are none.
    pub fn place(&self, storage: &Storage) -> Option<Place> {
        if !self.enabled || self.lacks_place(storage) {
            return None;
        }
        let Some(url) = &self.url else {
            return Some(Place::Folder(self.folder.clone().unwrap_or_else(|| storage.data_dir.join("attachments"))));
        };
        let secret = credential::resolve(self.secret_access_key.as_ref(), self.secret_access_key_file.as_deref());
        let key = self.access_key_id.clone().zip(secret.map(|secret| Zeroizing::new(secret.expose().to_owned())));
        Some(Place::Bucket(S3 {
            bucket: url.host_str().unwrap_or_default().to_owned(),
            prefix: url.path().trim_matches('/').to_owned(),
            endpoint: self.endpoint.as_ref().map(|endpoint| endpoint.as_str().trim_end_matches('/').to_owned()),
            region: self.region.clone(),
            key,
        }))
    }

    /// Whether it is not said where replicas have files in common: in folders of their own each would miss those of the
    /// others, and lose them with its machine.
    pub fn lacks_place(&self, storage: &Storage) -> bool {
        self.enabled && storage.profile == Profile::Cluster && self.url.is_none() && self.folder.is_none()
    }
}
