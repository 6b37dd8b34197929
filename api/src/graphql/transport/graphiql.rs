//! GraphiQL at `/graphiql`, from files inside the binary (`api/assets/graphiql`).
//!
//! Guarantee: the page talks to this server alone; its policy forbids inline scripts, frames and
//! foreign hosts. The page itself holds no secret, so it needs no credential; what it asks does.
//!
//! Rejected: async-graphql's page, which loads its scripts from a public CDN.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::Redirect;
use axum::routing::get;

use super::error::{RequestError, code};
use super::negotiate::Format;
use super::respond;

/// Styles may be inline, since the editor positions its parts by them; fonts and a few icons are
/// `data:` inside GraphiQL's own style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// A file inside the binary.
#[derive(Clone, Copy)]
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Stored, and sent, gzipped.
    gzip: bool,
}

macro_rules! asset {
    ($path:literal, $kind:literal, $file:literal, gzip: $gzip:literal) => {
        Asset { path: $path, kind: $kind, bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/graphiql/", $file)), gzip: $gzip }
    };
}

const ASSETS: [Asset; 7] = [
    asset!("/graphiql", "text/html; charset=utf-8", "index.html", gzip: false),
    asset!("/graphiql/page.js", "text/javascript; charset=utf-8", "page.js", gzip: false),
    asset!("/graphiql/page.css", "text/css; charset=utf-8", "page.css", gzip: false),
    asset!("/graphiql/graphiql.min.js", "text/javascript; charset=utf-8", "graphiql.min.js.gz", gzip: true),
    asset!("/graphiql/graphiql.min.css", "text/css; charset=utf-8", "graphiql.min.css.gz", gzip: true),
    asset!("/graphiql/react.production.min.js", "text/javascript; charset=utf-8", "react.production.min.js.gz", gzip: true),
    asset!("/graphiql/react-dom.production.min.js", "text/javascript; charset=utf-8", "react-dom.production.min.js.gz", gzip: true),
];

/// The routes of the page and its files.
pub(super) fn router() -> Router {
    let page = Router::new().route("/graphiql/", get(|| async { Redirect::permanent("/graphiql") }));
    ASSETS.into_iter().fold(page, |router, asset| {
        let tag = tag(asset.bytes);
        router.route(asset.path, get(move |headers: HeaderMap| async move { serve(asset, &tag, &headers) }))
    })
}

/// Changes with the content; the same in every process of one build.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn serve(asset: Asset, tag: &str, headers: &HeaderMap) -> Response<Body> {
    let (status, body) = if is_known(headers, tag) {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else if asset.gzip && !accepts_gzip(headers) {
        // Every browser takes gzip; carrying a decompressor for the others would not pay.
        let error = RequestError::new(code::NOT_ACCEPTABLE, "Send `Accept-Encoding: gzip`.");
        return respond::refuse(StatusCode::NOT_ACCEPTABLE, error, Format::Json);
    } else {
        (StatusCode::OK, Body::from(asset.bytes))
    };
    let mut http = Response::new(body);
    *http.status_mut() = status;
    let headers = http.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ETAG, tag);
    set(header::CACHE_CONTROL, "no-cache");
    set(header::VARY, "Accept-Encoding");
    if status == StatusCode::OK {
        set(header::CONTENT_TYPE, asset.kind);
        if asset.gzip {
            set(header::CONTENT_ENCODING, "gzip");
        }
    }
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    http
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        matches!(name.trim(), "gzip" | "*") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
