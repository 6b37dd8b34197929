//! Rules as written by tests and operators: whom they match and what they do.

use serde::{Deserialize, Serialize};

use super::super::ledger::Provider;

/// One fault-injection rule. The first matching rule decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which simulator it applies to.
    pub provider: Provider,
    /// Matches addresses (device token, mail address, URL path) that start so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_prefix: Option<String>,
    /// Matches addresses that contain this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_contains: Option<String>,
    /// Share of the matching requests it applies to, 0 to 100; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// Applies to the first so many matching requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Applies also to what concerns no address: lists, and what a check asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_call: bool,
    /// What happens.
    pub action: Action,
}

impl Rule {
    /// A rule for every request to `provider`.
    #[must_use]
    pub fn all(provider: Provider, action: Action) -> Self {
        Self { provider, address_prefix: None, address_contains: None, percent: None, times: None, every_call: false, action }
    }

    /// Narrows the rule to addresses that start with `prefix`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.address_prefix = Some(prefix.into());
        self
    }

    /// Limits the rule to the first `times` matching requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Limits the rule to a share of the matching requests, 0 to 100.
    #[must_use]
    pub fn percent(mut self, percent: f64) -> Self {
        self.percent = Some(percent);
        self
    }

    pub(super) fn matches(&self, provider: Provider, address: &str) -> bool {
        let prefix = self.address_prefix.as_deref().unwrap_or_default();
        let part = self.address_contains.as_deref().unwrap_or_default();
        self.provider == provider && address.starts_with(prefix) && address.contains(part)
    }
}

/// Moment of an SMTP session at which an error is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpStage {
    /// Instead of the 220 greeting; the address is empty.
    Greeting,
    /// Answer to EHLO; the address is empty.
    Ehlo,
    /// Answer to AUTH; the address is empty.
    Auth,
    /// Answer to MAIL; the address is the envelope sender.
    Mail,
    /// Answer to RCPT (the default).
    Rcpt,
    /// Answer to DATA.
    Data,
    /// Answer to the final dot.
    Dot,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answers with an error of the provider's table.
    Error {
        /// HTTP status or SMTP reply code.
        status: u16,
        /// FCM error code, APNs reason, SMTP enhanced code or text, webhook body, Twilio error code, Vonage status,
        /// Slack's word, SendGrid's field, Mailgun's message.
        #[serde(default)]
        reason: String,
        /// `Retry-After` in seconds (HTTP).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// SMTP: at which verb. At RCPT when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<SmtpStage>,
    },
    /// Delays the answer, then goes on as if there were no rule.
    Latency {
        /// Base delay in milliseconds; the median when `sigma` is given.
        ms: u64,
        /// Uniform addition, 0 to this many milliseconds.
        #[serde(default)]
        jitter_ms: u64,
        /// Sigma of a log-normal distribution around `ms`.
        #[serde(default)]
        sigma: f64,
    },
    /// Never answers and keeps the connection.
    Hang,
    /// Closes the connection before processing.
    Reset,
    /// HTTP/2: resets this stream only. Closes the connection elsewhere.
    RstStream,
    /// APNs: GOAWAY with this reason, the stream in question left unprocessed. Closes the connection elsewhere.
    Goaway {
        /// For example `Shutdown` or `IdleTimeout`.
        reason: String,
    },
    /// Delivers, then closes the connection without an answer.
    AcceptThenDrop,
    /// Delivers, then says 503 (SMTP 451).
    UnavailableAfterDelivery,
    /// Says that it was taken, and loses it. Not by SMTP, which takes it then.
    AcceptThenLose,
    /// Delivers twice. Not by SMTP, which delivers once then.
    DeliverTwice,
    /// Answers 200 with an HTML page, delivering nothing.
    Garbage,
    /// Answers 200 with bytes that are no text, delivering nothing.
    Noise,
    /// Answers 200 with the provider's own words for being down, delivering nothing.
    ErrorInside,
    /// Answers 200 with nothing, delivering nothing. SMTP has no such answer; garbage stands for it.
    Empty,
    /// Token bucket shared by the addresses the rule matches.
    Throttle {
        /// Refill rate.
        rate_per_s: f64,
        /// Size of the bucket.
        burst: f64,
        /// `Retry-After` of the refusals; none when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// At most `limit` requests in each window; windows start with a request, not with the clock.
    Quota {
        /// Requests per window.
        limit: u64,
        /// Length of the window in seconds.
        window_s: u64,
        /// `Retry-After` of the refusals; none when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// The provider is down: 503 (SMTP 421 at the greeting).
    Outage,
}

impl Action {
    /// False for errors at an SMTP verb that comes before the recipient is known.
    pub(super) fn concerns_recipient(&self) -> bool {
        !matches!(self, Self::Error { at: Some(SmtpStage::Greeting | SmtpStage::Ehlo | SmtpStage::Auth | SmtpStage::Mail), .. })
    }
}
