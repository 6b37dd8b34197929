//! The pages behind links: `/u/{token}` to unsubscribe, `/p/{token}` for preferences; `/c/{token}` and
//! `/o/{token}` of tracked mails, which lead on and show nothing; `/attachments/{token}`, a file. No login, no cookie, no script.
//!
//! Guarantee: GET and HEAD never change anything (but that a click and an open are counted), since scanners of mail open every link; only POST does,
//! and only what the link was signed for. A POST may come from anywhere: the mail provider's one click
//! (RFC 8058) does, and there is no session that a foreign page could misuse, only the link itself. Valid
//! links count against their recipient, invalid ones against the address that they come from.

mod attached;
mod form;
mod origin;
mod page;
mod preferences;
mod problem;
#[cfg(test)]
mod tests;
mod tracked;
mod unsubscribe;
mod words;

pub use origin::Peer;
pub(in crate::http) use origin::address as caller;

use crate::app::services::Services;
use crate::auth::Caller;
use crate::auth::limits::{Limits, Mistakes};
use crate::config::providers::Network;
use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::get;
use commands::accept::recipient_stream;
use commands::links::{Link, Purpose};
use commands::log::Metadata;
use domain::recipient::Recipient;
use domain::subscription::Evidence;
use page::Style;
use problem::Problem;
use std::net::IpAddr;
use std::sync::Arc;
use words::Language;

/// What the pages need.
pub struct LinkPages {
    services: Arc<Services>,
    limits: Arc<dyn Limits>,
    mistakes: Mistakes,
    proxies: Vec<Network>,
    style: Style,
}

impl LinkPages {
    /// `invalid_requests` a second from one address; `proxies` whose word about callers' addresses counts.
    pub fn new(services: Arc<Services>, limits: Arc<dyn Limits>, invalid_requests: u32, proxies: Vec<Network>) -> Self {
        Self { services, limits, mistakes: Mistakes::new(invalid_requests), proxies, style: Style::new() }
    }

    /// Reads a link and lets its request pass, or not.
    fn admit(&self, purpose: Purpose, token: &str, visitor: &Visitor) -> Result<Link, Problem> {
        let engine = &self.services.engine;
        let (now, monotonic) = (engine.clock.now(), engine.clock.monotonic());
        let refused = |reason: &'static str| {
            metrics::counter!("bongsu_requests_refused_total", "reason" => reason).increment(1);
            Problem::TooMany
        };
        match engine.links.read(purpose, token, now) {
            Ok(link) if self.limits.take(&Caller::Recipient { id: link.recipient }, monotonic) => Ok(link),
            Ok(_) => Err(refused("recipient_requests")),
            Err(error) if self.mistakes.take(visitor.address.unwrap_or(IpAddr::from([0, 0, 0, 0])), monotonic) => Err(Problem::Link(error)),
            Err(_) => Err(refused("invalid_links")),
        }
    }

    /// The person whose link it is.
    async fn person(&self, link: &Link) -> Result<Arc<Recipient>, Problem> {
        let known = self.services.engine.bus.load::<Recipient>(recipient_stream(link.recipient)).await.map_err(|error| Problem::of_bus(&error))?;
        if known.state.exists && !known.state.erased { Ok(known.state) } else { Err(Problem::Gone) }
    }

    fn metadata() -> Arc<Metadata> {
        Services::metadata("recipient:link".to_owned())
    }
}

/// Who asks, as far as the request tells.
struct Visitor {
    address: Option<IpAddr>,
    program: Option<String>,
    languages: Option<String>,
}

impl Visitor {
    fn of(pages: &LinkPages, headers: &HeaderMap, peer: Option<Peer>) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        Self { address: origin::address(headers, peer, &pages.proxies), program: text(header::USER_AGENT), languages: text(header::ACCEPT_LANGUAGE) }
    }

    /// The page's language: the person's own, else what their program asks for.
    fn language(&self, person: Option<&Recipient>) -> Language {
        let own = person.and_then(|person| person.locale.as_deref());
        own.and_then(Language::of_tag).or_else(|| Language::preferred(self.languages.as_deref()?)).unwrap_or(Language::English)
    }

    /// What is kept with a change: sealed with the person's key.
    fn evidence(&self) -> Evidence {
        Evidence {
            ip: self.address.map(|address| address.to_canonical().to_string()),
            user_agent: self.program.as_ref().map(|program| program.chars().take(512).collect()),
            ..Evidence::default()
        }
    }
}

/// `/u/{token}`, `/p/{token}`, `/c/{token}`, `/o/{token}` and `/attachments/{token}`.
pub fn router(pages: Arc<LinkPages>) -> Router {
    Router::new()
        .route("/u/{token}", get(unsubscribe::show).post(unsubscribe::change))
        .route("/p/{token}", get(preferences::show).post(preferences::change))
        .route("/c/{token}", get(tracked::click))
        .route("/o/{token}", get(tracked::open))
        .route("/attachments/{token}", get(attached::get))
        .with_state(pages)
}
