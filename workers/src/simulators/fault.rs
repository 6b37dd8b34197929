//! From a fault to what an HTTP provider does: the one place where faults, ledger and answers meet.
//!
//! Guarantee: every request that reaches a provider ends in exactly one ledger entry, recorded before the answer
//! leaves, so a client that has its answer finds the entry. Rejected: recording after the answer, which makes every
//! reader of the ledger race with it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::World;
use super::callbacks::{CallbackDesk, TakenMessage};
use super::ledger::{Arrival, Ending, Provider, ProviderId, Verdict};
use super::messages::Message;
use super::rules::Fault;

/// What something before the provider answers.
const PAGE: &str = "<html><body>It works!</body></html>";
/// Neither text nor JSON.
const NOISE: &[u8] = &[0x00, 0xff, 0x7b, 0xfe, 0x22, 0x80, 0x0a, 0x5d];

pub(crate) type Answer = Response<Full<Bytes>>;

impl Refusal {
    pub(crate) fn new(answer: Answer, reason: &'static str) -> Self {
        Self { status: answer.status().as_u16(), answer: Box::new(answer), reason }
    }

    /// One that the provider does not tell by the HTTP status: `status` is what it stands for.
    pub(crate) fn told(status: u16, answer: Answer, reason: &'static str) -> Self {
        Self { status, answer: Box::new(answer), reason }
    }
}

/// What the connection does with a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    Close,
    Hang,
    RstStream,
    Goaway(String),
}

