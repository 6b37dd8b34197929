//! Mailgun's webhooks (<https://documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages/#webhooks>).

use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, OurIds, Told};
use crate::providers::http::Credential;
use crate::providers::mail::status::is_address_dead;
use aws_lc_rs::hmac;
use domain::notification::{ComplaintKind, FailureClass, Receipt, Said};
use domain::values::Millis;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// Oldest signature that is believed: Mailgun repeats what was not taken for eight hours. Within that
/// a request that is played back changes nothing, since each report counts once.
const OLDEST_MS: Millis = 9 * 60 * 60 * 1_000;

/// See the module.
pub struct MailgunReceipts {
    key: hmac::Key,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Webhook {
    signature: Signature,
    event_data: Value,
}

#[derive(Deserialize)]
struct Signature {
    timestamp: String,
    token: String,
    signature: String,
}

/// As far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    event: String,
    /// Seconds with a fraction.
    timestamp: Option<f64>,
    severity: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    delivery_status: Status,
    #[serde(default)]
    client_info: Client,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    user_variables: HashMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Status {
    code: Option<u16>,
    enhanced_code: Option<String>,
}

#[derive(Deserialize, Default)]
struct Client {
    /// Whose program it is, where it is one: `apple`, `gmail`, `generic`.
    bot: Option<String>,
}

#[derive(Deserialize, Default)]
struct Message {
    #[serde(default)]
    headers: HashMap<String, Value>,
}

impl MailgunReceipts {
    /// With the account's signing key for webhooks.
    pub fn new(key: &Credential) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes()) }
    }

    fn check(&self, signature: &Signature, now: Millis) -> Option<()> {
        let age = now.saturating_sub(signature.timestamp.parse::<Millis>().ok()?.saturating_mul(1_000));
        let signed = format!("{}{}", signature.timestamp, signature.token);
        let right = hmac::sign(&self.key, signed.as_bytes());
        let right: String = right.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(right.as_bytes(), signature.signature.as_bytes()).is_ok();
        (age <= OLDEST_MS && same).then_some(())
    }
}

impl Callbacks for MailgunReceipts {
    fn name(&self) -> &'static str {
        "mailgun"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        // Mailgun signs inside of the body.
        let webhook: Webhook = serde_json::from_slice(request.body).map_err(|_| CallbackRefused::Form)?;
        self.check(&webhook.signature, request.now).ok_or(CallbackRefused::Signature)?;
        let event: Event = serde_json::from_value(webhook.event_data).map_err(|_| CallbackRefused::Form)?;
        Ok(told(&event).into_iter().collect())
    }
}

fn told(event: &Event) -> Option<Told> {
    let said = said(event)?;
    let text = |name: &str| event.user_variables.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
    let (notification, delivery, attempt) = (text("nid"), text("delivery"), text("attempt"));
    let ours = OurIds::read(|name| match name {
        "nid" => notification.as_deref(),
        "delivery" => delivery.as_deref(),
        _ => attempt.as_deref(),
    })?;
    #[allow(clippy::cast_possible_truncation, reason = "a moment in milliseconds is far below 2^53")]
    let at = event.timestamp.map(|seconds| (seconds * 1_000.0) as Millis);
    let id = event.message.headers.get("message-id").and_then(Value::as_str).map(|id| format!("<{id}>"));
    let receipt = Receipt { delivery: ours.delivery, attempt: ours.attempt, provider_id: id, at, said };
    Some(Told::Receipt { notification: ours.notification, receipt })
}

