//! What Twilio reports of text messages (<https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>),
//! and what people answer (<https://www.twilio.com/docs/messaging/twiml#request-parameters>).

use super::signature::Signature;
use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, OurIds, Told};
use crate::providers::http::Credential;
use crate::providers::sms::reply_word;
use domain::address::ReplyWord;
use domain::notification::{FailureClass, Receipt, Said};
use domain::values::Channel;
use std::collections::HashMap;
use url::Url;

/// See the module.
pub struct TwilioReceipts {
    signature: Signature,
}

impl TwilioReceipts {
    /// `address` is where Twilio calls, as it was given it; `token` the account's own, which signs also
    /// where an API key sends.
    pub fn new(address: Url, token: &Credential) -> Self {
        Self { signature: Signature::new(address, token) }
    }
}

impl Callbacks for TwilioReceipts {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        let fields: HashMap<String, String> = self.signature.check(request)?.into_iter().collect();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let id = field("MessageSid").or_else(|| field("SmsSid")).ok_or(CallbackRefused::Form)?;
        // An answer has no status of its own, or this one.
        if field("MessageStatus").is_none() && (field("SmsStatus") == Some("received") || field("Body").is_some()) {
            return Ok(reply(&fields, id).into_iter().collect());
        }
        let status = field("MessageStatus").or_else(|| field("SmsStatus")).ok_or(CallbackRefused::Form)?;
        let query = request.query_fields();
        // A message that somebody else of the account sent.
        let Some(ours) = OurIds::read(|name| query.get(name).map(String::as_str)) else { return Ok(Vec::new()) };
        let told = said(status, field("ErrorCode")).into_iter().map(|said| Told::Receipt {
            notification: ours.notification,
            receipt: Receipt { delivery: ours.delivery, attempt: ours.attempt, provider_id: Some(id.to_owned()), at: None, said },
        });
        Ok(told.collect())
    }
}

fn reply(fields: &HashMap<String, String>, id: &str) -> Option<Told> {
    // Twilio's own understanding goes first: its words can be set in its console.
    let word = match fields.get("OptOutType").map(String::as_str) {
        Some("STOP") => ReplyWord::Stop,
        Some("START") => ReplyWord::Start,
        _ => reply_word(fields.get("Body")?)?,
    };
    let from = fields.get("From").filter(|from| from.starts_with('+'))?;
    Some(Told::Reply { channel: Channel::Sms, from: from.clone(), word, id: id.to_owned() })
}

/// What a status says, where it is the last.
fn said(status: &str, code: Option<&str>) -> Vec<Said> {
    match status {
        "delivered" => vec![Said::Delivered],
        "read" => vec![Said::Delivered, Said::Opened { automatic: false }],
        "undelivered" | "failed" => vec![bounced(code)],
        _ => Vec::new(),
    }
}

