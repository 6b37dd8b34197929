//! What becomes of a message later, as its address asks for, in each provider's words.
//!
//! Numbers of the range +1 500 557: the two digits behind it say how a text or call ends. Of mail
//! addresses the word before the `@` does.

use super::super::form::Form;
use super::super::ledger::Provider;
use super::TakenMessage;
use serde_json::{Value, json};

/// One thing that happens to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    /// On its way: says nothing that anybody needs.
    OnItsWay,
    Delivered,
    /// Not delivered, with the provider's own code.
    Lost(&'static str),
    /// Refused by the mailbox's server for good.
    Bounced(&'static str),
    Opened {
        machine: bool,
    },
    Clicked,
    Spam,
    Unsubscribed,
}

/// In the order in which they happen.
pub(super) fn of(message: &TakenMessage<'_>) -> Vec<Happening> {
    match message.provider {
        Provider::Twilio | Provider::TwilioVoice | Provider::Vonage | Provider::KakaoTalk => of_phone(message.provider, message.address),
        Provider::Sendgrid | Provider::Mailgun => of_mailbox(message.address),
        _ => Vec::new(),
    }
}

fn of_phone(provider: Provider, number: &str) -> Vec<Happening> {
    let ending = number.trim_start_matches('+').strip_prefix("1500557").and_then(|rest| rest.get(..2)).unwrap_or_default();
    let end = match (provider, ending) {
        (_, "04") => return Vec::new(),
        (Provider::Twilio, "01") => Happening::Lost("30003"),
        (Provider::Twilio, "02") => Happening::Lost("30005"),
        (Provider::Twilio, "03") => Happening::Lost("30007"),
        (Provider::TwilioVoice, "01") => Happening::Lost("busy"),
        (Provider::TwilioVoice, "02") => Happening::Lost("404"),
        (Provider::TwilioVoice, "03") => Happening::Lost("no-answer"),
        (Provider::KakaoTalk, "01") => Happening::Lost("3019"),
        (Provider::KakaoTalk, "02") => Happening::Lost("MRC02"),
        (Provider::Vonage, "01") => Happening::Lost("2"),
        (Provider::Vonage, "02") => Happening::Lost("3"),
        (Provider::Vonage, "03") => Happening::Lost("6"),
        _ => Happening::Delivered,
    };
    vec![Happening::OnItsWay, end]
}

fn of_mailbox(address: &str) -> Vec<Happening> {
    use Happening as H;
    let word = address.split(['@', '+', '-', '.', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match word.as_str() {
        "silent" => vec![],
        "nouser" => vec![H::OnItsWay, H::Bounced("5.1.1")],
        "fullbox" => vec![H::OnItsWay, H::Bounced("5.2.2")],
        "complains" => vec![H::OnItsWay, H::Delivered, H::Spam],
        "leaves" => vec![H::OnItsWay, H::Delivered, H::Unsubscribed],
        "opens" => vec![H::OnItsWay, H::Delivered, H::Opened { machine: false }],
        "machine" => vec![H::OnItsWay, H::Delivered, H::Opened { machine: true }],
        "clicks" => vec![H::OnItsWay, H::Delivered, H::Opened { machine: false }, H::Clicked],
        _ => vec![H::OnItsWay, H::Delivered],
    }
}

fn fields<const N: usize>(fields: [(&str, &str); N]) -> Vec<(String, String)> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A status callback of a message or a call.
pub(super) fn twilio(message: &TakenMessage<'_>, happening: &Happening) -> Vec<(String, String)> {
    let form = Form::parse(message.raw);
    let (to, from) = (form.get("To").unwrap_or_default(), form.get("From").unwrap_or_default());
    let id = message.provider_id.as_str();
    let mut all = fields([("AccountSid", super::super::credentials::TWILIO_ACCOUNT), ("ApiVersion", "2010-04-01"), ("To", to), ("From", from)]);
    if message.provider == Provider::TwilioVoice {
        let (status, sip) = match happening {
            Happening::OnItsWay => ("ringing", None),
            Happening::Lost(code @ ("busy" | "no-answer")) => (*code, None),
            Happening::Lost(code) => ("failed", Some(*code)),
            _ => ("completed", None),
        };
        all.extend(fields([("CallSid", id), ("CallStatus", status), ("CallbackSource", "call-progress-events")]));
        all.extend(sip.map(|code| ("SipResponseCode".to_owned(), code.to_owned())));
        return all;
    }
    let (status, code) = match happening {
        Happening::OnItsWay => ("sent", None),
        Happening::Lost(code) => ("undelivered", Some(*code)),
        _ => ("delivered", None),
    };
    all.extend(fields([("MessageSid", id), ("SmsSid", id), ("MessageStatus", status), ("SmsStatus", status)]));
    all.extend(code.map(|code| ("ErrorCode".to_owned(), code.to_owned())));
    all
}

/// A delivery receipt.
pub(super) fn vonage(message: &TakenMessage<'_>, happening: &Happening) -> Vec<(String, String)> {
    let form = Form::parse(message.raw);
    let (status, code) = match happening {
        Happening::OnItsWay => ("buffered", "0"),
        Happening::Lost(code) => ("failed", *code),
        _ => ("delivered", "0"),
    };
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    fields([
        ("msisdn", message.address),
        ("to", &text("from")),
        ("network-code", "45008"),
        ("messageId", &message.provider_id),
        ("price", "0.01000000"),
        ("status", status),
        ("err-code", code),
        ("api-key", super::super::credentials::VONAGE_KEY),
        ("client-ref", &text("client-ref")),
    ])
}

/// What became of an AlimTalk, as its list and its webhook tell; none where nothing has yet.
pub(crate) fn kakao_talk_result(address: &str) -> Option<&'static str> {
    of_phone(Provider::KakaoTalk, address).into_iter().find_map(|happening| match happening {
        Happening::Delivered => Some("MRC01"),
        Happening::Lost(code) => Some(code),
        _ => None,
    })
}

/// A webhook of NHN Cloud's: it names the message, and says what became of it without proving it.
pub(super) fn kakao_talk(message: &TakenMessage<'_>, happening: &Happening) -> Option<String> {
    let result = match happening {
        Happening::Delivered => "MRC01",
        Happening::Lost(_) => "MRC02",
        _ => return None,
    };
    let (request, sequence) = message.provider_id.rsplit_once('.')?;
    let body: Value = serde_json::from_slice(message.raw).ok()?;
    let hook = json!({
        "hookId": format!("hook-{request}"), "requestId": request, "recipientSeq": sequence.parse::<u64>().ok()?, "resultCode": result,
        "recipientGroupingKey": body["recipientList"][0]["recipientGroupingKey"],
    });
    Some(
        json!({
            "hooksId": format!("hooks-{request}"), "webhookConfigId": "simulated", "productName": "KakaoTalk Bizmessage",
            "appKey": super::super::credentials::KAKAO_APP_KEY, "event": "MESSAGE_RESULT_UPDATE", "hooks": [hook],
        })
        .to_string(),
    )
}

/// The body of a call of the event webhook.
pub(super) fn sendgrid(message: &TakenMessage<'_>, happening: &Happening, number: u64, now: i64) -> Option<String> {
    let body: Value = serde_json::from_slice(message.raw).ok()?;
    let (event, more) = match happening {
        Happening::OnItsWay => ("processed", json!({})),
        Happening::Delivered => ("delivered", json!({ "response": "250 OK" })),
        Happening::Bounced(status) | Happening::Lost(status) => ("bounce", json!({ "type": "bounce", "status": status, "reason": "550 refused" })),
        Happening::Opened { machine } => ("open", json!({ "sg_machine_open": machine, "useragent": "simulated" })),
        Happening::Clicked => ("click", json!({ "url": "https://example.com/", "url_offset": { "index": 0, "type": "html" } })),
        Happening::Spam => ("spamreport", json!({})),
        Happening::Unsubscribed => ("unsubscribe", json!({})),
    };
    let mut one = json!({
        "email": message.address, "timestamp": now, "event": event, "sg_event_id": format!("sim{number}"), "sg_message_id": message.provider_id,
    });
    let one_fields = one.as_object_mut()?;
    for (name, value) in body["personalizations"][0]["custom_args"].as_object().into_iter().chain(more.as_object()).flatten() {
        one_fields.insert(name.clone(), value.clone());
    }
    Some(json!([one]).to_string())
}

/// `event-data` of a webhook.
pub(super) fn mailgun(message: &TakenMessage<'_>, happening: &Happening, now: i64) -> Option<String> {
    let boundary = std::str::from_utf8(message.raw).ok()?.lines().next()?.strip_prefix("--")?;
    let form = Form::of_parts(&format!("multipart/form-data; boundary={boundary}"), message.raw)?;
    let (event, more) = match happening {
        Happening::OnItsWay => ("accepted", json!({})),
        Happening::Delivered => ("delivered", json!({ "delivery-status": { "code": 250 } })),
        Happening::Bounced(status) | Happening::Lost(status) => {
            ("failed", json!({ "severity": "permanent", "reason": "bounce", "delivery-status": { "code": 550, "enhanced-code": status } }))
        }
        Happening::Opened { machine } => ("opened", json!({ "client-info": { "bot": if *machine { "apple" } else { "" } } })),
        Happening::Clicked => ("clicked", json!({ "url": "https://example.com/", "client-info": { "bot": "" } })),
        Happening::Spam => ("complained", json!({})),
        Happening::Unsubscribed => ("unsubscribed", json!({})),
    };
    let variable = |name: &str| form.get(&format!("v:{name}")).map(ToOwned::to_owned);
    let id = message.provider_id.trim_matches(['<', '>']);
    let mut one = json!({
        "event": event, "id": format!("sim-{id}-{event}"), "timestamp": now, "recipient": message.address, "message": { "headers": { "message-id": id } },
        "user-variables": { "nid": variable("nid"), "delivery": variable("delivery"), "attempt": variable("attempt") },
    });
    for (name, value) in more.as_object()? {
        one[name] = value.clone();
    }
    Some(one.to_string())
}