fn said(event: &Event) -> Option<Said> {
    let automatic = event.client_info.bot.as_deref().is_some_and(|bot| !bot.is_empty());
    match event.event.as_str() {
        "delivered" => Some(Said::Delivered),
        "failed" if event.severity.as_deref() == Some("permanent") => {
            let Status { code, enhanced_code } = &event.delivery_status;
            let enhanced = enhanced_code.as_deref().filter(|code| !code.is_empty());
            let code = enhanced.map(ToOwned::to_owned).or_else(|| code.map(|code| code.to_string())).unwrap_or_default();
            // On Mailgun's own list, from an earlier bounce; such events have no code of a server.
            let listed = event.reason.as_deref() == Some("suppress-bounce");
            let dead = listed || is_address_dead(&code);
            let class = if dead { FailureClass::BadAddress } else { FailureClass::Permanent };
            let reason = event.reason.as_deref().unwrap_or("failed");
            Some(Said::Bounced { class, dead, code: format!("{reason} {code}").trim_end().to_owned() })
        }
        "opened" => Some(Said::Opened { automatic }),
        // Mailgun does not tell which.
        "clicked" => Some(Said::Clicked { link: 0, automatic }),
        "complained" => Some(Said::Complained { kind: ComplaintKind::Spam }),
        "unsubscribed" => Some(Said::Complained { kind: ComplaintKind::Unsubscribed }),
        // `accepted`; failed for now, and tried again by Mailgun itself.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use reqwest::header::HeaderMap;

    fn body(signature: &str, event: &str) -> String {
        let token = "0123456789abcdef0123456789abcdef0123456789abcdef01";
        format!(r#"{{"signature":{{"timestamp":"1700000000","token":"{token}","signature":"{signature}"}},"event-data":{event}}}"#)
    }

    fn read(body: &str, now: Millis) -> Result<Vec<Told>, CallbackRefused> {
        let request = CallbackRequest { query: "", headers: &HeaderMap::new(), body: body.as_bytes(), now };
        MailgunReceipts::new(&Credential::new("mg-signing-key")).read(&request)
    }

    #[test]
    fn the_vector_is_believed_and_nothing_else() {
        let right = "16722ca9a24e049f0f081d4a389e7b75b52e17a4c550098d8d310aa73997858d";
        let now = 1_700_000_000_000;
        let ours = r#"{"event":"delivered","timestamp":1700000000.5,"message":{"headers":{"message-id":"m@x"}},"user-variables":{"nid":"00000000-0000-0000-0000-000000000007","delivery":"1","attempt":"2"}}"#;
        let told = read(&body(right, ours), now).unwrap();
        let [Told::Receipt { receipt, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!((receipt.delivery, receipt.attempt, receipt.at, receipt.provider_id.as_deref()), (1, Some(2), Some(1_700_000_000_500), Some("<m@x>")));
        assert_eq!(read(&body(right, r#"{"event":"delivered"}"#), now), Ok(Vec::new()), "not one of ours");
        for (signature, now) in [(&right[..63], now), ("", now), (right, now + 10 * 60 * 60 * 1_000)] {
            assert_eq!(read(&body(signature, ours), now), Err(CallbackRefused::Signature));
        }
        assert_eq!(read("{}", now), Err(CallbackRefused::Form));
    }

    /// Every row of the table.
    #[test]
    fn what_each_event_means() {
        let bounced = |class, dead, code: &str| Some(Said::Bounced { class, dead, code: code.to_owned() });
        for (event, means) in [
            (r#"{"event":"accepted"}"#, None),
            (r#"{"event":"delivered"}"#, Some(Said::Delivered)),
            (r#"{"event":"failed","severity":"temporary"}"#, None),
            (
                r#"{"event":"failed","severity":"permanent","reason":"bounce","delivery-status":{"code":550,"enhanced-code":"5.1.1"}}"#,
                bounced(FailureClass::BadAddress, true, "bounce 5.1.1"),
            ),
            (
                r#"{"event":"failed","severity":"permanent","reason":"bounce","delivery-status":{"code":552}}"#,
                bounced(FailureClass::Permanent, false, "bounce 552"),
            ),
            (r#"{"event":"failed","severity":"permanent","reason":"suppress-bounce"}"#, bounced(FailureClass::BadAddress, true, "suppress-bounce")),
            (r#"{"event":"failed","severity":"permanent"}"#, bounced(FailureClass::Permanent, false, "failed")),
            (r#"{"event":"opened","client-info":{"bot":"apple"}}"#, Some(Said::Opened { automatic: true })),
            (r#"{"event":"opened","client-info":{"bot":""}}"#, Some(Said::Opened { automatic: false })),
            (r#"{"event":"clicked"}"#, Some(Said::Clicked { link: 0, automatic: false })),
            (r#"{"event":"complained"}"#, Some(Said::Complained { kind: ComplaintKind::Spam })),
            (r#"{"event":"unsubscribed"}"#, Some(Said::Complained { kind: ComplaintKind::Unsubscribed })),
        ] {
            assert_eq!(said(&serde_json::from_str(event).unwrap()), means, "{event}");
        }
    }
}
