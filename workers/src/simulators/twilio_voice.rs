//! Twilio Voice (providers.md section 5): creating a call from a text, and listing those to a number.
//!
//! Guarantee: refuses what Twilio refuses for the parameters we use, with its codes, and a document that
//! is not TwiML, which Twilio would find out at the ringing telephone. It calls no status callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use serde_json::json;

use super::World;
use super::credentials::{Basic, TWILIO_ACCOUNT, TWILIO_ALSO, TWILIO_FROM};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, refuse, settle};
use super::form::Form;
use super::http::HttpSimulator;
use super::ledger::{Provider, ProviderId};
use super::messages::Message;
use super::twilio::{JSON, TwilioDialect, arrival, is_form, list, refusal};
use domain::values::PhoneNumber;

/// Longest document, in characters.
const LONGEST: usize = 4_000;

/// See the module.
pub(crate) struct TwilioVoiceSimulator {
    world: Arc<World>,
    credential: Basic,
    path: String,
    numbers: AtomicU64,
}

impl TwilioVoiceSimulator {
    pub(crate) fn new(world: Arc<World>, token: &str) -> Self {
        let path = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Calls.json");
        Self { world, credential: Basic::new(TWILIO_ACCOUNT, token), path, numbers: AtomicU64::new(0) }
    }

    fn check(head: &Parts, form: &Form) -> Result<(), Refusal> {
        if !is_form(head) {
            return Err(refusal(400, "21201"));
        }
        let to = form.get("To").ok_or_else(|| refusal(400, "21201"))?;
        if PhoneNumber::parse(to).is_err() {
            return Err(refusal(400, "21211"));
        }
        match form.get("From") {
            None => return Err(refusal(400, "21213")),
            Some(TWILIO_FROM) => {}
            Some(from) if TWILIO_ALSO.contains(&from) && from.starts_with('+') => {}
            Some(_) => return Err(refusal(400, "21210")),
        }
        let document = form.get("Twiml").ok_or_else(|| refusal(400, "21205"))?;
        if document.chars().count() > LONGEST {
            return Err(refusal(400, "21623"));
        }
        if spoken(document).is_none_or(|text| text.trim().is_empty()) {
            return Err(refusal(400, "12100"));
        }
        let rings = form.get("Timeout").is_none_or(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| (1..=600).contains(&seconds)));
        let events = form.all("StatusCallbackEvent").all(|event| matches!(event, "initiated" | "ringing" | "answered" | "completed"));
        if rings && events { Ok(()) } else { Err(refusal(400, "20001")) }
    }

    async fn create(&self, head: &Parts, body: Bytes) -> Reply {
        let form = Form::parse(&body);
        let to = form.get("To").unwrap_or_default().to_owned();
        let arrival = arrival(Provider::TwilioVoice, &form, &to, &body);
        if !self.credential.fits(head.headers.get(AUTHORIZATION)) {
            return refuse(&self.world, arrival, refusal(401, "20003"));
        }
        let fault = self.world.rules.fate(Provider::TwilioVoice, &to).wait().await;
        settle(&self.world, &TwilioDialect, arrival, fault, || {
            Self::check(head, &form)?;
            let sid = format!("CA{:032x}", self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            let created = json!({
                "sid": sid, "account_sid": TWILIO_ACCOUNT, "to": to, "from": form.get("From"), "status": "queued",
                "queue_time": "1000", "direction": "outbound-api", "start_time": null, "duration": null,
            });
            let provider_id = ProviderId::Text(sid.as_str().into());
            Ok(Taken { answer: answer(201, JSON, created.to_string()), provider_id, delivered: true, address: to.clone(), raw: body.clone() })
        })
    }

    fn list(&self, head: &Parts) -> Answer {
        let call = |message: &Message| json!({ "from": Form::parse(&message.raw).get("From"), "status": "completed" });
        list(&self.world, &self.credential, head, Provider::TwilioVoice, "calls", call)
    }
}

/// What is read aloud by a document of one `Say`; none where it is not one.
fn spoken(document: &str) -> Option<String> {
    let inside = document.strip_prefix("<Response><Say")?.strip_suffix("</Say></Response>")?;
    let (attributes, text) = inside.split_once('>')?;
    let language = attributes.is_empty() || attributes.strip_prefix(" language=\"").is_some_and(|rest| rest.ends_with('"'));
    if !language || text.contains('<') || text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}')) {
        return None;
    }
    let mut read = String::new();
    let mut parts = text.split('&');
    read.push_str(parts.next()?);
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        read.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        read.push_str(rest);
    }
    Some(read)
}

impl HttpSimulator for TwilioVoiceSimulator {
    const MAX_BODY: usize = 64 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match head.method {
            Method::POST if head.uri.path() == self.path => self.create(&head, body).await,
            Method::GET if head.uri.path() == self.path => Reply::Answer(self.list(&head)),
            _ => Reply::Answer(TwilioDialect.error(404, "20404")),
        }
    }
}
