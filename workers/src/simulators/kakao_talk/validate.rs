//! What NHN refuses of the fields that we use, by its numbers.

use serde_json::Value;

use super::super::credentials::{KAKAO_FALLBACK_FROM, KAKAO_SENDER_KEY};

/// Longest text once the variables are in it, in characters.
const LONGEST: usize = 1_300;

/// A template as the sender registered it.
pub(super) struct Template {
    pub(super) code: &'static str,
    pub(super) text: &'static str,
    /// Kakao has read it and lets it through.
    pub(super) approved: bool,
}

/// Those of the one sender.
pub(super) const TEMPLATES: [Template; 3] = [
    Template { code: "NOTICE", text: "[Bongsu] #{body}", approved: true },
    Template { code: "ORDER_PAID", text: "#{name}님, 주문 #{order}의 결제가 완료되었습니다.", approved: true },
    Template { code: "PENDING", text: "#{body}", approved: false },
];

/// The result by which a request is refused.
pub(super) fn check(request: &Value) -> Result<(), &'static str> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (sender, code) = (text(&request["senderKey"]), text(&request["templateCode"]));
    if sender.is_empty() || code.is_empty() {
        return Err("-2001");
    }
    if sender != KAKAO_SENDER_KEY {
        return Err("-2017");
    }
    let [recipient] = request["recipientList"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err("-2002");
    };
    let number = text(&recipient["recipientNo"]);
    if !(7..=15).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("4");
    }
    // A number of Korea is written as it is dialled there.
    if number.starts_with("82") {
        return Err("-4019");
    }
    if [&request["senderGroupingKey"], &recipient["recipientGroupingKey"]].into_iter().any(|key| text(key).len() > 100) || code.len() > 20 {
        return Err("-2000");
    }
    let template = TEMPLATES.iter().find(|template| template.code == code).ok_or("-3003")?;
    if !template.approved {
        return Err("-3005");
    }
    if filled(template.text, &recipient["templateParameter"])?.chars().count() > LONGEST {
        return Err("-2000");
    }
    resend(&recipient["resendParameter"], &number)
}

/// The template with its variables.
fn filled(template: &str, variables: &Value) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("#{") {
        let (name, after) = after.split_once('}').ok_or("-3004")?;
        text.push_str(before);
        text.push_str(variables[name].as_str().filter(|value| !value.is_empty()).ok_or("-3004")?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// The text message in its place.
fn resend(resend: &Value, number: &str) -> Result<(), &'static str> {
    if resend["isResend"] != true {
        return Ok(());
    }
    if resend["resendSendNo"] != KAKAO_FALLBACK_FROM {
        return Err("-1003");
    }
    // Abroad only short ones go.
    if !number.starts_with('0') && resend["resendType"] != "SMS" {
        return Err("4");
    }
    Ok(())
}
