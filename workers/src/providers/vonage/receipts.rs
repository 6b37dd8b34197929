//! What Vonage reports of text messages and what people answer
//! (<https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts>), signed by the account's
//! signature secret (<https://developer.vonage.com/en/getting-started/concepts/signing-messages>).
//!
//! Rejected: the method «MD5 hash», which is the account's default and no signature by today's
//! standards; the account is set to HMAC with SHA-256 or SHA-512.

use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, OurIds, Told};
use crate::providers::http::Credential;
use crate::providers::sms::reply_word;
use aws_lc_rs::hmac;
use domain::notification::{FailureClass, Receipt, Said};
use domain::values::{Channel, Millis};
use std::collections::BTreeMap;

/// Oldest signature that is believed: Vonage repeats what was not taken for a day.
const OLDEST_MS: Millis = 25 * 60 * 60 * 1_000;

/// See the module.
pub struct VonageReceipts {
    sha256: hmac::Key,
    sha512: hmac::Key,
}

type Fields = BTreeMap<String, String>;

impl VonageReceipts {
    /// With the account's signature secret.
    pub fn new(secret: &Credential) -> Self {
        let secret = secret.reveal().as_bytes();
        Self { sha256: hmac::Key::new(hmac::HMAC_SHA256, secret), sha512: hmac::Key::new(hmac::HMAC_SHA512, secret) }
    }

    /// Over all fields but `sig`, sorted; the hex digits of either case.
    fn is_signed(&self, fields: &Fields) -> bool {
        let Some(told) = fields.get("sig").and_then(|sig| unhex(sig)) else { return false };
        // Such a name could be two fields to Vonage and one to us.
        if fields.keys().any(|name| name.contains(['&', '='])) {
            return false;
        }
        let clean = |text: &str| text.replace(['&', '='], "_");
        let signed: String = fields.iter().filter(|(name, _)| *name != "sig").map(|(name, value)| format!("&{name}={}", clean(value))).collect();
        let key = if told.len() == 64 { &self.sha512 } else { &self.sha256 };
        hmac::verify(key, signed.as_bytes(), &told).is_ok()
    }
}

impl Callbacks for VonageReceipts {
    fn name(&self) -> &'static str {
        "vonage"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        let fields = fields(request)?;
        if !self.is_signed(&fields) {
            return Err(CallbackRefused::Signature);
        }
        let field = |name: &str| fields.get(name).map(String::as_str);
        // Seconds.
        let age =
            field("timestamp").and_then(|seconds| seconds.parse::<Millis>().ok()).map(|seconds| request.now.saturating_sub(seconds.saturating_mul(1_000)));
        if age.is_none_or(|age| age > OLDEST_MS) {
            return Err(CallbackRefused::Signature);
        }
        let id = field("messageId").or_else(|| field("message-id")).ok_or(CallbackRefused::Form)?;
        let Some(status) = field("status") else {
            let word = field("keyword").and_then(reply_word).or_else(|| field("text").and_then(reply_word));
            let from = field("msisdn").filter(|from| !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit()));
            return Ok(word
                .zip(from)
                .map(|(word, from)| Told::Reply { channel: Channel::Sms, from: format!("+{from}"), word, id: id.to_owned() })
                .into_iter()
                .collect());
        };
        // From the reference, which is signed; what stands in the address is not.
        let Some(ours) = field("client-ref").and_then(ids_of) else { return Ok(Vec::new()) };
        let Some(said) = said(status, field("err-code")) else { return Ok(Vec::new()) };
        let receipt = Receipt { delivery: ours.delivery, attempt: ours.attempt, provider_id: Some(id.to_owned()), at: None, said };
        Ok(vec![Told::Receipt { notification: ours.notification, receipt }])
    }
}

/// Our ids, from the reference that was sent with the message.
fn ids_of(reference: &str) -> Option<OurIds> {
    let mut parts = reference.split('.');
    let (notification, delivery, attempt) = (parts.next(), parts.next(), parts.next());
    OurIds::read(|name| match name {
        "nid" => notification,
        "delivery" => delivery,
        _ => attempt,
    })
}

