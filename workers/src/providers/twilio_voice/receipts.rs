//! What Twilio reports of calls (<https://www.twilio.com/docs/voice/api/call-resource#statuscallback>).

use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, OurIds, Told};
use crate::providers::http::Credential;
use crate::providers::twilio::Signature;
use domain::notification::{FailureClass, Receipt, Said};
use domain::values::Millis;
use std::collections::HashMap;
use url::Url;

/// See the module.
pub struct VoiceReceipts {
    signature: Signature,
}

impl VoiceReceipts {
    /// As for text messages.
    pub fn new(address: Url, token: &Credential) -> Self {
        Self { signature: Signature::new(address, token) }
    }
}

impl Callbacks for VoiceReceipts {
    fn name(&self) -> &'static str {
        "twilio_voice"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        let fields: HashMap<String, String> = self.signature.check(request)?.into_iter().collect();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let (Some(id), Some(status)) = (field("CallSid"), field("CallStatus")) else { return Err(CallbackRefused::Form) };
        let query = request.query_fields();
        let Some(ours) = OurIds::read(|name| query.get(name).map(String::as_str)) else { return Ok(Vec::new()) };
        let Some(said) = said(status, field("SipResponseCode")) else { return Ok(Vec::new()) };
        let receipt =
            Receipt { delivery: ours.delivery, attempt: ours.attempt, provider_id: Some(id.to_owned()), at: field("Timestamp").and_then(moment), said };
        Ok(vec![Told::Receipt { notification: ours.notification, receipt }])
    }
}

fn moment(text: &str) -> Option<Millis> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|moment| moment.timestamp_millis())
}

/// What a status says, where it is the last. Whether a person or a machine answered is not told apart:
/// what was to be said was said.
fn said(status: &str, sip: Option<&str>) -> Option<Said> {
    let bounced = |class, dead, code: String| Some(Said::Bounced { class, dead, code });
    match status {
        "completed" => Some(Said::Delivered),
        "busy" | "no-answer" | "canceled" => bounced(FailureClass::Transient, false, status.to_owned()),
        "failed" => {
            // 404 and 604: no such number (RFC 3261).
            let dead = matches!(sip, Some("404" | "604"));
            let class = if dead { FailureClass::BadAddress } else { FailureClass::Permanent };
            bounced(class, dead, sip.map_or_else(|| "failed".to_owned(), |sip| format!("failed {sip}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;

    #[test]
    fn what_each_status_means() {
        let bounced = |class, dead, code: &str| Some(Said::Bounced { class, dead, code: code.to_owned() });
        for (status, sip, means) in [
            ("completed", None, Some(Said::Delivered)),
            ("busy", Some("486"), bounced(FailureClass::Transient, false, "busy")),
            ("no-answer", None, bounced(FailureClass::Transient, false, "no-answer")),
            ("canceled", None, bounced(FailureClass::Transient, false, "canceled")),
            ("failed", Some("404"), bounced(FailureClass::BadAddress, true, "failed 404")),
            ("failed", Some("503"), bounced(FailureClass::Permanent, false, "failed 503")),
            ("failed", None, bounced(FailureClass::Permanent, false, "failed")),
            ("queued", None, None),
            ("initiated", None, None),
            ("ringing", None, None),
            ("in-progress", None, None),
        ] {
            assert_eq!(said(status, sip), means, "{status} {sip:?}");
        }
        assert_eq!(moment("Tue, 14 Nov 2023 22:13:20 +0000"), Some(1_700_000_000_000));
    }
}
