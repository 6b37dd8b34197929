//! What is asked for.

use super::super::payload::{self, Filled, is_template};
use super::calls::settings_of;
use crate::providers::Message;
use crate::providers::testing::message;
use domain::values::Content;
use serde_json::{Value, json};
use std::sync::Arc;

fn content(data: &Value) -> Content {
    Content { title: Some("Paid".to_owned()), body: "Order 42".to_owned(), data: Some(data.to_string()), ..Content::default() }
}

#[test]
fn a_notification_names_its_template_and_variables_in_its_data() {
    let data = json!({ "order": 7, "kakao_talk": { "template": "ORDER_PAID", "variables": { "name": "김", "order": 42 } } });
    let filled = Filled::of(&content(&data), Some("NOTICE")).unwrap();
    assert_eq!(filled.code, "ORDER_PAID");
    assert_eq!(json!(filled.variables), json!({ "name": "김", "order": "42" }));
}

#[test]
fn one_that_names_none_goes_by_the_configured_template_with_its_title_and_body() {
    for data in [None, Some(json!({ "order": 7 }).to_string()), Some(json!({ "kakao_talk": {} }).to_string())] {
        let filled = Filled::of(&Content { data, ..content(&json!({})) }, Some("NOTICE")).unwrap();
        assert_eq!((filled.code.as_str(), json!(filled.variables)), ("NOTICE", json!({ "title": "Paid", "body": "Order 42" })));
    }
    let more = content(&json!({ "kakao_talk": { "variables": { "body": "short", "shop": "Bongsu" } } }));
    assert_eq!(json!(Filled::of(&more, Some("NOTICE")).unwrap().variables), json!({ "title": "Paid", "body": "short", "shop": "Bongsu" }));
}

#[test]
fn what_cannot_be_a_template_is_told_and_never_sent() {
    let refused = |data: Value| Filled::of(&content(&data), None).unwrap_err();
    assert!(refused(json!({})).contains("no template"));
    assert!(refused(json!({ "kakao_talk": "NOTICE" })).contains("{ template, variables }"));
    assert!(refused(json!({ "kakao_talk": { "template": "A", "variable": {} } })).contains("{ template, variables }"));
    assert!(refused(json!({ "kakao_talk": { "template": "../senders" } })).contains("1 to 20"));
    assert!(refused(json!({ "kakao_talk": { "template": "A", "variables": { "name": ["Kim"] } } })).contains("texts or numbers"));
    assert!(is_template("ORDER-PAID_2") && !is_template("") && !is_template("ABCDEFGHIJKLMNOPQRSTU"));
}

fn asked(number: &str, from: Option<&str>) -> Value {
    let settings = super::super::Settings { sms_fallback_from: from.map(ToOwned::to_owned), ..settings_of("http://127.0.0.1:1") };
    let message = Message { content: Arc::new(content(&json!({}))), ..message(number, None) };
    let filled = Filled::of(&message.content, Some("NOTICE")).unwrap();
    serde_json::to_value(payload::request(&message, &filled, &settings)).unwrap()
}

#[test]
fn our_ids_are_in_it_and_the_key_is_the_same_for_every_attempt() {
    let request = asked("+821023456789", None);
    assert_eq!(request["senderGroupingKey"], "00000000000000000000000000000077.3.2");
    assert_eq!(request["recipientList"][0]["recipientGroupingKey"], "00000000000000000000000000000077.3");
    let first = Message { attempt: 1, ..message("+821023456789", None) };
    assert_eq!(payload::key(&first), payload::key(&message("+821023456789", None)));
}

#[test]
fn numbers_are_written_as_nhn_takes_them() {
    for (international, told) in [("+821023456789", "01023456789"), ("+82215880000", "0215880000"), ("+14155550123", "14155550123")] {
        assert_eq!(asked(international, None)["recipientList"][0]["recipientNo"], told);
    }
}

#[test]
fn a_text_message_in_its_place_is_asked_for_or_refused_but_never_left_to_the_console() {
    let resend = |number, from| asked(number, from)["recipientList"][0]["resendParameter"].clone();
    assert_eq!(resend("+821023456789", None), json!({ "isResend": false }));
    assert_eq!(resend("+821023456789", Some("0215880000")), json!({ "isResend": true, "resendSendNo": "0215880000" }));
    assert_eq!(resend("+14155550123", Some("0215880000")), json!({ "isResend": false }), "not abroad");
}
