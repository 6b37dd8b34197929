//! `/attachments/{token}`: a file of a notification, for whoever was given its link.
//!
//! Guarantee: bytes come as a file to be saved, never as a page of this server: with a name, without guessing of types,
//! in a sandbox where a program shows them all the same. They are those that were attached, or nothing. A link ends
//! with its time, with its recipient's erasure, and with the file.

use super::origin::Peer;
use super::problem::Problem;
use super::{LinkPages, Visitor};
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use commands::links::{Link, Purpose};
use domain::notification::NotificationEvent;
use domain::values::Attachment;
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;

/// Hands it out.
pub(super) async fn get(State(pages): State<Arc<LinkPages>>, Path(token): Path<String>, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let found = async {
        let link = pages.admit(Purpose::Attachment, &token, &visitor)?;
        let file = attachment(&pages, &link).await?;
        let tag = format!("\"{}\"", file.id);
        let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).is_some_and(|tags| matches(tags, &tag));
        let content = if known { None } else { Some(content(&pages, &file).await?) };
        answer(&file, &tag, content).ok_or(Problem::NoTarget)
    };
    found.await.unwrap_or_else(|problem| pages.style.problem(problem, visitor.language(None)))
}

/// The file that a link is for, as its notification names it.
async fn attachment(pages: &LinkPages, link: &Link) -> Result<Attachment, Problem> {
    let (Some(notification), Some(place)) = (link.notification, link.place) else { return Err(Problem::NoTarget) };
    let stream = StreamId::new(AggregateKind::Notification, notification.0);
    let events = pages.services.engine.log.bare_streams(vec![stream], true).await.map_err(|error| {
        tracing::warn!(%error, "which file a link is for could not be read");
        Problem::Unavailable
    })?;
    let requested = events.iter().find_map(|event| match &event.fact {
        Fact::Notification(NotificationEvent::Requested(requested)) => Some(requested),
        _ => None,
    });
    let file = requested.filter(|requested| requested.recipient == link.recipient).and_then(|requested| requested.personal.known());
    file.and_then(|content| content.attachments.get(usize::from(place.link)).cloned()).ok_or(Problem::NoTarget)
}

async fn content(pages: &LinkPages, file: &Attachment) -> Result<Bytes, Problem> {
    let opened = pages.services.engine.attachments.open(&file.id).await.map_err(|error| {
        tracing::warn!(%error, "a file could not be read");
        Problem::Unavailable
    })?;
    opened.ok_or(Problem::NoTarget)
}

/// Whether the caller has it already (RFC 9110 section 13.1.2): weak tags count too.
fn matches(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn answer(file: &Attachment, tag: &str, content: Option<Bytes>) -> Option<Response<Body>> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for (name, value) in [
        // The address is the credential: caches that others share keep nothing.
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ETAG, HeaderValue::from_str(tag).ok()?);
    let Some(content) = content else {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&file.kind).ok()?);
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition(&file.name)).ok()?);
    *response.body_mut() = Body::from(content);
    Some(response)
}

/// `Content-Disposition` (RFC 6266), with the name in ASCII for old programs and whole for others (RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || " -_.()".contains(c) { c } else { '_' }).collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    #![allow(missing_docs)]

    use super::{disposition, matches};

    #[test]
    fn a_name_cannot_end_its_header() {
        assert_eq!(disposition("a b.pdf"), "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        let odd = disposition("청;\"\r\nX: y'.pdf");
        assert!(odd.is_ascii() && !odd.contains(['\r', '\n']) && odd.matches('"').count() == 2 && odd.matches('\'').count() == 2, "{odd}");
    }

    #[test]
    fn a_tag_is_known_alone_in_a_list_and_weak() {
        for tags in ["\"x\"", "W/\"x\"", "\"a\", \"x\"", "*"] {
            assert!(matches(tags, "\"x\""), "{tags}");
        }
        for tags in ["", "\"y\"", "x", "\"x"] {
            assert!(!matches(tags, "\"x\""), "{tags}");
        }
    }
}
