//! `[providers.kakao_talk]`: KakaoTalk AlimTalk by NHN Cloud.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;
use workers::providers::kakao_talk::is_template;

section! {
    /// AlimTalk: messages of approved templates to the KakaoTalk of a phone, by NHN Cloud. Serves the channel
    /// `kakao_talk`. A notification names its template and the variables in `content.data`:
    /// `{"kakao_talk": {"template": "ORDER_PAID", "variables": {"name": "Kim"}}}`.
    KakaoTalk at "providers.kakao_talk" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The application's key, from NHN Cloud's console.
        app_key: String,
        /// A file with the application's secret key.
        secret_key_file: Option<PathBuf>,
        /// The secret key itself, in place of the file.
        secret_key: Option<Secret>,
        /// The sender's key of 40 letters and digits, from NHN Cloud's console.
        sender_key: String,
        /// Template of notifications that name none; its variables are `#{title}` and `#{body}`. Without it, such
        /// a notification fails on this channel.
        template: Option<String>,
        /// Number, registered with NHN Cloud for text messages, from which NHN sends one where KakaoTalk cannot deliver,
        /// with the same text, within Korea only; it costs extra and does not ask whether `sms` was switched off. None: no text message.
        sms_fallback_from: Option<String>,
        /// A file with the text that is entered as the webhook's signature in NHN Cloud's console: with it, what NHN
        /// tells at `/callbacks/kakao_talk` of results is taken in. At least 16 characters.
        webhook_signature_file: Option<PathBuf>,
        /// That text itself, in place of the file.
        webhook_signature: Option<Secret>,
        /// Where the API is.
        endpoint: url::Url = "https://kakaotalk-bizmessage.api.nhncloudservice.com",
        /// Calls at once.
        concurrency: usize = "20",
        /// Calls a second, of all replicas together; 0 for any number.
        rate: u32 = "0",
        /// Among the providers of the channel, those with the lowest number go first; the others take what
        /// they cannot.
        priority: u32 = "0",
        /// Its share among those of the same priority.
        weight: u32 = "1",
        /// The senders that it serves; none for all.
        senders: Vec<Sender> = "",
        /// Longest time for one call.
        timeout: Duration = "15s",
    }
}

impl KakaoTalk {
    fn check(&self, reader: &mut Reader<'_>) {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        reader.require(plain(&self.app_key), "providers.kakao_talk.app_key", "must be the application's key, as NHN Cloud's console shows it");
        credential::read(reader, Self::PATH, "secret_key", self.secret_key.as_ref(), self.secret_key_file.as_deref(), true);
        let sender = plain(&self.sender_key) && self.sender_key.len() == 40;
        reader.require(sender, "providers.kakao_talk.sender_key", "must be 40 letters and digits, as NHN Cloud's console shows them");
        let template = self.template.as_deref().is_none_or(is_template);
        reader.require(template, "providers.kakao_talk.template", "must be a template's code of up to 20 letters, digits, - and _");
        let number = |number: &str| (8..=13).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        reader.require(
            self.sms_fallback_from.as_deref().is_none_or(number),
            "providers.kakao_talk.sms_fallback_from",
            "must be a number as it is dialled in Korea, digits only, such as 0215880000",
        );
        let signature =
            credential::read(reader, Self::PATH, "webhook_signature", self.webhook_signature.as_ref(), self.webhook_signature_file.as_deref(), false);
        reader.require(
            signature.is_none_or(|signature| signature.expose().len() >= 16 && signature.expose().bytes().all(|byte| byte.is_ascii_graphic())),
            "providers.kakao_talk.webhook_signature",
            "must have at least 16 characters and no blanks; make one with: openssl rand -hex 32",
        );
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The text that signs results; none: they are not taken in.
    pub fn webhook_credential(&self) -> Option<Secret> {
        credential::resolve(self.webhook_signature.as_ref(), self.webhook_signature_file.as_deref())
    }

    /// The secret key; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.secret_key.as_ref(), self.secret_key_file.as_deref())
    }
}
