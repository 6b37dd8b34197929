//! KakaoTalk AlimTalk by NHN Cloud
//! (<https://docs.nhncloud.com/en/Notification/KakaoTalk%20Bizmessage/en/alimtalk-api-guide/>).
//!
//! Guarantee: every attempt of a delivery carries one key, and after an unknown outcome NHN's list is
//! asked before anything is sent, so that nobody reads a message twice for a lost answer. Accepted means
//! that NHN took it; whether the KakaoTalk of that number shows it NHN learns and tells later, and where a number
//! for it is set sends a text message instead. Rejected: our own plan for that, which cannot take its
//! next step on a fault that is told after «accepted».

mod error_map;
mod look_up;
mod payload;
mod receipts;
mod settings;
#[cfg(test)]
mod tests;

pub use payload::is_template;
pub use receipts::KakaoTalkReceipts;
pub use settings::Settings;

use super::http::{self, Answer, ProviderError};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use error_map::Told;
use payload::Filled;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// NHN refuses a repeat of it for 10 minutes.
const KEY: &str = "X-NC-API-IDEMPOTENCY-KEY";
/// What carries the secret.
const SECRET: &str = "X-Secret-Key";

/// See the module.
pub struct KakaoTalk {
    client: reqwest::Client,
    /// `…/messages`.
    messages: reqwest::Url,
    /// `…/senders/<key>`.
    sender: reqwest::Url,
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl KakaoTalk {
    /// From settings.
    ///
    /// # Errors
    /// A key, the template or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("kakao_talk", reason);
        for (name, key) in [("app_key", &settings.app_key), ("sender_key", &settings.sender_key)] {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(wrong(format!("{name} is not one; copy it from NHN Cloud's console, it has letters and digits only")));
            }
        }
        if settings.template.as_deref().is_some_and(|code| !is_template(code)) {
            return Err(wrong("template is not a template's code; copy it from NHN Cloud's console".to_owned()));
        }
        let base = format!("{}/alimtalk/v2.3/appkeys/{}", settings.base_url.trim_end_matches('/'), settings.app_key);
        let at = |path: String| format!("{base}/{path}").parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")));
        Ok(Self {
            client: http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?,
            messages: at("messages".to_owned())?,
            sender: at(format!("senders/{}", settings.sender_key))?,
            settings: settings.clone(),
            clock,
        })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let filled = match Filled::of(&message.content, self.settings.template.as_deref()) {
            Ok(filled) => filled,
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        if message.after_unknown {
            match self.look_up(message).await {
                Ok(None) => {}
                Ok(Some(outcome)) | Err(outcome) => return outcome,
            }
        }
        let request = self.client.post(self.messages.clone()).header(SECRET, self.settings.secret_key.reveal());
        let request = request.header(KEY, payload::key(message)).json(&payload::request(message, &filled, &self.settings));
        let answer = match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => answer,
            Err(error) => return http::no_answer(&error),
        };
        match error_map::sent(answer.status, answer.retry_after, &answer.body) {
            Told::Outcome(outcome) => outcome,
            Told::KeyKnown => match self.look_up(message).await {
                Ok(Some(outcome)) => outcome,
                // Refused before, or not listed yet: the next attempt looks again, and by then the key may be free.
                Ok(None) | Err(_) => Outcome::Unknown { code: "result -1005, and nothing is listed".to_owned() },
            },
        }
    }

    /// What an earlier attempt came to; none where nothing was taken. The error: that cannot be had, and
    /// nothing is to be sent either.
    async fn look_up(&self, message: &Message) -> Result<Option<Outcome>, Outcome> {
        let unasked = |code: &str| Outcome::Retry { after: None, code: code.to_owned() };
        let key = payload::key(message);
        let query = look_up::query(&key, message.requested_at, self.clock.now()).ok_or_else(|| unasked("look-up out of range"))?;
        let mut url = self.messages.clone();
        url.query_pairs_mut().extend_pairs(&query);
        let answer = self.ask(url).await.map_err(|_| unasked("no answer to the look-up"))?;
        look_up::found(answer.status, &answer.body, &key)
    }

    async fn ask(&self, url: reqwest::Url) -> Result<Answer, reqwest::Error> {
        http::exchange(self.client.get(url).header(SECRET, self.settings.secret_key.reveal()), self.clock.as_ref()).await
    }

    /// Asks for the sender's profile and for the configured template, which sends nothing.
    async fn reach(&self) -> Result<(), String> {
        let mut asked = vec![(self.sender.clone(), "sender_key")];
        if let Some(code) = &self.settings.template {
            let mut url = self.sender.clone();
            if let Ok(mut path) = url.path_segments_mut() {
                path.extend(["templates", code]);
            }
            asked.push((url, "template"));
        }
        for (url, setting) in asked {
            let answer = self.ask(url).await.map_err(|_| "NHN Cloud cannot be reached; check endpoint and the firewall".to_owned())?;
            match (error_map::header(&answer.body), answer.status) {
                (Some(0), _) => {}
                (Some(number @ (-1000 | -1001)), _) => {
                    return Err(format!("NHN Cloud refuses the credentials (result {number}); check app_key and secret_key"));
                }
                (Some(number), _) => return Err(format!("NHN Cloud does not know what is asked for (result {number}); check {setting}")),
                (None, status @ (401 | 403)) => return Err(format!("NHN Cloud refuses the credentials ({status}); check app_key and secret_key")),
                (None, status @ 500..) => return Err(format!("NHN Cloud is not working ({status}); try again later")),
                (None, status) => return Err(format!("this is not NHN Cloud ({status}); check endpoint")),
            }
        }
        Ok(())
    }
}

impl Provider for KakaoTalk {
    fn name(&self) -> &str {
        "kakao_talk"
    }

    fn channel(&self) -> Channel {
        Channel::KakaoTalk
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.reach())
    }
}
