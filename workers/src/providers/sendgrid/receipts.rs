//! SendGrid's event webhook (<https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event>),
//! signed by a key of its own
//! (<https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>).

use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, OurIds, Told};
use crate::providers::http::ProviderError;
use crate::providers::mail::status::is_address_dead;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::notification::{ComplaintKind, FailureClass, Receipt, Said};
use domain::values::Millis;
use serde::Deserialize;
use serde_json::Value;

/// What stands before the 65 bytes of a key on P-256 (RFC 5480).
const SPKI: usize = 26;

/// Oldest signature that is believed: SendGrid repeats what was not taken for a day.
const OLDEST_MS: Millis = 25 * 60 * 60 * 1_000;

/// See the module.
pub struct SendgridReceipts {
    key: UnparsedPublicKey<Vec<u8>>,
}

/// One event, as far as it matters. Our ids stand beside its own fields.
#[derive(Deserialize)]
struct Event {
    event: String,
    timestamp: Option<Millis>,
    sg_message_id: Option<String>,
    nid: Option<String>,
    delivery: Option<Value>,
    attempt: Option<Value>,
    /// `bounce` or `blocked`.
    r#type: Option<String>,
    /// The enhanced status code (RFC 3463), or the reply's.
    status: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    sg_machine_open: bool,
    url_offset: Option<Offset>,
}

#[derive(Deserialize)]
struct Offset {
    index: u16,
}

impl SendgridReceipts {
    /// With the verification key as SendGrid shows it.
    ///
    /// # Errors
    /// It is none.
    pub fn new(key: &str) -> Result<Self, ProviderError> {
        let wrong =
            || ProviderError::settings("sendgrid", "callback_key is no verification key; copy it again from SendGrid's event webhook settings".to_owned());
        let spki = STANDARD.decode(key.trim()).map_err(|_| wrong())?;
        let point = spki.get(SPKI..).filter(|point| point.len() == 65 && point[0] == 4).ok_or_else(wrong)?;
        Ok(Self { key: UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point.to_vec()) })
    }

    fn check(&self, request: &CallbackRequest<'_>) -> Option<()> {
        let timestamp = request.header("x-twilio-email-event-webhook-timestamp")?;
        let signature = STANDARD.decode(request.header("x-twilio-email-event-webhook-signature")?).ok()?;
        let age = request.now.saturating_sub(timestamp.parse::<Millis>().ok()?.saturating_mul(1_000));
        let signed = [timestamp.as_bytes(), request.body].concat();
        (age <= OLDEST_MS && self.key.verify(&signed, &signature).is_ok()).then_some(())
    }
}

impl Callbacks for SendgridReceipts {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        self.check(request).ok_or(CallbackRefused::Signature)?;
        let events: Vec<Value> = serde_json::from_slice(request.body).map_err(|_| CallbackRefused::Form)?;
        // One that is not understood keeps no other from being heard.
        Ok(events.into_iter().filter_map(|event| serde_json::from_value::<Event>(event).ok()).filter_map(told).collect())
    }
}

fn told(event: Event) -> Option<Told> {
    let said = said(&event)?;
    // Whatever form they come back in.
    let text = |value: &Option<Value>| value.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
    let (delivery, attempt) = (text(&event.delivery), text(&event.attempt));
    let ours = OurIds::read(|name| match name {
        "nid" => event.nid.as_deref(),
        "delivery" => delivery.as_deref(),
        _ => attempt.as_deref(),
    })?;
    let at = event.timestamp.map(|seconds| seconds.saturating_mul(1_000));
    let receipt = Receipt { delivery: ours.delivery, attempt: ours.attempt, provider_id: event.sg_message_id, at, said };
    Some(Told::Receipt { notification: ours.notification, receipt })
}

