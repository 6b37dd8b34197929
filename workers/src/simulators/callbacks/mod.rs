//! What the simulated providers tell their customers on their own account: receipts and answers, signed
//! as the real ones sign.
//!
//! Guarantee: nothing is called but loopback. Where `base` is set, a callback goes there with the path
//! `/callbacks/<provider>` and the query that the customer gave, and is signed for the address that the
//! customer gave: as through a proxy. Twilio repeats a callback where the customer asks for it, the others do. Callbacks can
//! come late, twice, in another order, or not at all. Rejected: a scheduler of simulated time, which
//! tests would have to drive.

mod events;
mod signing;

pub(crate) use events::kakao_talk_result;

use super::clock::{SimClock, pause};
use super::credentials::KeyRing;
use super::ledger::Provider;
use events::Happening;
use serde::{Deserialize, Serialize};
use signing::Signing;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Callbacks that wait at most; what comes then is never sent, as the real ones lose some.
const WAITING: usize = 10_000;

/// Times that a callback is repeated by those who repeat.
const REPEATS: u32 = 20;

/// Between repeats; minutes with the real ones.
const BETWEEN: Duration = Duration::from_millis(250);

/// How callbacks come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackPlan {
    /// Where they go, such as `http://127.0.0.1:8080`; absent: to the address that the customer gave,
    /// where that is loopback, and of SendGrid and Mailgun nowhere.
    pub base: Option<String>,
    /// How long after the message (ms).
    pub delay_ms: u64,
    /// How often each comes.
    pub times: u32,
    /// The last of a message's comes first.
    pub backwards: bool,
    /// None come.
    pub silent: bool,
}

/// A message that was taken, as far as its callbacks need it.
pub(crate) struct TakenMessage<'a> {
    pub(crate) provider: Provider,
    pub(crate) provider_id: String,
    pub(crate) address: &'a str,
    /// The request's body.
    pub(crate) raw: &'a [u8],
}

/// One callback, ready to be sent.
#[derive(Debug, Clone)]
struct Callback {
    provider: Provider,
    /// As the customer gave it.
    signed_for: Option<Url>,
    body: Body,
    delay: Duration,
    /// Twilio: repeats that the customer asks for in the fragment.
    overrides: u32,
}

#[derive(Debug, Clone)]
enum Body {
    Form(Vec<(String, String)>),
    Json(String),
}

/// See the module.
pub(crate) struct CallbackDesk {
    plan: RwLock<CallbackPlan>,
    outbox: mpsc::Sender<Callback>,
    waiting: Mutex<Option<mpsc::Receiver<Callback>>>,
    signing: Signing,
    numbers: AtomicU64,
    /// Where Twilio was last told to call.
    last_address: Mutex<Option<Url>>,
    clock: SimClock,
}

impl std::fmt::Debug for CallbackDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallbackDesk")
    }
}

impl CallbackDesk {
    pub(crate) fn new(keys: &KeyRing, clock: SimClock) -> Self {
        let (outbox, waiting) = mpsc::channel(WAITING);
        Self {
            plan: RwLock::default(),
            outbox,
            waiting: Mutex::new(Some(waiting)),
            signing: Signing::new(keys),
            numbers: AtomicU64::new(0),
            last_address: Mutex::default(),
            clock,
        }
    }

    /// Whether a provider calls back at all.
    pub(crate) const fn tells_of(provider: Provider) -> bool {
        matches!(provider, Provider::Twilio | Provider::TwilioVoice | Provider::Vonage | Provider::Sendgrid | Provider::Mailgun | Provider::KakaoTalk)
    }

