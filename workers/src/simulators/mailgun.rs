//! Mailgun (providers.md section 8): taking one message as a form in parts.
//!
//! Guarantee: refuses what Mailgun refuses of the fields we use, in its words. It calls no webhook; our
//! ids are read from the variables.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde_json::json;

use super::World;
use super::credentials::{Basic, MAIL_DOMAIN};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, aside, refuse, settle};
use super::form::Form;
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};
use super::sendgrid::{is_address, is_ours};

const JSON: &str = "application/json";

/// See the module.
pub(crate) struct MailgunSimulator {
    world: Arc<World>,
    credential: Basic,
    path: String,
    numbers: AtomicU64,
}

struct MailgunDialect;

impl Dialect for MailgunDialect {
    const THROTTLED: (u16, &'static str) = (429, "");
    const DOWN: (u16, &'static str) = (503, "");

    /// The reason is the message. Credentials are refused in a plain word.
    fn error(&self, status: u16, reason: &str) -> Answer {
        match status {
            401 => answer(401, "text/plain", "Forbidden"),
            _ => answer(status, JSON, json!({ "message": reason }).to_string()),
        }
    }
}

fn refusal(status: u16, message: &'static str) -> Refusal {
    Refusal::new(MailgunDialect.error(status, message), message)
}

impl MailgunSimulator {
    pub(crate) fn new(world: Arc<World>, key: &str) -> Self {
        Self { world, credential: Basic::new("api", key), path: format!("/v3/{MAIL_DOMAIN}/messages"), numbers: AtomicU64::new(0) }
    }

    fn check(form: &Form) -> Result<(), Refusal> {
        let from = form.get("from").ok_or_else(|| refusal(400, "from parameter is missing"))?;
        let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>'));
        if !is_ours(address) {
            return Err(refusal(400, "from parameter is not a valid address. please check documentation"));
        }
        let to = form.get("to").ok_or_else(|| refusal(400, "to parameter is missing"))?;
        if !is_address(to) {
            return Err(refusal(400, "to parameter is not a valid address. please check documentation"));
        }
        if form.get("subject").is_none_or(str::is_empty) {
            return Err(refusal(400, "subject parameter is missing"));
        }
        let parts = [form.get("text"), form.get("html")];
        if parts.iter().flatten().all(|part| part.is_empty()) {
            return Err(refusal(400, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"));
        }
        let fine = form.files().iter().all(|file| file.field == "attachment" && !file.name.is_empty() && !file.kind.is_empty() && !file.content.is_empty());
        if fine { Ok(()) } else { Err(refusal(400, "attachment parameter is not a file")) }
    }

    async fn send(&self, head: &Parts, body: Bytes) -> Reply {
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let form = Form::of_parts(kind, &body).unwrap_or_default();
        let to = form.get("to").unwrap_or_default().to_owned();
        let number = |name: &str| form.get(name).and_then(|number| number.parse().ok());
        let arrival = Arrival {
            provider: Provider::Mailgun,
            notification: form.get("v:nid").map(IdText::parse).unwrap_or_default(),
            delivery: number("v:delivery"),
            attempt: number("v:attempt"),
            address_hash: sha256(to.as_bytes()),
            body_sha256: sha256(&body),
        };
        if !self.credential.fits(head.headers.get(AUTHORIZATION)) {
            return refuse(&self.world, arrival, refusal(401, ""));
        }
        let fault = self.world.rules.fate(Provider::Mailgun, &to).wait().await;
        settle(&self.world, &MailgunDialect, arrival, fault, || {
            Self::check(&form)?;
            let id = format!("<{:020}.sim@{MAIL_DOMAIN}>", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let taken = answer(200, JSON, json!({ "id": id, "message": "Queued. Thank you." }).to_string());
            Ok(Taken { answer: taken, provider_id: ProviderId::Text(id.into()), delivered: true, address: to.clone(), raw: body.clone() })
        })
    }
}

impl HttpSimulator for MailgunSimulator {
    const MAX_BODY: usize = 25 * 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        if head.method == Method::POST && head.uri.path() == self.path {
            return self.send(&head, body).await;
        }
        if let Some(reply) = aside(&self.world, &MailgunDialect, Provider::Mailgun).await {
            return reply;
        }
        Reply::Answer(MailgunDialect.error(404, "Domain not found"))
    }
}
