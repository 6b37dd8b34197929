//! `PUT /attachments/upload/{token}`: the bytes of one file.
//!
//! Guarantee: no more bytes are read than were asked for, nothing is stored that is not of that size, of a kind that is
//! taken, and free of what an operating system would run; the answer comes once they are durable. The same upload
//! again answers the same. Bytes are in memory until they are checked, of few uploads at once: a file that was refused
//! never was in the store. Rejected: a form with parts, which says a name that nobody asked for.

use super::links::{Peer, caller};
use crate::app::services::Services;
use crate::auth::limits::Mistakes;
use crate::config::providers::Network;
use crate::graphql::transport::drain;
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use bytes::Bytes;
use commands::attachments::Unattachable;
use commands::links::LinkError;
use http_body_util::{BodyExt as _, Limited};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Uploads that are in memory at once.
const AT_ONCE: usize = 8;
/// A file has to arrive in this time.
const WITHIN: Duration = Duration::from_secs(60);

/// How files begin that an operating system runs: Windows, ELF, Mach-O, its universal form (also Java's), a script.
const RUNNABLE: [&[u8]; 7] = [b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!"];

/// What the endpoint needs.
pub struct Uploads {
    services: Arc<Services>,
    mistakes: Mistakes,
    proxies: Vec<Network>,
    room: Semaphore,
}

impl Uploads {
    /// `invalid_requests` a second from one address; `proxies` whose word about callers' addresses counts.
    pub fn new(services: Arc<Services>, invalid_requests: u32, proxies: Vec<Network>) -> Self {
        Self { services, mistakes: Mistakes::new(invalid_requests), proxies, room: Semaphore::new(AT_ONCE) }
    }
}

/// Why nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Link(LinkError),
    #[error("too many requests that are not valid; come again later")]
    TooMany,
    #[error("too many uploads at once; come again in a few seconds")]
    NoRoom,
    #[error("the upload did not arrive whole and in time; try again")]
    Broken,
    #[error("the file is larger than the upload was asked for; ask for another one with its size")]
    TooLarge,
    #[error("the file is smaller than the upload was asked for; ask for another one with its size")]
    TooSmall,
    #[error("Content-Type is another one than the upload was asked for; send the headers that createAttachmentUpload names")]
    OtherType,
    #[error("these bytes are none of that content type, or are a program; programs are never taken")]
    NotThat,
    #[error(transparent)]
    Unattachable(#[from] Unattachable),
}

impl Problem {
    const fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Link(LinkError::Expired) => (StatusCode::GONE, "LINK_EXPIRED"),
            Self::Link(LinkError::Invalid) => (StatusCode::BAD_REQUEST, "LINK_INVALID"),
            Self::Link(LinkError::OtherPurpose) => (StatusCode::BAD_REQUEST, "LINK_OTHER_PURPOSE"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"),
            Self::NoRoom | Self::Unattachable(Unattachable::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
            Self::Broken => (StatusCode::REQUEST_TIMEOUT, "UPLOAD_INCOMPLETE"),
            Self::TooLarge | Self::Unattachable(Unattachable::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, "ATTACHMENT_TOO_LARGE"),
            Self::TooSmall => (StatusCode::BAD_REQUEST, "ATTACHMENT_SIZE"),
            Self::OtherType | Self::NotThat | Self::Unattachable(Unattachable::Type) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "ATTACHMENT_TYPE"),
            Self::Unattachable(Unattachable::Off | Unattachable::NotFound { .. }) => (StatusCode::NOT_FOUND, "ATTACHMENTS_OFF"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = self.told();
        let mut response = answer(status, &json!({ "code": code, "message": self.to_string() }));
        if matches!(self, Self::TooMany | Self::NoRoom | Self::Unattachable(Unattachable::Unavailable)) {
            response.headers_mut().insert(header::RETRY_AFTER, 5.into());
        }
        response
    }
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, body.to_string()).into_response()
}

/// `PUT /attachments/upload/{token}`.
pub fn router(uploads: Arc<Uploads>) -> Router {
    Router::new().route("/attachments/upload/{token}", put(upload)).with_state(uploads)
}

async fn upload(State(uploads): State<Arc<Uploads>>, Path(token): Path<String>, peer: Option<Extension<Peer>>, headers: HeaderMap, mut body: Body) -> Response {
    let from = caller(&headers, peer.map(|Extension(peer)| peer), &uploads.proxies);
    match take(&uploads, &token, from, &headers, &mut body).await {
        Ok(response) => response,
        Err(problem) => {
            // Who still writes would not read the answer. It takes a second at most.
            drain(body).await;
            problem.into_response()
        }
    }
}

async fn take(uploads: &Uploads, token: &str, from: Option<IpAddr>, headers: &HeaderMap, body: &mut Body) -> Result<Response, Problem> {
    let engine = &uploads.services.engine;
    let grant = engine.links.read_upload(token, engine.clock.now()).map_err(|error| {
        let listened = uploads.mistakes.take(from.unwrap_or(IpAddr::from([0, 0, 0, 0])), engine.clock.monotonic());
        if listened { Problem::Link(error) } else { Problem::TooMany }
    })?;
    // The settings may have changed since it was asked for.
    engine.attachments.would_take(&grant.kind, grant.bytes)?;
    let named = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if named.is_some_and(|named| !named.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(&grant.kind)) {
        return Err(Problem::OtherType);
    }
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > grant.bytes) {
        return Err(Problem::TooLarge);
    }
    let _room = uploads.room.try_acquire().map_err(|_| Problem::NoRoom)?;
    let content = read(body, usize::try_from(grant.bytes).unwrap_or(usize::MAX)).await?;
    if (content.len() as u64) < grant.bytes {
        return Err(Problem::TooSmall);
    }
    if !is_of_kind(&content, &grant.kind) {
        return Err(Problem::NotThat);
    }
    let stored = engine.attachments.store(&grant.sender, content).await?;
    Ok(answer(StatusCode::OK, &json!({ "attachment": stored.id, "bytes": stored.bytes, "sha256": stored.id })))
}