fn said(event: &Event) -> Option<Said> {
    let named = |name: &str| event.status.as_ref().map_or_else(|| name.to_owned(), |status| format!("{name} {status}"));
    match event.event.as_str() {
        "delivered" => Some(Said::Delivered),
        // Refused for now: by the address's own server, and perhaps not tomorrow.
        "bounce" if event.r#type.as_deref() == Some("blocked") => Some(Said::Bounced { class: FailureClass::Permanent, dead: false, code: named("blocked") }),
        "bounce" => {
            let dead = event.status.as_deref().is_some_and(is_address_dead);
            let class = if dead { FailureClass::BadAddress } else { FailureClass::Permanent };
            Some(Said::Bounced { class, dead, code: named("bounce") })
        }
        // On one of SendGrid's own lists: never sent.
        "dropped" => {
            let dead = event.reason.as_deref().is_some_and(|reason| ["Bounced Address", "Invalid"].iter().any(|known| reason.starts_with(known)));
            let class = if dead { FailureClass::BadAddress } else { FailureClass::Permanent };
            let reason = event.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", reason.chars().take(100).collect::<String>()));
            Some(Said::Bounced { class, dead, code: format!("dropped{reason}") })
        }
        "open" => Some(Said::Opened { automatic: event.sg_machine_open }),
        "click" => Some(Said::Clicked { link: event.url_offset.as_ref().map_or(0, |offset| offset.index), automatic: false }),
        "spamreport" => Some(Said::Complained { kind: ComplaintKind::Spam }),
        "unsubscribe" | "group_unsubscribe" => Some(Said::Complained { kind: ComplaintKind::Unsubscribed }),
        // `processed`, `deferred`, `group_resubscribe`.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use reqwest::header::HeaderMap;

    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0/7Kf1T9zQzB6Ze/N13KUVrQpsO0A19FNr46UPMY+/mlR1kCoiFQK+8NV+CMU7LMClbxfZ+TVA==";
    const BODY: &str = "[{\"email\":\"a@example.com\",\"event\":\"delivered\",\"sg_event_id\":\"e1\"}]\r\n";
    const SIGNATURE: &str = "MEUCIQCzmzDOuPN1XscSwrZKJ3YYJvOMDzB2vKCR7AfRfik2dwIgOnL1TRAw666Of6V0txCYSfEYXQRIdhjapxt+Wf/0ZYk=";

    fn read(timestamp: &str, signature: &str, body: &str, now: Millis) -> Result<Vec<Told>, CallbackRefused> {
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-email-event-webhook-timestamp", timestamp.parse().unwrap());
        headers.insert("x-twilio-email-event-webhook-signature", signature.parse().unwrap());
        SendgridReceipts::new(KEY).unwrap().read(&CallbackRequest { query: "", headers: &headers, body: body.as_bytes(), now })
    }

    #[test]
    fn the_vector_is_believed_and_nothing_else() {
        let now = 1_700_000_000_000;
        assert_eq!(read("1700000000", SIGNATURE, BODY, now), Ok(Vec::new()), "not one of ours");
        for (timestamp, signature, body, now) in [
            ("1700000001", SIGNATURE, BODY, now),
            ("1700000000", SIGNATURE, &BODY[..BODY.len() - 2], now),
            ("1700000000", "AAAA", BODY, now),
            ("soon", SIGNATURE, BODY, now),
            ("1700000000", SIGNATURE, BODY, now + 26 * 60 * 60 * 1_000),
        ] {
            assert_eq!(read(timestamp, signature, body, now), Err(CallbackRefused::Signature));
        }
        assert!(SendgridReceipts::new("no key").is_err());
    }

    /// Every row of the table.
    #[test]
    fn what_each_event_means() {
        let bounced = |class, dead, code: &str| Some(Said::Bounced { class, dead, code: code.to_owned() });
        for (event, means) in [
            (r#"{"event":"processed"}"#, None),
            (r#"{"event":"deferred"}"#, None),
            (r#"{"event":"delivered"}"#, Some(Said::Delivered)),
            (r#"{"event":"bounce","type":"bounce","status":"5.1.1"}"#, bounced(FailureClass::BadAddress, true, "bounce 5.1.1")),
            (r#"{"event":"bounce","type":"bounce","status":"5.2.2"}"#, bounced(FailureClass::Permanent, false, "bounce 5.2.2")),
            (r#"{"event":"bounce"}"#, bounced(FailureClass::Permanent, false, "bounce")),
            (r#"{"event":"bounce","type":"blocked","status":"5.7.1"}"#, bounced(FailureClass::Permanent, false, "blocked 5.7.1")),
            (r#"{"event":"dropped","reason":"Bounced Address"}"#, bounced(FailureClass::BadAddress, true, "dropped: Bounced Address")),
            (r#"{"event":"dropped","reason":"Unsubscribed Address"}"#, bounced(FailureClass::Permanent, false, "dropped: Unsubscribed Address")),
            (r#"{"event":"open","sg_machine_open":true}"#, Some(Said::Opened { automatic: true })),
            (r#"{"event":"open"}"#, Some(Said::Opened { automatic: false })),
            (r#"{"event":"click","url_offset":{"index":2,"type":"html"}}"#, Some(Said::Clicked { link: 2, automatic: false })),
            (r#"{"event":"spamreport"}"#, Some(Said::Complained { kind: ComplaintKind::Spam })),
            (r#"{"event":"unsubscribe"}"#, Some(Said::Complained { kind: ComplaintKind::Unsubscribed })),
            (r#"{"event":"group_unsubscribe"}"#, Some(Said::Complained { kind: ComplaintKind::Unsubscribed })),
            (r#"{"event":"group_resubscribe"}"#, None),
        ] {
            assert_eq!(said(&serde_json::from_str(event).unwrap()), means, "{event}");
        }
        let ours =
            r#"{"event":"delivered","timestamp":1700000000,"sg_message_id":"m1","nid":"00000000-0000-0000-0000-000000000007","delivery":"1","attempt":2}"#;
        let Some(Told::Receipt { receipt, .. }) = told(serde_json::from_str(ours).unwrap()) else { panic!("not ours") };
        assert_eq!((receipt.delivery, receipt.attempt, receipt.at), (1, Some(2), Some(1_700_000_000_000)));
    }
}
