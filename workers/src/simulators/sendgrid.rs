//! SendGrid v3 (providers.md section 7): taking one message, and telling what a key may do.
//!
//! Guarantee: refuses what SendGrid refuses of the fields we use, and tells throttling as it does, by
//! the end of the window. It makes no events; our ids are read from the custom arguments.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::World;
use super::credentials::MAIL_DOMAIN;
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, aside, refuse, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};

const JSON: &str = "application/json";

/// Headers that have fields of their own.
const RESERVED: [&str; 8] = ["to", "from", "subject", "reply-to", "cc", "bcc", "dkim-signature", "received"];

/// See the module.
pub(crate) struct SendgridSimulator {
    world: Arc<World>,
    bearer: String,
    numbers: AtomicU64,
}

struct SendgridDialect;

impl Dialect for SendgridDialect {
    const THROTTLED: (u16, &'static str) = (429, "");
    const DOWN: (u16, &'static str) = (503, "");

    /// The reason is the field that the error is about.
    fn error(&self, status: u16, reason: &str) -> Answer {
        let field = (!reason.is_empty()).then_some(reason);
        answer(status, JSON, json!({ "errors": [{ "message": "simulated", "field": field, "help": null }] }).to_string())
    }
}

fn refusal(status: u16, field: &'static str) -> Refusal {
    Refusal::new(SendgridDialect.error(status, field), field)
}

/// Whether an address is one at all, as far as a mail sender looks.
pub(super) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && text.is_ascii() && !text.contains(char::is_whitespace))
}

/// An address of the domain that is verified.
pub(super) fn is_ours(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(_, domain)| domain == MAIL_DOMAIN)
}

impl SendgridSimulator {
    pub(crate) fn new(world: Arc<World>, key: &str) -> Self {
        Self { world, bearer: format!("Bearer {key}"), numbers: AtomicU64::new(0) }
    }

    fn may(&self, head: &Parts) -> bool {
        head.headers.get(AUTHORIZATION).is_some_and(|header| header.as_bytes() == self.bearer.as_bytes())
    }

    fn check(head: &Parts, body: &Value) -> Result<(), Refusal> {
        if !head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with(JSON)) {
            return Err(refusal(415, ""));
        }
        let to = &body["personalizations"][0];
        if !to["to"][0]["email"].as_str().is_some_and(is_address) {
            return Err(refusal(400, "personalizations.0.to.0.email"));
        }
        let arguments = to["custom_args"].as_object();
        if arguments.is_some_and(|all| all.values().any(|value| !value.is_string())) {
            return Err(refusal(400, "personalizations.0.custom_args"));
        }
        match body["from"]["email"].as_str() {
            Some(from) if is_ours(from) => {}
            Some(from) if is_address(from) => return Err(refusal(403, "from")),
            _ => return Err(refusal(400, "from.email")),
        }
        if body["subject"].as_str().is_none_or(str::is_empty) {
            return Err(refusal(400, "subject"));
        }
        let content = body["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let kinds: Vec<_> = content.iter().map(|part| part["type"].as_str().unwrap_or_default()).collect();
        let filled = content.iter().all(|part| part["value"].as_str().is_some_and(|value| !value.is_empty()));
        if !filled || !matches!(kinds.as_slice(), ["text/plain"] | ["text/html"] | ["text/plain", "text/html"]) {
            return Err(refusal(400, "content"));
        }
        if let Some(files) = body.get("attachments") {
            let fine = |file: &Value| {
                let text = |name: &str| file[name].as_str().is_some_and(|text| !text.is_empty() && !text.contains([';', '\r', '\n']));
                text("type") && text("filename") && file["content"].as_str().is_some_and(|content| !content.is_empty() && STANDARD.decode(content).is_ok())
            };
            if !files.as_array().is_some_and(|files| !files.is_empty() && files.iter().all(fine)) {
                return Err(refusal(400, "attachments"));
            }
        }
        let headers = body["headers"].as_object();
        let fine = headers.is_none_or(|all| all.iter().all(|(name, value)| is_free(name) && value.as_str().is_some_and(|value| value.is_ascii())));
        if fine { Ok(()) } else { Err(refusal(400, "headers")) }
    }

    async fn send(&self, head: &Parts, body: Bytes) -> Reply {
        let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let one = &json["personalizations"][0];
        let to = one["to"][0]["email"].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| one["custom_args"][name].as_str().and_then(|number| number.parse().ok());
        let arrival = Arrival {
            provider: Provider::Sendgrid,
            notification: one["custom_args"]["nid"].as_str().map(IdText::parse).unwrap_or_default(),
            delivery: number("delivery"),
            attempt: number("attempt"),
            address_hash: sha256(to.as_bytes()),
            body_sha256: sha256(&body),
        };
        if !self.may(head) {
            return refuse(&self.world, arrival, refusal(401, ""));
        }
        let fault = self.world.rules.fate(Provider::Sendgrid, &to).wait().await;
        let reply = settle(&self.world, &SendgridDialect, arrival, fault, || {
            Self::check(head, &json)?;
            let id = format!("sim{:019x}", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let mut taken = answer(202, "text/plain", "");
            // Of digits and letters; a header that could not be made would show as an answer without an id.
            taken.headers_mut().extend(HeaderValue::from_str(&id).ok().map(|id| (hyper::header::HeaderName::from_static("x-message-id"), id)));
            Ok(Taken { answer: taken, provider_id: ProviderId::Text(id.into()), delivered: true, address: to.clone(), raw: body.clone() })
        });
        match reply {
            Reply::Answer(answer) => Reply::Answer(self.in_windows(answer)),
            other => other,
        }
    }

    /// SendGrid names the end of the window, not the wait.
    fn in_windows(&self, mut answer: Answer) -> Answer {
        let wait = answer.headers_mut().remove(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse::<i64>().ok());
        if let Some(seconds) = wait {
            let end = self.world.clock.now_seconds() + seconds + 1;
            answer.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(0));
            answer.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(end));
        }
        answer
    }
}

fn is_free(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !RESERVED.contains(&name.as_str()) && !name.starts_with("content-") && !name.starts_with("x-sg-")
}

impl HttpSimulator for SendgridSimulator {
    const MAX_BODY: usize = 30 * 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/v3/mail/send") => self.send(&head, body).await,
            (&Method::GET, "/v3/scopes") => match aside(&self.world, &SendgridDialect, Provider::Sendgrid).await {
                Some(reply) => reply,
                None if self.may(&head) => Reply::Answer(answer(200, JSON, r#"{"scopes":["mail.send"]}"#)),
                None => Reply::Answer(SendgridDialect.error(401, "")),
            },
            _ => Reply::Answer(SendgridDialect.error(404, "")),
        }
    }
}