/// The whole body, of so many bytes at most.
async fn read(body: &mut Body, most: usize) -> Result<Bytes, Problem> {
    let reading = Limited::new(body, most).collect();
    let read = tokio::time::timeout(WITHIN, reading).await.map_err(|_| Problem::Broken)?;
    let too_large = |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<http_body_util::LengthLimitError>() { Problem::TooLarge } else { Problem::Broken }
    };
    Ok(read.map_err(too_large)?.to_bytes())
}

/// Whether bytes begin as files of a type do; those without a mark of their own are only kept from being programs.
fn is_of_kind(content: &[u8], kind: &str) -> bool {
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| content.starts_with(mark));
    if begins(&RUNNABLE) {
        return false;
    }
    match kind {
        // Readers look for it in the first 1024 bytes.
        "application/pdf" => content.windows(5).take(1_024).any(|five| five == b"%PDF-"),
        "image/png" => begins(&[b"\x89PNG\r\n\x1a\n"]),
        "image/jpeg" => begins(&[b"\xff\xd8\xff"]),
        "image/gif" => begins(&[b"GIF87a", b"GIF89a"]),
        "image/webp" => begins(&[b"RIFF"]) && content.get(8..12) == Some(b"WEBP"),
        "application/zip" => begins(&[b"PK\x03\x04", b"PK\x05\x06"]),
        office if office.starts_with("application/vnd.openxmlformats-") => begins(&[b"PK\x03\x04"]),
        "application/msword" | "application/vnd.ms-excel" => begins(&[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
        "application/json" => serde_json::from_slice::<serde::de::IgnoredAny>(content).is_ok(),
        text if text.starts_with("text/") => std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0')),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(missing_docs)]

    use super::is_of_kind;

    #[test]
    fn bytes_are_what_they_are_said_to_be_and_no_program() {
        for (content, kind) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\xef\xbb\xbf%PDF-1.4", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n..", "image/png"),
            (b"RIFF\x04\0\0\0WEBPVP8 ", "image/webp"),
            (b"{\"a\":1}", "application/json"),
            ("a,b\n가,나".as_bytes(), "text/csv"),
            (b"whatever", "application/x-own"),
        ] {
            assert!(is_of_kind(content, kind), "{kind}");
        }
        for (content, kind) in [
            (&b"<html>"[..], "application/pdf"),
            (b"%PDF-1.7", "image/png"),
            (b"RIFF\x04\0\0\0WAVE", "image/webp"),
            (b"MZ\x90\0", "application/x-own"),
            (b"\x7fELF\x02", "application/x-own"),
            (b"#!/bin/sh", "text/plain"),
            (b"a\0b", "text/plain"),
            (b"\xff\xfe", "text/plain"),
            (b"{", "application/json"),
        ] {
            assert!(!is_of_kind(content, kind), "{kind} {content:?}");
        }
    }
}
