//! KakaoTalk AlimTalk by NHN Cloud (providers.md section 14): sending one message of an approved
//! template, and listing what was taken.
//!
//! Guarantee: the verdict is in the body and the status 200, as NHN does; a key is refused for 10 minutes of
//! the simulators' clock. A key is spent by what was taken only: whether a refused request spends it,
//! NHN's pages do not say. What became of it is listed at once, and told by a webhook where that is set; no text
//! message goes in its place.

mod validate;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};

use super::World;
use super::callbacks::kakao_talk_result;
use super::credentials::{KAKAO_APP_KEY, KAKAO_SENDER_KEY};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, aside, refuse, settle};
use super::form::Form;
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};
use super::vonage::reference;
use validate::{TEMPLATES, check};

const JSON: &str = "application/json;charset=UTF-8";
/// How long a key is refused after it was used.
const KEY_MICROS: i64 = 600_000_000;
/// NHN's dates are Korea's.
const SEOUL_SECONDS: i64 = 9 * 3_600;

/// See the module.
pub(crate) struct KakaoTalkSimulator {
    world: Arc<World>,
    secret: String,
    numbers: AtomicU64,
    /// Keys of what was taken, and when.
    keys: Mutex<HashMap<String, i64>>,
}

struct KakaoTalkDialect;

