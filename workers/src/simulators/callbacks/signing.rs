//! Callbacks with the signature of each provider. Written apart from the server's own checks, so that
//! one mistake cannot hide in both.

use super::super::credentials::KeyRing;
use super::super::ledger::{Provider, hex};
use super::{Body, Callback};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fmt::Write as _;
use url::Url;

/// See the module.
pub(super) struct Signing {
    twilio: hmac::Key,
    vonage: hmac::Key,
    mailgun: hmac::Key,
    kakao_talk: String,
    sendgrid: Option<EcdsaKeyPair>,
}

impl Signing {
    pub(super) fn new(keys: &KeyRing) -> Self {
        Self {
            twilio: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, keys.twilio_token.as_bytes()),
            vonage: hmac::Key::new(hmac::HMAC_SHA256, keys.vonage_secret.as_bytes()),
            mailgun: hmac::Key::new(hmac::HMAC_SHA256, keys.mailgun_key.as_bytes()),
            kakao_talk: keys.kakao_secret.clone(),
            // One pair of keys for two providers: nobody could mistake one's messages for the other's.
            sendgrid: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, keys.apns.serialized_der()).ok(),
        }
    }

    pub(super) fn request(&self, client: &reqwest::Client, callback: &Callback, to: Url, now: i64) -> reqwest::RequestBuilder {
        let request = client.post(to);
        match (&callback.body, callback.provider) {
            (Body::Form(fields), Provider::Vonage) => request.form(&self.vonage(fields, now)),
            (Body::Form(fields), _) => {
                let address = callback.signed_for.as_ref().map(ToString::to_string).unwrap_or_default();
                request.header("x-twilio-signature", self.twilio(&address, fields)).form(fields)
            }
            (Body::Json(event), Provider::Mailgun) => {
                let body = format!(r#"{{"signature":{},"event-data":{event}}}"#, self.mailgun(now));
                request.header("content-type", "application/json").body(body)
            }
            // No signature, but a text that is the same each time.
            (Body::Json(hooks), Provider::KakaoTalk) => {
                request.header("content-type", "application/json;charset=UTF-8").header("x-toast-webhook-signature", &self.kakao_talk).body(hooks.clone())
            }
            (Body::Json(events), _) => {
                let signature = self.sendgrid(now, events);
                request
                    .header("content-type", "application/json")
                    .header("x-twilio-email-event-webhook-timestamp", now.to_string())
                    .header("x-twilio-email-event-webhook-signature", signature)
                    .body(events.clone())
            }
        }
    }

    fn twilio(&self, address: &str, fields: &[(String, String)]) -> String {
        let mut ordered: Vec<_> = fields.iter().collect();
        ordered.sort();
        let mut text = address.to_owned();
        for (name, value) in ordered {
            text.push_str(name);
            text.push_str(value);
        }
        STANDARD.encode(hmac::sign(&self.twilio, text.as_bytes()))
    }

    fn vonage(&self, fields: &[(String, String)], now: i64) -> Vec<(String, String)> {
        let mut all = fields.to_vec();
        all.push(("timestamp".to_owned(), now.to_string()));
        all.push(("nonce".to_owned(), token()));
        all.sort();
        let mut text = String::new();
        for (name, value) in &all {
            let value: String = value.chars().map(|c| if matches!(c, '&' | '=') { '_' } else { c }).collect();
            // Writing to a string cannot fail.
            let _ = write!(text, "&{name}={value}");
        }
        all.push(("sig".to_owned(), hex(hmac::sign(&self.vonage, text.as_bytes()).as_ref()).to_uppercase()));
        all
    }

    fn mailgun(&self, now: i64) -> serde_json::Value {
        let (timestamp, token) = (now.to_string(), token());
        let signature = hex(hmac::sign(&self.mailgun, format!("{timestamp}{token}").as_bytes()).as_ref());
        json!({ "timestamp": timestamp, "token": token, "signature": signature })
    }

    fn sendgrid(&self, now: i64, body: &str) -> String {
        let random = rand::SystemRandom::new();
        let signed = self.sendgrid.as_ref().and_then(|key| key.sign(&random, format!("{now}{body}").as_bytes()).ok());
        signed.map(|signature| STANDARD.encode(signature)).unwrap_or_default()
    }
}

fn token() -> String {
    let mut bytes = [0_u8; 25];
    // Without random numbers the simulators would not have started.
    let _ = rand::fill(&mut bytes);
    hex(&bytes)
}
