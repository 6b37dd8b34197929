//! What a browser needs to be subscribed: the server's public key, a service worker, a module that
//! subscribes, and where it is allowed a page to try it out. Only where `providers.web_push` is on.
//!
//! Guarantee: all of it is the same for everybody and says nothing of anybody. The page is off unless it is
//! switched on: it invites whoever finds it. Rejected: a package in npm of the same, whose version would
//! have to be kept in step with the form of the payload.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, header};
use axum::routing::get;

/// The page runs its own script, asks this server, and does nothing else.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The routes. `key` is the public half of the VAPID key; `page` adds the page to try it out.
pub fn router(key: String, page: bool) -> Router {
    let router = Router::new()
        .route("/push/key", get(async move || answer("text/plain; charset=utf-8", key.clone())))
        .route("/push/service-worker.js", get(async || answer(JAVASCRIPT, include_str!("../../../assets/push/service-worker.js"))))
        .route("/push/subscribe.js", get(async || answer(JAVASCRIPT, include_str!("../../../assets/push/subscribe.js"))));
    if !page {
        return router;
    }
    router
        .route("/push/try", get(async || answer("text/html; charset=utf-8", include_str!("../../../assets/push/try.html"))))
        .route("/push/try.js", get(async || answer(JAVASCRIPT, include_str!("../../../assets/push/try.js"))))
}

fn answer(kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        // Asked for again each time: a browser keeps a service worker for long enough by itself.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Pages of apps on other sites import them.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