/// By POST as JSON or as a form, by GET in the query: as the account is set. Our own ids in the query of
/// the address are no fields of Vonage's, and not signed.
fn fields(request: &CallbackRequest<'_>) -> Result<Fields, CallbackRefused> {
    if request.body.is_empty() {
        let ours = ["nid", "delivery", "attempt"];
        return Ok(request.query_fields().into_iter().filter(|(name, _)| !ours.contains(&name.as_str())).collect());
    }
    if request.body.first() != Some(&b'{') {
        return Ok(url::form_urlencoded::parse(request.body).into_owned().collect());
    }
    let parsed: BTreeMap<String, serde_json::Value> = serde_json::from_slice(request.body).map_err(|_| CallbackRefused::Form)?;
    let text = |value: serde_json::Value| if let serde_json::Value::String(text) = value { text } else { value.to_string() };
    Ok(parsed.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// What a status says, where it is the last.
fn said(status: &str, code: Option<&str>) -> Option<Said> {
    let code = code.filter(|code| *code != "0");
    let named = |status: &str| code.map_or_else(|| status.to_owned(), |code| format!("{status} {code}"));
    let bounced = |class, dead| Some(Said::Bounced { class, dead, code: named(status) });
    match (status, code) {
        ("delivered", _) => Some(Said::Delivered),
        // Absent; busy or out of reach; the network failed; not answered in time.
        ("failed" | "rejected", Some("2" | "4" | "5" | "9" | "10")) | ("expired", _) => bounced(FailureClass::Transient, false),
        // No such number; a number that was moved away and is not known there.
        ("failed" | "rejected", Some("3" | "15")) => bounced(FailureClass::BadAddress, true),
        ("failed" | "rejected" | "deleted" | "undeliverable", _) => bounced(FailureClass::Permanent, false),
        // `accepted`, `buffered`, `unknown`.
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    (digits.len().is_multiple_of(2) && !digits.is_empty()).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use reqwest::header::HeaderMap;

    const SIGNED: &str = "api-key=abcd1234&err-code=0&messageId=0A0000001234567B&msisdn=821012345678&nonce=n-1&status=delivered&timestamp=1700000000&to=ACME";
    const SIG: &str = "b0c19b775f61fef34efe19935c8b33d37c8274270c71669b63d8585e9e2d9dcf";
    const NOW: Millis = 1_700_000_000_000;

    fn read(query: &str, body: &str, now: Millis) -> Result<Vec<Told>, CallbackRefused> {
        VonageReceipts::new(&Credential::new("my_sig_secret")).read(&CallbackRequest { query, headers: &HeaderMap::new(), body: body.as_bytes(), now })
    }

    /// One of ours, signed.
    fn ours() -> String {
        let mut fields: BTreeMap<_, _> = url::form_urlencoded::parse(SIGNED.as_bytes()).into_owned().collect();
        fields.insert("client-ref".to_owned(), "00000000000000000000000000000007.1.2".to_owned());
        let text: String = fields.iter().map(|(name, value)| format!("&{name}={value}")).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA512, b"my_sig_secret");
        let sig: String = hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}&sig={sig}", &text[1..])
    }

    #[test]
    fn the_published_vector_is_believed_and_nothing_else() {
        let form = format!("{SIGNED}&sig={SIG}");
        // Not one of ours: the ids in the address are not signed.
        let unsigned = "nid=00000000-0000-0000-0000-000000000007&delivery=1&attempt=2";
        assert_eq!(read(unsigned, &form, NOW), Ok(Vec::new()));
        assert_eq!(read("", &format!("{SIGNED}&sig={}", SIG.to_uppercase()), NOW), Ok(Vec::new()));
        for (body, now) in [
            (form.replace("delivered", "failed"), NOW),
            (SIGNED.to_owned(), NOW),
            (format!("{SIGNED}&sig="), NOW),
            (format!("{SIGNED}&sig=xyz"), NOW),
            // The same text to sign, with the moment hidden in a name.
            (form.replace("timestamp=1700000000&to=ACME", "timestamp%3D1700000000%26to=ACME"), NOW),
            (form, NOW + 26 * 60 * 60 * 1_000),
        ] {
            assert_eq!(read("", &body, now), Err(CallbackRefused::Signature), "{body}");
        }
    }

    #[test]
    fn a_report_comes_as_a_form_as_json_or_in_the_query() {
        let form = ours();
        let fields: BTreeMap<_, _> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let json = serde_json::to_string(&fields).unwrap();
        for (query, body) in [("", form.clone()), ("nid=x", json), (form.as_str(), String::new())] {
            let told = read(query, &body, NOW).unwrap();
            let [Told::Receipt { receipt, .. }] = &told[..] else { panic!("{told:?}") };
            assert_eq!((receipt.delivery, receipt.attempt, &receipt.said), (1, Some(2), &Said::Delivered));
            assert_eq!(receipt.provider_id.as_deref(), Some("0A0000001234567B"));
        }
    }

    #[test]
    fn what_each_status_and_code_means() {
        let bounced = |class, dead, code: &str| Some(Said::Bounced { class, dead, code: code.to_owned() });
        for (status, code, means) in [
            ("delivered", Some("0"), Some(Said::Delivered)),
            ("expired", None, bounced(FailureClass::Transient, false, "expired")),
            ("failed", Some("2"), bounced(FailureClass::Transient, false, "failed 2")),
            ("failed", Some("3"), bounced(FailureClass::BadAddress, true, "failed 3")),
            ("failed", Some("6"), bounced(FailureClass::Permanent, false, "failed 6")),
            ("rejected", Some("15"), bounced(FailureClass::BadAddress, true, "rejected 15")),
            ("failed", None, bounced(FailureClass::Permanent, false, "failed")),
            ("accepted", None, None),
            ("buffered", None, None),
            ("unknown", None, None),
        ] {
            assert_eq!(said(status, code), means, "{status} {code:?}");
        }
    }
}
