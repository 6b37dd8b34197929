//! `/c/{token}` and `/o/{token}`: a link of a tracked mail that is followed, and its picture.
//!
//! Guarantee: a click leads where the mail's own content says, or to a page that says why not; it never
//! waits for being recorded. The picture is always one, also for a link that is none: a mail with a broken
//! picture in it looks broken. HEAD records nothing: nobody reads by it.

use super::origin::Peer;
use super::problem::Problem;
use super::{LinkPages, Visitor};
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Method, Response};
use commands::links::{Link, Purpose};
use domain::values::NotificationId;
use std::sync::Arc;
use workers::tracking::{Asking, Sighting, is_program, target};

/// One transparent point (GIF 89a).
const POINT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// Leads on.
pub(super) async fn click(
    State(pages): State<Arc<LinkPages>>,
    Path(token): Path<String>,
    peer: Option<Extension<Peer>>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let followed = async {
        let link = pages.admit(Purpose::Click, &token, &visitor)?;
        let (Some(notification), Some(place)) = (link.notification, link.place) else { return Err(Problem::NoTarget) };
        let found = target(pages.services.engine.log.as_ref(), &pages.services.engine.templates, notification, place.link).await.map_err(|error| {
            tracing::warn!(%error, "where a link leads could not be read");
            Problem::Unavailable
        })?;
        let answer = found.and_then(|url| pages.style.redirect(url.as_str())).ok_or(Problem::NoTarget)?;
        note(&pages, &link, notification, Some(place.link), &method, &headers);
        Ok(answer)
    };
    followed.await.unwrap_or_else(|problem| pages.style.problem(problem, visitor.language(None)))
}

/// Shows one point.
pub(super) async fn open(
    State(pages): State<Arc<LinkPages>>,
    Path(token): Path<String>,
    peer: Option<Extension<Peer>>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    if let Ok(link) = pages.admit(Purpose::Open, &token, &visitor)
        && let Some(notification) = link.notification
    {
        note(&pages, &link, notification, None, &method, &headers);
    }
    pages.style.picture(POINT)
}

/// Hands it over to be recorded, where the installation tracks.
fn note(pages: &LinkPages, link: &Link, notification: NotificationId, number: Option<u16>, method: &Method, headers: &HeaderMap) {
    let engine = &pages.services.engine;
    let Some(place) = link.place.filter(|_| engine.links.tracks() && *method == Method::GET) else { return };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asking = Asking { agent: text("user-agent"), purpose: text("sec-purpose").or_else(|| text("purpose")).or_else(|| text("x-moz")) };
    let (recipient, delivery, program, at) = (link.recipient, place.delivery, is_program(&asking), engine.clock.now());
    engine.tracking.note(Sighting { recipient, notification, delivery, link: number, program, at });
}
