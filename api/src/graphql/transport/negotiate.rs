//! Media types: what the body is, and what the caller wants back.
//!
//! <https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types>

use axum::http::{HeaderMap, HeaderValue, header};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/graphql-response+json`: request errors have 4xx.
    GraphqlResponse,
    /// `application/json`: request errors of a well-formed request have 200.
    Json,
    /// `text/event-stream`: server-sent events.
    EventStream,
}

impl Format {
    /// The header value for an answer in this format.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        })
    }
}

/// The format that the caller prefers; `None` when none of ours is acceptable.
///
/// Without `Accept`, and for `*/*`, it is `application/json`: such a caller may be old and must
/// not be surprised. Among equals the first named wins.
pub(super) fn accept(headers: &HeaderMap) -> Option<Format> {
    let mut best: Option<(Format, f32)> = None;
    let mut any = false;
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',') {
            any = true;
            if let Some((format, quality)) = acceptable(range)
                && best.is_none_or(|(_, other)| quality > other)
            {
                best = Some((format, quality));
            }
        }
    }
    if any { best.map(|(format, _)| format) } else { Some(Format::Json) }
}

fn acceptable(range: &str) -> Option<(Format, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?;
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let format = if is("application/graphql-response+json") {
        Format::GraphqlResponse
    } else if is("application/json") || is("*/*") || is("application/*") {
        Format::Json
    } else if is("text/event-stream") {
        Format::EventStream
    } else {
        return None;
    };
    let mut quality = 1.0;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("q") {
            quality = value.trim().parse().unwrap_or(0.0);
        } else if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
            return None;
        }
    }
    (quality > 0.0).then_some((format, quality))
}

/// True for a body that says it is `application/json` in UTF-8.
///
/// Every other type, and none at all, is refused: a web page may send those across origins
/// without asking first, and so could act in the name of its visitor.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    if value.as_bytes() == b"application/json" {
        return true;
    }
    let Ok(value) = value.to_str() else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return false;
    }
    parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => is_utf8(value),
        _ => true,
    })
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// True when the body is sent as it is. Compressed bodies are refused: a few kilobytes of them
/// can mean gigabytes.
pub(super) fn is_uncompressed(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"))
}
