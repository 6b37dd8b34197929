//! Pigeon, imitated: `POST /v1/messages` and `GET /v1/account`.
//!
//! Guarantee: refuses what Pigeon refuses, in its words; every arrival is in the ledger before its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::World;
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, refuse, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};

/// An example is in no list: it borrows Slack's row, with the words of Slack's addresses.
const ROW: Provider = Provider::Slack;
const JSON: &str = "application/json";

/// See the module.
pub(crate) struct PigeonSimulator {
    world: Arc<World>,
    key: String,
    numbers: AtomicU64,
}

struct PigeonDialect;

/// How faults are worded that a rule or an address asks for.
impl Dialect for PigeonDialect {
    const THROTTLED: (u16, &'static str) = (429, "too_many_pigeons");
    const DOWN: (u16, &'static str) = (503, "storm");

    fn error(&self, status: u16, reason: &str) -> Answer {
        answer(status, JSON, json!({ "error": reason }).to_string())
    }
}

fn refusal(status: u16, reason: &'static str) -> Refusal {
    Refusal::new(PigeonDialect.error(status, reason), reason)
}

impl PigeonSimulator {
    pub(crate) fn new(world: Arc<World>, key: &str) -> Self {
        Self { world, key: key.to_owned(), numbers: AtomicU64::new(0) }
    }

    fn is_ours(&self, head: &Parts) -> bool {
        head.headers.get(AUTHORIZATION).is_some_and(|header| header.as_bytes() == format!("Bearer {}", self.key).as_bytes())
    }

    async fn send(&self, head: &Parts, body: Bytes) -> Reply {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let number = |name: &str| request["reference"][name].as_u64().and_then(|number| u32::try_from(number).ok());
        let loft = request["loft"].as_str().unwrap_or_default().to_owned();
        let arrival = Arrival {
            provider: ROW,
            notification: request["reference"]["nid"].as_str().map(IdText::parse).unwrap_or_default(),
            delivery: number("delivery"),
            attempt: number("attempt"),
            address_hash: sha256(loft.as_bytes()),
            body_sha256: sha256(&body),
        };
        if !self.is_ours(head) {
            return refuse(&self.world, arrival, refusal(401, "unknown_key"));
        }
        let fault = self.world.rules.fate(ROW, &loft).wait().await;
        settle(&self.world, &PigeonDialect, arrival, fault, || {
            if request["text"].as_str().is_none_or(str::is_empty) {
                return Err(refusal(400, "nothing_to_carry"));
            }
            let id = format!("p{}", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let taken = answer(202, JSON, json!({ "id": id }).to_string());
            Ok(Taken { answer: taken, provider_id: ProviderId::Text(id.into()), delivered: true, address: loft.clone(), raw: body.clone() })
        })
    }
}

impl HttpSimulator for PigeonSimulator {
    const MAX_BODY: usize = 64 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/v1/messages") => self.send(&head, body).await,
            (&Method::GET, "/v1/account") if self.is_ours(&head) => Reply::Answer(answer(200, JSON, "{}")),
            (&Method::GET, "/v1/account") => Reply::Answer(PigeonDialect.error(401, "unknown_key")),
            _ => Reply::Answer(PigeonDialect.error(404, "no_such_path")),
        }
    }
}