/// Twilio's codes for what failed later (<https://www.twilio.com/docs/api/errors>).
fn bounced(code: Option<&str>) -> Said {
    let code = code.unwrap_or_default();
    let (class, dead) = match code {
        // Switched off or out of reach; unknown.
        "30003" | "30008" => (FailureClass::Transient, false),
        // No such number; a landline, or a carrier that is not reached.
        "30005" | "30006" => (FailureClass::BadAddress, true),
        // Answered STOP: what START lifts is Twilio's own list.
        "21610" => (FailureClass::BadAddress, false),
        // Blocked (30004), filtered (30007) and all others.
        _ => (FailureClass::Permanent, false),
    };
    let code = if code.is_empty() { "undelivered".to_owned() } else { format!("undelivered {code}") };
    Said::Bounced { class, dead, code }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use reqwest::header::HeaderMap;

    fn read(query: &str, body: &str, headers: &[(&'static str, &str)]) -> Result<Vec<Told>, CallbackRefused> {
        let reader = TwilioReceipts::new("https://n.example.com/cb/twilio".parse().unwrap(), &Credential::new("test_auth_token"));
        let headers: HeaderMap = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        reader.read(&CallbackRequest { query, headers: &headers, body: body.as_bytes(), now: 0 })
    }

    const FORM: &str = "MessageStatus=delivered&To=%2B821012345678&From=%2B15005550006&AccountSid=AC00000000000000000000000000000001&MessageSid=SM00000000000000000000000000000001";

    #[test]
    fn the_published_vectors() {
        let sha1 = ("x-twilio-signature", "EvNOqH1LGHR9Bu4rCv2+Fyeq3zE=");
        let sha256 =
            [("x-twilio-signature", "/8KGA2ES18mNRNqjXUuoZRfiXRi0AMEhx3pyL/eL3K8="), ("x-twilio-webhooks-signature-settings", "key=1,algorithm=HMAC_SHA256")];
        // Not one of ours, since our ids are not in its query.
        assert_eq!(read("tenant=t1", FORM, &[sha1]), Ok(Vec::new()));
        assert_eq!(read("tenant=t1", FORM, &sha256), Ok(Vec::new()));
        for (query, form, headers) in [
            ("tenant=t2", FORM, vec![sha1]),
            ("tenant=t1", &FORM[..FORM.len() - 1], vec![sha1]),
            ("tenant=t1", FORM, vec![sha256[0]]),
            ("tenant=t1", FORM, vec![]),
            ("tenant=t1", FORM, vec![("x-twilio-signature", "no base64")]),
        ] {
            assert_eq!(read(query, form, &headers), Err(CallbackRefused::Signature), "{query} {form}");
        }
    }

    /// Every row of the table.
    #[test]
    fn what_each_status_and_code_means() {
        let bounced = |class, dead, code: &str| vec![Said::Bounced { class, dead, code: code.to_owned() }];
        for (status, code, means) in [
            ("delivered", None, vec![Said::Delivered]),
            ("read", None, vec![Said::Delivered, Said::Opened { automatic: false }]),
            ("undelivered", Some("30003"), bounced(FailureClass::Transient, false, "undelivered 30003")),
            ("undelivered", Some("30008"), bounced(FailureClass::Transient, false, "undelivered 30008")),
            ("failed", Some("30004"), bounced(FailureClass::Permanent, false, "undelivered 30004")),
            ("undelivered", Some("30005"), bounced(FailureClass::BadAddress, true, "undelivered 30005")),
            ("undelivered", Some("30006"), bounced(FailureClass::BadAddress, true, "undelivered 30006")),
            ("undelivered", Some("30007"), bounced(FailureClass::Permanent, false, "undelivered 30007")),
            ("failed", Some("21610"), bounced(FailureClass::BadAddress, false, "undelivered 21610")),
            ("failed", None, bounced(FailureClass::Permanent, false, "undelivered")),
            ("queued", None, vec![]),
            ("sending", None, vec![]),
            ("sent", None, vec![]),
            ("something new", None, vec![]),
        ] {
            assert_eq!(said(status, code), means, "{status} {code:?}");
        }
    }

    #[test]
    fn answers_are_understood_as_twilio_does_or_by_their_words() {
        let fields = |kind: &str, body: &str, from: &str| {
            let fields = [("OptOutType", kind), ("Body", body), ("From", from)];
            fields.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<HashMap<_, _>>()
        };
        let word = |kind, body, from| match reply(&fields(kind, body, from), "SM1") {
            Some(Told::Reply { word, .. }) => Some(word),
            _ => None,
        };
        assert_eq!(word("STOP", "baja", "+82101"), Some(ReplyWord::Stop));
        assert_eq!(word("START", "", "+82101"), Some(ReplyWord::Start));
        assert_eq!(word("", "Stop.", "+82101"), Some(ReplyWord::Stop));
        assert_eq!(word("HELP", "help", "+82101"), None);
        assert_eq!(word("", "stop", "whatsapp:+82101"), None);
    }
}
