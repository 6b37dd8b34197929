//! A bucket of S3's protocol in memory: as much of it as a store of objects asks for.
//!
//! Guarantee: answers have the form of Amazon's reference (`ListObjectsV2` in pages of three, `CopyObject`,
//! `NoSuchKey`); who shows no signature of the key is refused. The signature itself is not reckoned. No real server was
//! run.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use commands::attachments::{Place, S3, StoredObjects};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const BUCKET: &str = "acme";
const PREFIX: &str = "prod/files";
const KEY: &str = "AKIATEST";
const PAGE: usize = 3;
const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

type Contents = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// A bucket that runs until the test ends.
pub struct Bucket {
    contents: Contents,
    endpoint: String,
}

impl Bucket {
    /// Started and empty.
    pub async fn start() -> Self {
        let contents = Contents::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).layer(axum::extract::DefaultBodyLimit::disable()).with_state(Arc::clone(&contents));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { contents, endpoint }
    }

    /// A store in it.
    pub fn store(&self) -> StoredObjects {
        let key = Some((KEY.to_owned(), Zeroizing::new("secret".to_owned())));
        let s3 = S3 { bucket: BUCKET.to_owned(), prefix: PREFIX.to_owned(), endpoint: Some(self.endpoint.clone()), region: "ap-northeast-2".to_owned(), key };
        StoredObjects::open(Place::Bucket(s3)).unwrap()
    }

    /// The keys in it.
    pub fn keys(&self) -> Vec<String> {
        self.contents.lock().unwrap().keys().cloned().collect()
    }
}

async fn answer(State(contents): State<Contents>, method: Method, uri: Uri, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if !text("authorization").starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/")) {
        return problem(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let mut contents = contents.lock().unwrap();
    let Some(key) = uri.path().strip_prefix(&format!("/{BUCKET}")).map(|key| key.trim_start_matches('/').to_owned()) else {
        return problem(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    match method {
        Method::GET if key.is_empty() => list(&contents, &query.unwrap_or_default()),
        Method::GET | Method::HEAD => match contents.get(&key) {
            Some(content) => ([(header::ETAG, "\"tag\""), (header::LAST_MODIFIED, MODIFIED)], content.clone()).into_response(),
            None => problem(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::PUT if headers.contains_key("x-amz-copy-source") => {
            let source = text("x-amz-copy-source");
            let source = source.trim_start_matches('/').strip_prefix(&format!("{BUCKET}/")).unwrap_or_default();
            let Some(content) = contents.get(source).cloned() else { return problem(StatusCode::NOT_FOUND, "NoSuchKey") };
            contents.insert(key, content);
            "<CopyObjectResult><LastModified>2023-11-14T22:13:20.000Z</LastModified><ETag>\"tag\"</ETag></CopyObjectResult>".into_response()
        }
        Method::PUT => {
            contents.insert(key, body);
            [(header::ETAG, "\"tag\"")].into_response()
        }
        Method::DELETE => {
            contents.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => problem(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn list(contents: &BTreeMap<String, Bytes>, query: &str) -> Response {
    let value = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(known, _)| *known == name));
        found.map(|(_, value)| value.replace("%2F", "/")).unwrap_or_default()
    };
    let (prefix, after) = (value("prefix"), value("continuation-token"));
    let mut found = contents.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let mut xml = "<ListBucketResult>".to_owned();
    if let (Some(_), Some((last, _))) = (found.next(), page.last()) {
        write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
    }
    for (key, content) in page {
        let size = content.len();
        write!(xml, "<Contents><Key>{key}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified><ETag>\"tag\"</ETag><Size>{size}</Size></Contents>")
            .unwrap();
    }
    format!("{xml}</ListBucketResult>").into_response()
}

fn problem(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code><Message>simulated</Message></Error>")).into_response()
}
