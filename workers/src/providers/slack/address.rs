//! Which URLs are incoming webhooks of Slack: the configured place, `/services/T…/B…/…`.
//!
//! Guarantee: a call goes to Slack only, whatever a recipient's address says. Rejected: any URL with
//! the checks of webhooks; whoever wants another chat registers a webhook, which is signed.

use url::Url;

/// Not the URL of an incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an incoming webhook of Slack; copy one that begins with {base}services/ from the app's page «Incoming Webhooks»")]
pub struct NotSlack {
    base: String,
}

/// Checks an address against the place where Slack is.
///
/// # Errors
/// It is elsewhere, or not of the form that Slack gives out.
pub fn check_url(text: &str, base: &str) -> Result<Url, NotSlack> {
    let refused = || NotSlack { base: base.to_owned() };
    let (Ok(url), Ok(base)) = (Url::parse(text), Url::parse(base)) else { return Err(refused()) };
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let parts: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    // The path of a webhook holds these characters only; `%` and dots could lead elsewhere.
    let named = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let formed = parts.len() == 4 && parts[0] == "services" && parts.iter().all(named);
    if place(&url) == place(&base) && plain && formed { Ok(url) } else { Err(refused()) }
}