    pub(crate) fn plan(&self) -> CallbackPlan {
        self.plan.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses a base that is not loopback.
    pub(crate) fn set_plan(&self, plan: CallbackPlan) -> bool {
        let fine = plan.base.as_ref().is_none_or(|base| base.parse::<Url>().is_ok_and(|base| is_loopback(&base)));
        if fine {
            *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        }
        fine
    }

    /// Queues what a message that was taken leads to.
    pub(crate) fn taken(&self, message: &TakenMessage<'_>) {
        let plan = self.plan();
        if plan.silent {
            return;
        }
        let mut happenings = events::of(message);
        if plan.backwards {
            happenings.reverse();
        }
        let delay = Duration::from_millis(plan.delay_ms);
        for happening in happenings {
            let Some(callback) = self.callback(message, &happening, delay) else { continue };
            for _ in 0..plan.times.max(1) {
                self.queue(callback.clone());
            }
        }
    }

    /// Somebody answers from a number. False where nobody is known who wants to hear it.
    pub(crate) fn reply(&self, provider: Provider, from: &str, text: &str) -> bool {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let known = self.last_address.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let callback = match provider {
            Provider::Twilio => known.map(|mut address| {
                address.set_query(None);
                let fields =
                    [("MessageSid", format!("SM9{number:031x}")), ("From", from.to_owned()), ("Body", text.to_owned()), ("SmsStatus", "received".to_owned())];
                Callback { provider, signed_for: Some(address), body: form(fields), delay: Duration::ZERO, overrides: 0 }
            }),
            Provider::Vonage => {
                let fields = [
                    ("msisdn", from.trim_start_matches('+').to_owned()),
                    ("to", "BONGSU".to_owned()),
                    ("messageId", format!("0B{number:014X}")),
                    ("text", text.to_owned()),
                    ("keyword", text.split_whitespace().next().unwrap_or_default().to_uppercase()),
                    ("type", "text".to_owned()),
                ];
                Some(Callback { provider, signed_for: None, body: form(fields), delay: Duration::ZERO, overrides: 0 })
            }
            _ => None,
        };
        callback.is_some_and(|callback| {
            self.queue(callback);
            true
        })
    }

    fn queue(&self, callback: Callback) {
        // Lost, as some are.
        drop(self.outbox.try_send(callback));
    }

    fn callback(&self, message: &TakenMessage<'_>, happening: &Happening, delay: Duration) -> Option<Callback> {
        let mut overrides = 0;
        let (signed_for, body) = match message.provider {
            Provider::Twilio | Provider::TwilioVoice => {
                let mut address: Url = super::form::Form::parse(message.raw).get("StatusCallback")?.parse().ok()?;
                overrides = repeats_asked_for(address.fragment().unwrap_or_default());
                address.set_fragment(None);
                if message.provider == Provider::Twilio {
                    *self.last_address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.clone());
                }
                (Some(address), Body::Form(events::twilio(message, happening)))
            }
            Provider::Vonage => {
                let address: Url = super::form::Form::parse(message.raw).get("callback")?.parse().ok()?;
                (Some(address), Body::Form(events::vonage(message, happening)))
            }
            Provider::Sendgrid => {
                (None, Body::Json(events::sendgrid(message, happening, self.numbers.fetch_add(1, Ordering::Relaxed), self.clock.now_seconds())?))
            }
            Provider::Mailgun => (None, Body::Json(events::mailgun(message, happening, self.clock.now_seconds())?)),
            Provider::KakaoTalk => (None, Body::Json(events::kakao_talk(message, happening)?)),
            _ => return None,
        };
        Some(Callback { provider: message.provider, signed_for, body, delay, overrides })
    }

    /// Sends until told to stop.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build();
        let Ok(client) = client else { return };
        loop {
            let callback = tokio::select! {
                callback = waiting.recv() => callback,
                () = stop.cancelled() => None,
            };
            let Some(callback) = callback else { return };
            tokio::select! {
                () = self.send(&client, callback) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn send(&self, client: &reqwest::Client, callback: Callback) {
        pause(callback.delay).await;
        let repeats = if matches!(callback.provider, Provider::Twilio | Provider::TwilioVoice) { callback.overrides } else { REPEATS };
        for time in 0..=repeats {
            // Read anew each time: whoever comes back listens elsewhere.
            let Some(address) = address(&self.plan(), &callback) else { return };
            let request = self.signing.request(client, &callback, address, self.clock.now_seconds());
            match request.send().await {
                // Mailgun gives up at 406, all at success.
                Ok(answer) if answer.status().is_success() || answer.status().as_u16() == 406 => return,
                Ok(_) | Err(_) if time < repeats => pause(BETWEEN).await,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// What Twilio does by the fragment of a callback's address: `rc` repeats, where `rp` is for more than connections
/// that fail.
fn repeats_asked_for(fragment: &str) -> u32 {
    let settings = super::form::Form::parse(fragment.as_bytes());
    let any = settings.get("rp").is_some_and(|policy| policy.split(',').any(|one| matches!(one, "5xx" | "all")));
    let count = settings.get("rc").and_then(|count| count.parse::<u32>().ok()).filter(|count| *count <= 5);
    if any { count.unwrap_or(1) } else { 0 }
}

/// Where a callback goes; none where that is not loopback.
fn address(plan: &CallbackPlan, callback: &Callback) -> Option<Url> {
    let own = callback.signed_for.as_ref();
    let address = match &plan.base {
        None => own.cloned()?,
        Some(base) => {
            let name = serde_json::to_value(callback.provider).ok()?;
            let mut address: Url = format!("{}/callbacks/{}", base.trim_end_matches('/'), name.as_str()?).parse().ok()?;
            address.set_query(own.and_then(Url::query));
            address
        }
    };
    is_loopback(&address).then_some(address)
}

fn is_loopback(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().unwrap_or(80);
    host == "localhost" || format!("{host}:{port}").parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

fn form<const N: usize>(fields: [(&str, String); N]) -> Body {
    Body::Form(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
