//! Twilio Messaging (providers.md section 4): creating a message, and listing those to a number.
//!
//! Guarantee: refuses what Twilio refuses for the parameters we use, with its codes. It calls no
//! status callback; our ids are read from the callback's query. Segments are counted by the server's
//! own table, which the published borders check.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::World;
use super::credentials::{Basic, TWILIO_ACCOUNT, TWILIO_ALSO, TWILIO_FROM};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, aside, refuse, settle};
use super::form::Form;
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, SmsIds, sha256};
use super::messages::Message;
use crate::providers::sms::segments;
use domain::values::PhoneNumber;

/// Longest text, in characters.
const LONGEST: usize = 1_600;
pub(super) const JSON: &str = "application/json";

/// See the module.
pub(crate) struct TwilioSimulator {
    world: Arc<World>,
    credential: Basic,
    path: String,
    numbers: AtomicU64,
}

pub(super) struct TwilioDialect;

impl Dialect for TwilioDialect {
    const THROTTLED: (u16, &'static str) = (429, "20429");
    const DOWN: (u16, &'static str) = (503, "20503");

    /// A reason that is no code of Twilio's is answered in plain words, as a proxy would.
    fn error(&self, status: u16, reason: &str) -> Answer {
        match reason.parse::<u32>() {
            Ok(code) => {
                let info = format!("https://www.twilio.com/docs/errors/{code}");
                answer(status, JSON, json!({ "code": code, "message": "simulated", "more_info": info, "status": status }).to_string())
            }
            Err(_) => answer(status, "text/plain", reason.to_owned()),
        }
    }
}

pub(super) fn refusal(status: u16, code: &'static str) -> Refusal {
    Refusal::new(TwilioDialect.error(status, code), code)
}

impl TwilioSimulator {
    pub(crate) fn new(world: Arc<World>, token: &str) -> Self {
        let path = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json");
        Self { world, credential: Basic::new(TWILIO_ACCOUNT, token), path, numbers: AtomicU64::new(0) }
    }

    fn check(&self, head: &Parts, form: &Form) -> Result<(), Refusal> {
        if !is_form(head) {
            return Err(refusal(400, "21604"));
        }
        let to = form.get("To").ok_or_else(|| refusal(400, "21604"))?;
        if PhoneNumber::parse(to).is_err() {
            return Err(refusal(400, "21211"));
        }
        match (form.get("From"), form.get("MessagingServiceSid")) {
            (None, None) => return Err(refusal(400, "21603")),
            // What Twilio keeps for tests of the sender.
            (Some("+15005550001"), _) => return Err(refusal(400, "21212")),
            (Some("+15005550008"), _) => return Err(refusal(429, "21611")),
            (Some(from), _) if from != TWILIO_FROM && !TWILIO_ALSO.contains(&from) => return Err(refusal(400, "21606")),
            _ => {}
        }
        match form.get("Body") {
            None | Some("") => return Err(refusal(400, "21602")),
            Some(text) if text.chars().count() > LONGEST => return Err(refusal(400, "21617")),
            Some(_) => {}
        }
        let valid = form.get("ValidityPeriod").is_none_or(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| (1..=36_000).contains(&seconds)));
        if valid { Ok(()) } else { Err(refusal(400, "20001")) }
    }

    async fn create(&self, head: &Parts, body: Bytes) -> Reply {
        let form = Form::parse(&body);
        let to = form.get("To").unwrap_or_default().to_owned();
        let arrival = arrival(Provider::Twilio, &form, &to, &body);
        if !self.credential.fits(head.headers.get(AUTHORIZATION)) {
            return refuse(&self.world, arrival, refusal(401, "20003"));
        }
        let fault = self.world.rules.fate(Provider::Twilio, &to).wait().await;
        settle(&self.world, &TwilioDialect, arrival, fault, || {
            self.check(head, &form)?;
            let sid = format!("SM{:032x}", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let text = form.get("Body").unwrap_or_default();
            let segments = segments(text).count;
            let created = json!({
                "sid": sid, "account_sid": TWILIO_ACCOUNT, "to": to, "from": form.get("From"), "body": text, "status": "queued",
                "num_segments": segments.to_string(), "error_code": null, "error_message": null, "direction": "outbound-api",
            });
            let provider_id = ProviderId::Sms(Box::new(SmsIds { id: sid.as_str().into(), segments }));
            Ok(Taken { answer: answer(201, JSON, created.to_string()), provider_id, delivered: true, address: to.clone(), raw: body.clone() })
        })
    }

    fn list(&self, head: &Parts) -> Answer {
        let text = |message: &Message| Form::parse(&message.raw).get("Body").map(ToOwned::to_owned);
        list(&self.world, &self.credential, head, Provider::Twilio, "messages", |message| json!({ "body": text(message), "status": "sent" }))
    }
}

/// Twilio takes nothing else.
/// What was created, newest first, of one number where it is asked for: what every list says of each, and what
/// `of` adds.
pub(super) fn list(world: &World, credential: &Basic, head: &Parts, provider: Provider, name: &str, of: impl Fn(&Message) -> Value) -> Answer {
    if !credential.fits(head.headers.get(AUTHORIZATION)) {
        return TwilioDialect.error(401, "20003");
    }
    let query = Form::parse(head.uri.query().unwrap_or_default().as_bytes());
    let most = query.get("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50_usize);
    let all = world.messages.latest(provider, usize::MAX);
    let wanted = all.iter().rev().filter(|message| query.get("To").is_none_or(|to| to == message.address));
    let listed: Vec<_> = wanted
        .take(most)
        .map(|message| {
            let entry = world.ledger.entries(message.seq.saturating_sub(1), 1).pop();
            let created = entry.as_ref().and_then(|entry| chrono::DateTime::parse_from_rfc3339(&entry.at).ok()).map(|at| at.to_rfc2822());
            let mut one = of(message);
            one["sid"] = json!(entry.and_then(|entry| entry.provider_id));
            one["to"] = json!(message.address);
            one["date_created"] = json!(created);
            one
        })
        .collect();
    answer(200, JSON, json!({ name: listed, "page": 0, "page_size": most }).to_string())
}

pub(super) fn is_form(head: &Parts) -> bool {
    head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

pub(super) fn arrival(provider: Provider, form: &Form, to: &str, body: &[u8]) -> Arrival {
    let query = form.get("StatusCallback").and_then(|url| url.split_once('?')).map(|(_, query)| query.split('#').next().unwrap_or_default());
    let callback = query.map(|query| Form::parse(query.as_bytes())).unwrap_or_default();
    Arrival {
        provider,
        notification: callback.get("nid").map(IdText::parse).unwrap_or_default(),
        delivery: callback.get("delivery").and_then(|number| number.parse().ok()),
        attempt: callback.get("attempt").and_then(|number| number.parse().ok()),
        address_hash: sha256(to.as_bytes()),
        body_sha256: sha256(body),
    }
}

impl HttpSimulator for TwilioSimulator {
    const MAX_BODY: usize = 64 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match head.method {
            Method::POST if head.uri.path() == self.path => self.create(&head, body).await,
            Method::GET if head.uri.path() == self.path => match aside(&self.world, &TwilioDialect, Provider::Twilio).await {
                Some(reply) => reply,
                None => Reply::Answer(self.list(&head)),
            },
            _ => Reply::Answer(TwilioDialect.error(404, "20404")),
        }
    }
}