impl Dialect for KakaoTalkDialect {
    const THROTTLED: (u16, &'static str) = (429, "too many requests");
    const DOWN: (u16, &'static str) = (503, "unavailable");

    /// A number is a result of NHN's, told with 200; anything else comes from what stands before it.
    fn error(&self, status: u16, reason: &str) -> Answer {
        match reason.parse::<i64>() {
            // About the recipient: every one of them failed, and the code is that recipient's.
            Ok(-4019) => told(&json!({
                "header": header(-1031),
                "message": { "requestId": null, "sendResults": [{ "recipientSeq": 1, "resultCode": -4019, "resultMessage": "simulated" }] },
            })),
            Ok(code) => told(&json!({ "header": header(code) })),
            Err(_) => answer(status, "text/plain", reason.to_owned()),
        }
    }
}

fn header(code: i64) -> Value {
    json!({ "isSuccessful": code == 0, "resultCode": code, "resultMessage": if code == 0 { "SUCCESS" } else { "simulated" } })
}

fn told(body: &Value) -> Answer {
    answer(200, JSON, body.to_string())
}

fn refusal(code: &'static str) -> Refusal {
    Refusal::told(400, KakaoTalkDialect.error(400, code), code)
}

impl KakaoTalkSimulator {
    pub(crate) fn new(world: Arc<World>, secret: &str) -> Self {
        Self { world, secret: secret.to_owned(), numbers: AtomicU64::new(0), keys: Mutex::default() }
    }

    fn authorized(&self, headers: &HeaderMap) -> bool {
        headers.get("X-Secret-Key").is_some_and(|secret| secret.as_bytes() == self.secret.as_bytes())
    }

    /// Notes a key; false if it was used within the last 10 minutes.
    fn spend(&self, key: &str) -> bool {
        let now = self.world.clock.now_micros();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|_, at| now.saturating_sub(*at) < KEY_MICROS);
        if keys.contains_key(key) {
            return false;
        }
        keys.insert(key.to_owned(), now);
        true
    }

    async fn send(&self, head: &Parts, body: Bytes) -> Reply {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let recipient = &request["recipientList"][0];
        let to = recipient["recipientNo"].as_str().unwrap_or_default().to_owned();
        let (notification, delivery, attempt) = reference(request["senderGroupingKey"].as_str().unwrap_or_default());
        let arrival = Arrival {
            provider: Provider::KakaoTalk,
            notification: if notification == IdText::Missing {
                IdText::parse(recipient["recipientGroupingKey"].as_str().unwrap_or_default())
            } else {
                notification
            },
            delivery,
            attempt,
            address_hash: sha256(to.as_bytes()),
            body_sha256: sha256(&body),
        };
        if !self.authorized(&head.headers) {
            return refuse(&self.world, arrival, Refusal::told(401, KakaoTalkDialect.error(401, "-1001"), "-1001"));
        }
        let key = head.headers.get("X-NC-API-IDEMPOTENCY-KEY").and_then(|key| key.to_str().ok()).map(ToOwned::to_owned);
        let fault = self.world.rules.fate(Provider::KakaoTalk, &to).wait().await;
        settle(&self.world, &KakaoTalkDialect, arrival, fault, || {
            let json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
            if !json {
                return Err(refusal("-3002"));
            }
            check(&request).map_err(refusal)?;
            if key.as_deref().is_some_and(|key| !self.spend(key)) {
                return Err(refusal("-1005"));
            }
            let id = format!("{:020}AT", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let result = json!({
                "recipientSeq": 1, "recipientNo": to, "resultCode": 0, "resultMessage": "SUCCESS",
                "recipientGroupingKey": recipient["recipientGroupingKey"],
            });
            let taken = json!({
                "header": header(0),
                "message": { "requestId": id, "senderGroupingKey": request["senderGroupingKey"], "sendResults": [result] },
            });
            Ok(Taken { answer: told(&taken), provider_id: ProviderId::Text(format!("{id}.1").into()), delivered: true, address: to.clone(), raw: body.clone() })
        })
    }

    /// What was taken, newest first.
    fn list(&self, query: &str) -> Answer {
        let query = Form::parse(query.as_bytes());
        let (from, until) = (query.get("startRequestDate"), query.get("endRequestDate"));
        // One or the other has to be there.
        if query.get("requestId").is_none() && (from.is_none() || until.is_none()) {
            return KakaoTalkDialect.error(400, "4");
        }
        let most = query.get("pageSize").and_then(|size| size.parse().ok()).unwrap_or(15_usize).min(1_000);
        let mut messages = Vec::new();
        for message in self.world.messages.latest(Provider::KakaoTalk, usize::MAX).iter().rev() {
            let Some(entry) = self.world.ledger.entries(message.seq.saturating_sub(1), 1).pop() else { continue };
            let request: Value = serde_json::from_slice(&message.raw).unwrap_or_default();
            let recipient = &request["recipientList"][0];
            let Some((id, _)) = entry.provider_id.as_deref().and_then(|id| id.rsplit_once('.')) else { continue };
            let at = minute(&entry.at);
            let wanted = query.get("requestId").is_none_or(|wanted| wanted == id)
                && query.get("recipientGroupingKey").is_none_or(|key| recipient["recipientGroupingKey"] == key)
                && query.get("recipientNo").is_none_or(|number| number == message.address)
                && from.is_none_or(|from| from <= at.as_str())
                && until.is_none_or(|until| at.as_str() <= until);
            if wanted {
                let result = kakao_talk_result(&message.address);
                messages.push(json!({
                    "requestId": id, "recipientSeq": 1, "senderKey": request["senderKey"], "templateCode": request["templateCode"],
                    "recipientNo": message.address, "requestDate": at, "createDate": at, "messageStatus": if result.is_some() { "COMPLETED" } else { "READY" }, "resultCode": result, "receiveDate": result.map(|_| second(&entry.at)), "resendStatus": "RSC01",
                    "senderGroupingKey": request["senderGroupingKey"], "recipientGroupingKey": recipient["recipientGroupingKey"],
                }));
            }
        }
        let count = messages.len();
        messages.truncate(most);
        told(&json!({ "header": header(0), "messageSearchResultResponse": { "messages": messages, "totalCount": count } }))
    }

    fn look(&self, path: &str, query: &str) -> Answer {
        let sender = path.strip_prefix("/senders/").map(|rest| rest.split_once("/templates/").map_or((rest, None), |(sender, code)| (sender, Some(code))));
        match (path, sender) {
            ("/messages", _) => self.list(query),
            (_, Some((KAKAO_SENDER_KEY, None))) => told(&json!({ "header": header(0), "sender": { "senderKey": KAKAO_SENDER_KEY, "status": "YSC03" } })),
            (_, Some((KAKAO_SENDER_KEY, Some(code)))) => match TEMPLATES.iter().find(|template| template.code == code) {
                Some(template) => told(&json!({
                    "header": header(0),
                    "templates": { "templateCode": code, "templateContent": template.text, "status": if template.approved { "TSC03" } else { "TSC02" } },
                })),
                None => KakaoTalkDialect.error(404, "-3003"),
            },
            (_, Some(_)) => KakaoTalkDialect.error(404, "-2017"),
            _ => answer(404, "text/plain", "not found"),
        }
    }
}

/// A moment of the ledger as NHN writes it; empty for what is none.
fn minute(at: &str) -> String {
    written(at, "%Y-%m-%d %H:%M")
}

fn second(at: &str) -> String {
    written(at, "%Y-%m-%d %H:%M:%S")
}

fn written(at: &str, form: &str) -> String {
    let at = chrono::DateTime::parse_from_rfc3339(at).map(|at| at.timestamp() + SEOUL_SECONDS);
    let local = at.ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    local.map(|at| at.format(form).to_string()).unwrap_or_default()
}

impl HttpSimulator for KakaoTalkSimulator {
    const MAX_BODY: usize = 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        let Some((app_key, _)) = head.uri.path().strip_prefix("/alimtalk/v2.3/appkeys/").and_then(|rest| rest.split_once('/')) else {
            return Reply::Answer(answer(404, "text/plain", "not found"));
        };
        if app_key != KAKAO_APP_KEY {
            return Reply::Answer(KakaoTalkDialect.error(400, "-1000"));
        }
        let path = head.uri.path()["/alimtalk/v2.3/appkeys/".len() + app_key.len()..].to_owned();
        match head.method {
            Method::POST if path == "/messages" => self.send(&head, body).await,
            Method::GET if !self.authorized(&head.headers) => Reply::Answer(KakaoTalkDialect.error(401, "-1001")),
            Method::GET => match aside(&self.world, &KakaoTalkDialect, Provider::KakaoTalk).await {
                Some(reply) => reply,
                None => Reply::Answer(self.look(&path, head.uri.query().unwrap_or_default())),
            },
            _ => Reply::Answer(answer(404, "text/plain", "not found")),
        }
    }
}
