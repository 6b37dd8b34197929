//! What Twilio's products share: the account, the one path of a resource, creating and listing there,
//! and the status callback that carries our ids.
//!
//! Nothing here knows what a message or a call is. Rejected: one provider for both channels, whose
//! breaker would hold text messages for a fault of calls.

use super::error_map;
use crate::providers::Message;
use crate::providers::callbacks::OurIds;
use crate::providers::http::{self, Answer, Credential, ProviderError};
use commands::ports::Clock;
use domain::values::Outcome;
use std::sync::Arc;
use std::time::Duration;

/// Five more times, whatever was wrong; within 15 seconds.
const COME_AGAIN: &str = "rc=5&rp=all";

/// What it takes to use a resource of an account.
#[derive(Debug)]
pub(crate) struct Access<'a> {
    /// The provider's name, for errors.
    pub(crate) provider: &'static str,
    /// `Messages` or `Calls`.
    pub(crate) resource: &'static str,
    pub(crate) account_sid: &'a str,
    /// An API key in the account's place as user name.
    pub(crate) api_key: Option<&'a str>,
    pub(crate) auth_token: &'a Credential,
    pub(crate) status_callback: Option<&'a url::Url>,
    pub(crate) base_url: &'a str,
    pub(crate) concurrency: usize,
    pub(crate) timeout: Duration,
}

/// See the module.
pub(crate) struct Account {
    client: reqwest::Client,
    url: reqwest::Url,
    username: String,
    token: Credential,
    status_callback: Option<url::Url>,
    clock: Arc<dyn Clock>,
}

impl Account {
    /// # Errors
    /// The account or the URL is not of the right form.
    pub(crate) fn new(access: Access<'_>, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings(access.provider, reason);
        let sid = access.account_sid;
        if sid.is_empty() || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("account_sid is not one; copy it from the Twilio console, it begins with AC".to_owned()));
        }
        let url = format!("{}/2010-04-01/Accounts/{sid}/{}.json", access.base_url.trim_end_matches('/'), access.resource);
        let url = url.parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")))?;
        let client = http::client(access.timeout, access.concurrency).build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            client,
            url,
            username: access.api_key.unwrap_or(sid).to_owned(),
            token: access.auth_token.clone(),
            status_callback: access.status_callback.cloned(),
            clock,
        })
    }

    /// Creates one of the resource.
    ///
    /// # Errors
    /// There was no answer.
    pub(crate) async fn create(&self, form: &[(&'static str, String)]) -> Result<Answer, reqwest::Error> {
        let request = self.client.post(self.url.clone()).basic_auth(&self.username, Some(self.token.reveal())).form(form);
        http::exchange(request, self.clock.as_ref()).await
    }

    /// Those that were created, as Twilio lists them, for a look before a repeat. Where that cannot be
    /// had, what to do instead: nothing is sent either.
    pub(crate) async fn list(&self, query: &[(&'static str, String)]) -> Result<Vec<u8>, Outcome> {
        let Ok(answer) = self.ask(query).await else { return Err(unasked("no answer to the look-up")) };
        if answer.status == 200 {
            return Ok(answer.body);
        }
        // Refused for credentials or for going too fast: the same as sending would be.
        Err(match error_map::refused(answer.status, answer.retry_after, &answer.body) {
            outcome @ (Outcome::Throttled { .. } | Outcome::Misconfigured { .. }) => outcome,
            _ => unasked("look-up refused"),
        })
    }

    async fn ask(&self, query: &[(&'static str, String)]) -> Result<Answer, reqwest::Error> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(query);
        let request = self.client.get(url).basic_auth(&self.username, Some(self.token.reveal()));
        http::exchange(request, self.clock.as_ref()).await
    }

    /// Where Twilio is to report what becomes of it; our ids travel in its query. Unless the operator says otherwise,
    /// it is asked to come again where we cannot take a report in: by itself it does so only for connections that
    /// fail, and once. Its signature leaves the fragment out
    /// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>).
    pub(crate) fn callback(&self, message: &Message) -> Option<String> {
        self.status_callback.as_ref().map(|address| {
            let mut address = OurIds::of(message).in_query_of(address);
            if address.fragment().is_none() {
                address.set_fragment(Some(COME_AGAIN));
            }
            address.into()
        })
    }

    /// Lists one, which needs the same right as creating and creates nothing.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub(crate) async fn reach(&self) -> Result<(), String> {
        let answer = self.ask(&[("PageSize", "1".to_owned())]).await;
        match answer.map_err(|_| "Twilio cannot be reached; check endpoint and the firewall".to_owned())?.status {
            200..=299 => Ok(()),
            status @ (401 | 403) => Err(format!("Twilio refuses the credentials ({status}); check account_sid and auth_token, or api_key and its secret")),
            404 => Err("Twilio knows no such account; check account_sid".to_owned()),
            status => Err(format!("Twilio is not working ({status}); try again later")),
        }
    }
}

fn unasked(code: &str) -> Outcome {
    Outcome::Retry { after: None, code: code.to_owned() }
}

/// What it means that the answer to a look-up is no list.
pub(crate) fn not_a_list() -> Outcome {
    unasked("look-up is no list")
}