/// How one provider words its errors.
pub(crate) trait Dialect: Sync {
    /// Status and reason when a rule throttles.
    const THROTTLED: (u16, &'static str);
    /// Status and reason when the provider is down.
    const DOWN: (u16, &'static str);
    fn error(&self, status: u16, reason: &str) -> Answer;
}

/// The provider took the message.
pub(crate) struct Taken {
    pub(crate) answer: Answer,
    pub(crate) provider_id: ProviderId,
    /// False for a dry run.
    pub(crate) delivered: bool,
    pub(crate) address: String,
    pub(crate) raw: Bytes,
}

/// The provider refused the message by its own rules.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Boxed because it travels in the error half of results.
    pub(crate) answer: Box<Answer>,
    /// What the ledger shows.
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

pub(crate) fn verdict(status: u16) -> Verdict {
    match status {
        429 => Verdict::Throttled,
        500.. => Verdict::Unavailable,
        300.. => Verdict::Rejected,
        _ => Verdict::Accepted,
    }
}

/// Answer with a body; an impossible status or header falls back to a bare 500.
pub(crate) fn answer(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn retry_after(mut answer: Answer, seconds: Option<u64>) -> Answer {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Records a refusal that needs no fault, for example missing authentication.
pub(crate) fn refuse(world: &World, arrival: Arrival, refusal: Refusal) -> Reply {
    let status = refusal.status;
    record(world, arrival, verdict(status), false, status, refusal.reason, ProviderId::None);
    Reply::Answer(*refusal.answer)
}

/// Applies the fault around `take`, which checks the message as the provider would.
pub(crate) fn settle<D: Dialect>(world: &World, dialect: &D, arrival: Arrival, fault: Option<Fault>, take: impl FnOnce() -> Result<Taken, Refusal>) -> Reply {
    let silent = |arrival, reason: &str| {
        record(world, arrival, Verdict::Dropped, false, 0, reason, ProviderId::None);
    };
    let (status, reason, seconds) = match fault {
        None => return deliver(world, dialect, arrival, None, take),
        Some(after @ (Fault::AcceptThenDrop | Fault::UnavailableAfterDelivery | Fault::AcceptThenLose | Fault::DeliverTwice)) => {
            return deliver(world, dialect, arrival, Some(after), take);
        }
        Some(Fault::Hang) => {
            silent(arrival, "hang");
            return Reply::Hang;
        }
        Some(Fault::Reset) => {
            silent(arrival, "reset");
            return Reply::Close;
        }
        Some(Fault::RstStream) => {
            silent(arrival, "rst_stream");
            return Reply::RstStream;
        }
        Some(Fault::Goaway(reason)) => {
            silent(arrival, "goaway");
            return Reply::Goaway(reason);
        }
        Some(Fault::Garbage) => {
            record(world, arrival, Verdict::Garbage, false, 200, "garbage", ProviderId::None);
            return Reply::Answer(answer(200, "text/html", PAGE));
        }
        Some(Fault::Empty) => {
            record(world, arrival, Verdict::Garbage, false, 200, "empty", ProviderId::None);
            return Reply::Answer(answer(200, "text/plain", ""));
        }
        Some(Fault::Noise) => {
            record(world, arrival, Verdict::Garbage, false, 200, "noise", ProviderId::None);
            return Reply::Answer(answer(200, "application/json", NOISE));
        }
        Some(Fault::ErrorInside) => {
            record(world, arrival, Verdict::Garbage, false, 200, "error_inside", ProviderId::None);
            return Reply::Answer(inside(dialect.error(D::DOWN.0, D::DOWN.1)));
        }
        Some(Fault::Redirect) => {
            record(world, arrival, Verdict::Rejected, false, 302, "redirect", ProviderId::None);
            let mut redirect = answer(302, "text/plain", "moved");
            redirect.headers_mut().insert(LOCATION, HeaderValue::from_static("/redirected"));
            return Reply::Answer(redirect);
        }
        Some(Fault::Throttled { retry_after }) => (D::THROTTLED.0, D::THROTTLED.1.to_owned(), retry_after),
        Some(Fault::Outage) => (D::DOWN.0, D::DOWN.1.to_owned(), None),
        Some(Fault::Error { status, reason, retry_after, .. }) => (status, reason, retry_after),
    };
    record(world, arrival, verdict(status), false, status, &reason, ProviderId::None);
    Reply::Answer(retry_after(dialect.error(status, &reason), seconds))
}

/// What a call gets that concerns no address: none where the provider works. Nothing of it is in the ledger, which
/// is about messages.
pub(crate) async fn aside<D: Dialect>(world: &World, dialect: &D, provider: Provider) -> Option<Reply> {
    Some(match world.rules.fate_aside(provider).wait().await? {
        Fault::Hang => Reply::Hang,
        Fault::Reset | Fault::AcceptThenDrop => Reply::Close,
        Fault::RstStream => Reply::RstStream,
        Fault::Goaway(reason) => Reply::Goaway(reason),
        Fault::Garbage => Reply::Answer(answer(200, "text/html", PAGE)),
        Fault::Empty => Reply::Answer(answer(200, "text/plain", "")),
        Fault::Noise => Reply::Answer(answer(200, "application/json", NOISE)),
        Fault::ErrorInside => Reply::Answer(inside(dialect.error(D::DOWN.0, D::DOWN.1))),
        Fault::Error { status, reason, .. } => Reply::Answer(dialect.error(status, &reason)),
        Fault::Throttled { retry_after: seconds } => Reply::Answer(retry_after(dialect.error(D::THROTTLED.0, D::THROTTLED.1), seconds)),
        Fault::Outage | Fault::UnavailableAfterDelivery => Reply::Answer(dialect.error(D::DOWN.0, D::DOWN.1)),
        Fault::Redirect | Fault::AcceptThenLose | Fault::DeliverTwice => return None,
    })
}

/// An error as the body of a success.
fn inside(mut error: Answer) -> Answer {
    *error.status_mut() = StatusCode::OK;
    error
}

fn deliver<D: Dialect>(world: &World, dialect: &D, arrival: Arrival, after: Option<Fault>, take: impl FnOnce() -> Result<Taken, Refusal>) -> Reply {
    let taken = match take() {
        Ok(taken) => taken,
        Err(refusal) => return refuse(world, arrival, refusal),
    };
    let provider = arrival.provider;
    let (verdict, status, reason) = match after {
        Some(Fault::AcceptThenDrop) => (Verdict::Dropped, 0, "accept_then_drop"),
        Some(Fault::AcceptThenLose) => (Verdict::Accepted, taken.answer.status().as_u16(), "accept_then_lose"),
        Some(Fault::DeliverTwice) => (Verdict::Accepted, taken.answer.status().as_u16(), "deliver_twice"),
        Some(_) => (Verdict::Unavailable, D::DOWN.0, "unavailable_after_delivery"),
        None if taken.delivered => (Verdict::Accepted, taken.answer.status().as_u16(), ""),
        None => (Verdict::Validated, taken.answer.status().as_u16(), "validate_only"),
    };
    let told = CallbackDesk::tells_of(provider).then(|| taken.provider_id.render()).flatten();
    let delivered = taken.delivered && !matches!(after, Some(Fault::AcceptThenLose));
    if matches!(after, Some(Fault::DeliverTwice)) {
        record(world, arrival.clone(), verdict, delivered, status, reason, taken.provider_id.clone());
    }
    let seq = record(world, arrival, verdict, delivered, status, reason, taken.provider_id);
    if delivered {
        if let Some(provider_id) = told {
            world.callbacks.taken(&TakenMessage { provider, provider_id, address: &taken.address, raw: &taken.raw });
        }
        let message = Message { seq, address: taken.address, sender: String::new(), raw: taken.raw };
        world.messages.push(provider, message);
    }
    match after {
        None | Some(Fault::AcceptThenLose | Fault::DeliverTwice) => Reply::Answer(taken.answer),
        Some(Fault::AcceptThenDrop) => Reply::Close,
        Some(_) => Reply::Answer(dialect.error(D::DOWN.0, D::DOWN.1)),
    }
}

fn record(world: &World, arrival: Arrival, verdict: Verdict, delivered: bool, status: u16, reason: &str, provider_id: ProviderId) -> u64 {
    world.ledger.record(arrival, Ending { verdict, delivered, status, reason, provider_id })
}
