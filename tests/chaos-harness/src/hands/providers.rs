//! Lets providers fail: down, silent, throttling, or taking a message and losing the answer.
//!
//! Nothing here asks for a long pause: a server that heeded one could not be done in time. So mail
//! gets no answers of the 4xx kind, after which it rests for a minute, and throttling names a second.

use crate::journal::now;
use crate::kinds::Kind;
use crate::nemesis::Work;
use anyhow::Result;
use crash_harness::simulators::Simulators;
use rand::RngExt as _;
use serde_json::{Value, json};

const PROVIDERS: [&str; 4] = ["fcm", "apns", "smtp", "webhook"];
const LAST: std::ops::Range<u64> = 1_000..6_000;

fn error(provider: &str, percent: f64, status: u16, reason: &str, after: Option<u64>) -> Value {
    json!({ "provider": provider, "percent": percent, "action": { "error": { "status": status, "reason": reason, "retry_after": after } } })
}

fn simple(provider: &str, percent: f64, action: &str) -> Value {
    json!({ "provider": provider, "percent": percent, "action": action })
}

/// What providers do at all times: a few in a hundred fail, and half of those have arrived.
pub fn baseline() -> Vec<Value> {
    let mut rules = vec![
        error("fcm", 2.0, 503, "UNAVAILABLE", Some(1)),
        error("apns", 2.0, 503, "ServiceUnavailable", Some(1)),
        error("webhook", 2.0, 503, "unavailable", None),
    ];
    rules.push(simple("smtp", 2.0, "reset"));
    rules.extend(PROVIDERS.map(|provider| simple(provider, 2.0, "accept_then_drop")));
    rules
}

/// Until the time is over.
pub async fn providers(mut work: Work<'_>, simulators: &Simulators) -> Result<()> {
    while let Some(kind) = work.next().await {
        let (from, provider) = (now(), PROVIDERS[work.random.random_range(0..PROVIDERS.len())]);
        let rule = match (kind, provider) {
            (Kind::Outage, "smtp") => simple(provider, 100.0, "reset"),
            (Kind::Outage, "fcm") => error(provider, 100.0, 503, "UNAVAILABLE", Some(1)),
            (Kind::Outage, "apns") => error(provider, 100.0, 503, "ServiceUnavailable", Some(1)),
            (Kind::Outage, _) => error(provider, 100.0, 503, "unavailable", None),
            (Kind::Throttle, "apns") => error(provider, 70.0, 429, "TooManyRequests", Some(1)),
            (Kind::Throttle, "fcm") => error(provider, 70.0, 429, "QUOTA_EXCEEDED", Some(1)),
            (Kind::Throttle, "webhook") => error(provider, 70.0, 429, "too many requests", Some(1)),
            (Kind::Hang, _) => simple(provider, 40.0, "hang"),
            (_, _) => simple(provider, 60.0, "accept_then_drop"),
        };
        simulators.behave().await?;
        simulators.rule(&[vec![rule], baseline()].concat()).await?;
        work.last(LAST).await;
        simulators.behave().await?;
        simulators.rule(&baseline()).await?;
        work.note(kind, from, provider)?;
    }
    Ok(())
}
