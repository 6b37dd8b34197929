//! Vonage SMS (providers.md section 6): 200 whatever happened, the verdict for each segment in the body.
//!
//! Guarantee: the ledger shows what an answer stands for (400 for a refusal, 429 for throttling), as
//! the HTTP status says nothing. Stricter than the real one in one thing: characters that need
//! `type=unicode` are refused without it, where Vonage would put question marks in their place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use serde_json::json;

use super::World;
use super::credentials::{Basic, VONAGE_ALSO, VONAGE_FROM, VONAGE_KEY};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, refuse, settle};
use super::form::Form;
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, SmsIds, sha256};
use crate::providers::sms::{Encoding, segments};

const JSON: &str = "application/json";

/// See the module.
pub(crate) struct VonageSimulator {
    world: Arc<World>,
    credential: Basic,
    numbers: AtomicU64,
}

struct VonageDialect;

impl Dialect for VonageDialect {
    const THROTTLED: (u16, &'static str) = (429, "1");
    const DOWN: (u16, &'static str) = (503, "unavailable");

    /// A number is a status of Vonage's, told with 200; anything else comes from what stands before it.
    fn error(&self, status: u16, reason: &str) -> Answer {
        if reason.parse::<u16>().is_ok() {
            let body = json!({ "message-count": "1", "messages": [{ "status": reason, "error-text": "simulated" }] });
            return answer(200, JSON, body.to_string());
        }
        answer(status, "text/plain", reason.to_owned())
    }
}

fn refusal(code: &'static str) -> Refusal {
    Refusal::told(400, VonageDialect.error(400, code), code)
}

impl VonageSimulator {
    pub(crate) fn new(world: Arc<World>, secret: &str) -> Self {
        Self { world, credential: Basic::new(VONAGE_KEY, secret), numbers: AtomicU64::new(0) }
    }

    fn check(form: &Form) -> Result<(), Refusal> {
        let (Some(to), Some(from), Some(text)) = (form.get("to"), form.get("from"), form.get("text")) else {
            return Err(refusal("2"));
        };
        if !(7..=15).contains(&to.len()) || !to.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refusal("3"));
        }
        if from != VONAGE_FROM && from != VONAGE_ALSO {
            return Err(refusal("15"));
        }
        if text.is_empty() || (segments(text).encoding == Encoding::Ucs2 && form.get("type") != Some("unicode")) {
            return Err(refusal("3"));
        }
        let reference = form.get("client-ref").is_none_or(|reference| reference.len() <= 100);
        let ttl = form.get("ttl").is_none_or(|ttl| ttl.parse::<u64>().is_ok_and(|ttl| (20_000..=604_800_000).contains(&ttl)));
        if reference && ttl { Ok(()) } else { Err(refusal("3")) }
    }

    async fn submit(&self, head: &Parts, body: Bytes) -> Reply {
        let form = Form::parse(&body);
        let to = form.get("to").unwrap_or_default().to_owned();
        let (notification, delivery, attempt) = reference(form.get("client-ref").unwrap_or_default());
        let arrival = Arrival { provider: Provider::Vonage, notification, delivery, attempt, address_hash: sha256(to.as_bytes()), body_sha256: sha256(&body) };
        if !self.credential.fits(head.headers.get(AUTHORIZATION)) {
            return refuse(&self.world, arrival, Refusal::told(401, VonageDialect.error(401, "4"), "4"));
        }
        let fault = self.world.rules.fate(Provider::Vonage, &to).wait().await;
        settle(&self.world, &VonageDialect, arrival, fault, || {
            Self::check(&form)?;
            let count = segments(form.get("text").unwrap_or_default()).count;
            let first = self.numbers.fetch_add(u64::from(count), Ordering::Relaxed) + 1;
            let id = |number: u64| format!("0A{number:014X}");
            let parts: Vec<_> = (0..u64::from(count))
                .map(|part| json!({ "to": to, "message-id": id(first + part), "status": "0", "remaining-balance": "9.99", "message-price": "0.01", "network": "45008" }))
                .collect();
            let body_of = json!({ "message-count": count.to_string(), "messages": parts });
            let provider_id = ProviderId::Sms(Box::new(SmsIds { id: id(first).into(), segments: count }));
            Ok(Taken { answer: answer(200, JSON, body_of.to_string()), provider_id, delivered: true, address: to.clone(), raw: body.clone() })
        })
    }
}

/// `<uuid without dashes>.<delivery>.<attempt>`; any other text counts as the notification itself.
pub(super) fn reference(text: &str) -> (IdText, Option<u32>, Option<u32>) {
    let mut parts = text.split('.');
    match (parts.next().map(IdText::parse), parts.next().and_then(|n| n.parse().ok()), parts.next().and_then(|n| n.parse().ok())) {
        (Some(id @ IdText::Uuid(_)), Some(delivery), Some(attempt)) => (id, Some(delivery), Some(attempt)),
        _ => (IdText::parse(text), None, None),
    }
}

impl HttpSimulator for VonageSimulator {
    const MAX_BODY: usize = 64 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/sms/json") => self.submit(&head, body).await,
            (&Method::GET, "/account/get-balance") if self.credential.fits(head.headers.get(AUTHORIZATION)) => {
                Reply::Answer(answer(200, JSON, r#"{"value":9.99,"autoReload":false}"#))
            }
            (&Method::GET, "/account/get-balance") => Reply::Answer(answer(401, JSON, r#"{"error-code":"401"}"#)),
            _ => Reply::Answer(answer(404, "text/plain", "not found")),
        }
    }
}
