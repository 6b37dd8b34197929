//! What providers over HTTP share: one client's settings, what a failed call means, bounded
//! bodies, `Retry-After`.

#[cfg(test)]
mod tests;

use domain::values::Outcome;
use std::time::Duration;

/// Most that is read of an answer.
const LARGEST_ANSWER: usize = 64 * 1_024;

/// Why a provider could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Its settings or credentials are not of the right form.
    #[error("{provider}: {reason}")]
    Settings {
        /// Its name.
        provider: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl ProviderError {
    /// Names what is wrong.
    pub fn settings(provider: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Settings { provider, reason: reason.to_string() }
    }
}

/// Text that is never shown: credentials.
#[derive(Clone)]
pub struct Credential(zeroize::Zeroizing<String>);

impl Credential {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(zeroize::Zeroizing::new(text.into()))
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<credential>")
    }
}

/// Makes aws-lc the process's cryptography provider. Idempotent: a second call changes nothing.
pub fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster; that is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// A client's builder: no redirects, no proxies from the environment, connections kept.
pub fn client(timeout: Duration, idle: usize) -> reqwest::ClientBuilder {
    install_crypto();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        // Shorter than the whole call, so that an unreachable provider shows as that, not as silence.
        .connect_timeout((timeout / 2).min(Duration::from_secs(10)))
        .pool_max_idle_per_host(idle)
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_nodelay(true)
        .user_agent(concat!("bongsu/", env!("CARGO_PKG_VERSION")))
}

/// What it means that a call brought no answer. Only where no connection came about (name, TCP,
/// TLS: `is_connect`) is it sure that nothing was sent; everything else may have reached the
/// provider. A kept connection found closed, and HTTP/2 streams the server says it did not process
/// (GOAWAY, `REFUSED_STREAM`), are sent again by the client itself and do not arrive here.
pub fn no_answer(error: &reqwest::Error) -> Outcome {
    if error.is_connect() {
        return Outcome::Retry { after: None, code: "no connection".to_owned() };
    }
    if error.is_builder() {
        return Outcome::Permanent { code: "request cannot be built".to_owned() };
    }
    let code = if error.is_timeout() { "no answer in time" } else { "connection broken" };
    Outcome::Unknown { code: code.to_owned() }
}

/// Reads an answer's body, bounded.
///
/// # Errors
/// The connection broke before the end.
pub async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LARGEST_ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == LARGEST_ANSWER {
            break;
        }
    }
    Ok(body)
}

/// Longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// `Retry-After` in seconds or as a date in any of the three forms that have to be read (RFC 9110
/// sections 5.6.7 and 10.2.3); `now` in ms since the epoch.
pub fn retry_after(headers: &reqwest::header::HeaderMap, now: i64) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a long wait, too.
        return Some(text.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    let obsolete = |form| chrono::NaiveDateTime::parse_from_str(text, form).ok().map(|date| date.and_utc().timestamp_millis());
    let date = match chrono::DateTime::parse_from_rfc2822(text) {
        Ok(date) => date.timestamp_millis(),
        Err(_) => obsolete("%A, %d-%b-%y %H:%M:%S GMT").or_else(|| obsolete("%a %b %e %H:%M:%S %Y"))?,
    };
    Some(Duration::from_millis(u64::try_from(date.saturating_sub(now)).unwrap_or(0)).min(LONGEST_WAIT))
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The wait that it asks for.
    pub retry_after: Option<Duration>,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body, bounded.
    pub body: Vec<u8>,
}

/// Makes one call and reads its answer; `clock` is asked when the answer is there. Where there is
/// none, what that means: with bytes sent and nothing told, or a «fine» that was cut short, nobody
/// knows; a refusal is one even where its text does not end.
///
/// # Errors
/// The call's error, for the provider to judge with [`no_answer`] where it knows no better.
pub async fn exchange(request: reqwest::RequestBuilder, clock: &dyn commands::ports::Clock) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let retry_after = retry_after(&headers, clock.now());
    let body = match body(response).await {
        Ok(body) => body,
        Err(error) if status.is_success() => return Err(error),
        Err(_) => Vec::new(),
    };
    Ok(Answer { status: status.as_u16(), retry_after, headers, body })
}
