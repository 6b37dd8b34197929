//! Incoming webhooks of Slack (providers.md section 11): plain words for answers.
//!
//! Guarantee: refuses what Slack refuses of texts and blocks. Every path of the right form is a
//! webhook; our ids are read from the first block's id.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde_json::Value;

use super::World;
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, Provider, ProviderId, sha256};
use super::vonage::reference;

/// See the module.
pub(crate) struct SlackSimulator {
    world: Arc<World>,
}

struct SlackDialect;

impl Dialect for SlackDialect {
    const THROTTLED: (u16, &'static str) = (429, "rate_limited");
    const DOWN: (u16, &'static str) = (500, "rollup_error");

    fn error(&self, status: u16, reason: &str) -> Answer {
        answer(status, "text/html", reason.to_owned())
    }
}

fn refusal(status: u16, word: &'static str) -> Refusal {
    Refusal::new(SlackDialect.error(status, word), word)
}

impl SlackSimulator {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    fn check(head: &Parts, body: &Value) -> Result<(), Refusal> {
        if head.method != Method::POST {
            return Err(refusal(405, "method_not_allowed"));
        }
        let parts: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        if parts.len() != 4 || parts[0] != "services" || parts.iter().any(|part| part.is_empty()) {
            return Err(refusal(404, "no_service"));
        }
        let json = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("application/json"));
        if !json || !body.is_object() {
            return Err(refusal(400, "invalid_payload"));
        }
        let blocks = body["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
        if blocks.is_empty() && body["text"].as_str().is_none_or(str::is_empty) {
            return Err(refusal(400, "no_text"));
        }
        if blocks.len() > 50 || !blocks.iter().all(is_block) {
            return Err(refusal(400, "invalid_blocks"));
        }
        Ok(())
    }
}

/// A heading or section within Slack's bounds.
fn is_block(block: &Value) -> bool {
    let length = block["text"]["text"].as_str().map_or(0, |text| text.chars().count());
    let id = block["block_id"].as_str().is_none_or(|id| id.len() <= 255);
    id && match (block["type"].as_str(), block["text"]["type"].as_str()) {
        (Some("header"), Some("plain_text")) => (1..=150).contains(&length),
        (Some("section"), Some("plain_text" | "mrkdwn")) => (1..=3_000).contains(&length),
        _ => false,
    }
}

impl HttpSimulator for SlackSimulator {
    const MAX_BODY: usize = 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        let path = head.uri.path().to_owned();
        let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let (notification, delivery, attempt) = reference(json["blocks"][0]["block_id"].as_str().unwrap_or_default());
        let arrival = Arrival { provider: Provider::Slack, notification, delivery, attempt, address_hash: sha256(path.as_bytes()), body_sha256: sha256(&body) };
        let fault = self.world.rules.fate(Provider::Slack, &path).wait().await;
        settle(&self.world, &SlackDialect, arrival, fault, || {
            Self::check(&head, &json)?;
            Ok(Taken { answer: answer(200, "text/html", "ok"), provider_id: ProviderId::None, delivered: true, address: path.clone(), raw: body.clone() })
        })
    }
}
