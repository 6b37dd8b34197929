//! `/callbacks/{provider}`: what providers tell us on their own account, receipts and replies.
//!
//! Guarantee: answered with 200 only after everything that was told is durable or was known, so a
//! provider that hears anything else comes again, and one that comes twice changes nothing twice. Who
//! speaks is known by the signature alone. Nothing that was sent is repeated in an answer.

use super::links::{Peer, caller};
use crate::app::services::Services;
use crate::auth::limits::Mistakes;
use crate::config::providers::Network;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use commands::addresses;
use commands::log::{LogError, Metadata};
use commands::receipts;
use domain::address::ReplyWord;
use domain::notification::{Receipt, Said};
use domain::values::{Channel, NotificationId};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use workers::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, Told, Unconfirmed};

/// Largest request; SendGrid, which sends the largest, keeps below 768 KiB.
const MOST_BYTES: usize = 1024 * 1024;

/// Tells a provider when to come again, in seconds.
const AGAIN_AFTER: &str = "5";

/// What the endpoint needs.
pub struct CallbackDoor {
    services: Arc<Services>,
    readers: RwLock<BTreeMap<&'static str, Arc<dyn Callbacks>>>,
    mistakes: Mistakes,
    proxies: Vec<Network>,
}

impl CallbackDoor {
    /// `invalid_requests` a second from one address; `proxies` whose word about callers' addresses counts.
    pub fn new(services: Arc<Services>, readers: Vec<Arc<dyn Callbacks>>, invalid_requests: u32, proxies: Vec<Network>) -> Self {
        let door = Self { services, readers: RwLock::default(), mistakes: Mistakes::new(invalid_requests), proxies };
        door.replace(readers);
        door
    }

    /// Believes others from now on.
    pub fn replace(&self, readers: Vec<Arc<dyn Callbacks>>) {
        *self.readers.write().unwrap_or_else(PoisonError::into_inner) = readers.into_iter().map(|reader| (reader.name(), reader)).collect();
    }

    fn reader(&self, provider: &str) -> Option<Arc<dyn Callbacks>> {
        self.readers.read().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()
    }

    /// Counts a mistake of an address; how many of them are listened to is bounded.
    fn mistaken(&self, from: Option<IpAddr>, status: StatusCode, words: &str) -> Response {
        let monotonic = self.services.engine.clock.monotonic();
        if self.mistakes.take(from.unwrap_or(IpAddr::from([0, 0, 0, 0])), monotonic) {
            return (status, format!("{words}\n")).into_response();
        }
        metrics::counter!("bongsu_requests_refused_total", "reason" => "invalid_callbacks").increment(1);
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, AGAIN_AFTER)], "too many requests that are not valid\n").into_response()
    }

    /// What was told, with what is only named asked of its provider.
    async fn confirmed(reader: &dyn Callbacks, told: Vec<Told>) -> Result<Vec<Told>, Unconfirmed> {
        let (mut known, mut named) = (Vec::new(), Vec::new());
        for one in told {
            match one {
                Told::Named { id } => named.push(id),
                told => known.push(told),
            }
        }
        if !named.is_empty() {
            known.extend(reader.confirm(named).await?);
        }
        Ok(known)
    }

    async fn take_in(&self, provider: &'static str, told: Vec<Told>) -> Result<(), LogError> {
        let metadata = Arc::new(Metadata { actor: format!("provider:{provider}"), ..Metadata::default() });
        let mut reports: Vec<(NotificationId, Receipt)> = Vec::new();
        let mut replies = Vec::new();
        for one in told {
            match one {
                Told::Receipt { notification, receipt } => {
                    metrics::counter!("bongsu_receipts_total", "provider" => provider, "said" => said(&receipt.said)).increment(1);
                    reports.push((notification, receipt));
                }
                // Asked for before.
                Told::Named { .. } => {}
                Told::Reply { channel, from, word, id } => replies.push((channel, from, word, id)),
            }
        }
        let bus = &self.services.engine.bus;
        if !reports.is_empty() {
            let recorded = receipts::record(bus, &metadata, provider, reports).await?;
            if recorded.strange > 0 {
                tracing::warn!(provider, strange = recorded.strange, "a provider reported deliveries that do not exist; is it another installation's account?");
            }
        }
        for (channel, from, word, id) in replies {
            self.hear(provider, &metadata, channel, &from, word, id).await?;
        }
        Ok(())
    }

    async fn hear(&self, provider: &'static str, metadata: &Arc<Metadata>, channel: Channel, from: &str, word: ReplyWord, id: String) -> Result<(), LogError> {
        let name = if word == ReplyWord::Stop { "stop" } else { "start" };
        metrics::counter!("bongsu_receipts_total", "provider" => provider, "said" => name).increment(1);
        let engine = &self.services.engine;
        let address = engine.hashing.address(channel, from);
        addresses::hear(&engine.bus, metadata, address, word, id).await.map(|_| ()).map_err(commands::bus::Refused::into_log)
    }
}

const fn said(said: &Said) -> &'static str {
    match said {
        Said::Delivered => "delivered",
        Said::Bounced { .. } => "bounced",
        Said::Complained { .. } => "complained",
        Said::Opened { .. } => "opened",
        Said::Clicked { .. } => "clicked",
    }
}

/// `/callbacks/{provider}`. By POST, and by GET for those providers that can be set to it.
pub fn router(door: Arc<CallbackDoor>) -> Router {
    Router::new().route("/callbacks/{provider}", get(answer).post(answer)).layer(DefaultBodyLimit::max(MOST_BYTES)).with_state(door)
}

async fn answer(
    State(door): State<Arc<CallbackDoor>>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let from = caller(&headers, peer.map(|Extension(peer)| peer), &door.proxies);
    let Some(reader) = door.reader(&provider) else {
        let words = "no provider of this name is set up to call back; see docs/guides/receipts.md";
        return door.mistaken(from, StatusCode::NOT_FOUND, words);
    };
    let name = reader.name();
    let request = CallbackRequest { query: query.as_deref().unwrap_or_default(), headers: &headers, body: &body, now: door.services.engine.clock.now() };
    let counted = |result: &'static str| metrics::counter!("bongsu_callbacks_total", "provider" => name, "result" => result).increment(1);
    let put_off = |error: &dyn std::fmt::Display| {
        counted("put_off");
        tracing::warn!(%error, provider = name, "what a provider reports cannot be recorded now; it is told to come again");
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN_AFTER)], "not now\n").into_response()
    };
    match reader.read(&request) {
        Ok(told) => match CallbackDoor::confirmed(reader.as_ref(), told).await {
            Ok(told) => match door.take_in(name, told).await {
                Ok(()) => {
                    counted("taken");
                    StatusCode::OK.into_response()
                }
                Err(error) => put_off(&error),
            },
            Err(error) => put_off(&error),
        },
        Err(refused) => {
            counted("refused");
            tracing::warn!(provider = name, reason = %refused, "a callback was refused");
            let status = if refused == CallbackRefused::Signature { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
            door.mistaken(from, status, &refused.to_string())
        }
    }
}
