//! What NHN Cloud is asked to send: a template, its variables, and to whom.
//!
//! Kakao approves every template beforehand and delivers nothing else, so a notification's text does not
//! go out as it is. Its `data` names the template and the variables under `kakao_talk`; a notification
//! that names none goes by the configured template, with `title` and `body` as variables. Rejected:
//! templates by category in the configuration, which would have to know every category's variables.

use super::super::Message;
use super::Settings;
use domain::values::Content;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest template code.
const LONGEST_CODE: usize = 20;

/// Korea: its numbers are written as they are dialled there.
const KOREA: &str = "+82";

/// A template by its code, and what its `#{name}` stand for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) code: String,
    pub(super) variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Data {
    kakao_talk: Option<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    template: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, Value>,
}

impl Filled {
    /// The template of `content`, or `fallback` where it names none. The error is a code for the story.
    pub(super) fn of(content: &Content, fallback: Option<&str>) -> Result<Self, &'static str> {
        let named = match content.data.as_deref().map(serde_json::from_str::<Data>) {
            None => None,
            Some(Ok(data)) => data.kakao_talk,
            Some(Err(_)) => return Err("data.kakao_talk is not { template, variables }"),
        };
        let (template, variables) = named.map_or_else(Default::default, |named| (named.template, named.variables));
        let code = template.as_deref().or(fallback).ok_or("no template: neither data.kakao_talk.template nor a configured one")?;
        if !is_template(code) {
            return Err("data.kakao_talk.template is not 1 to 20 characters");
        }
        let mut filled = Self { code: code.to_owned(), variables: BTreeMap::new() };
        if template.is_none() {
            filled.variables.extend(content.title.iter().map(|title| ("title".to_owned(), title.clone())));
            filled.variables.insert("body".to_owned(), content.body.clone());
        }
        for (name, value) in variables {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err("data.kakao_talk.variables are not texts or numbers"),
            };
            filled.variables.insert(name, text);
        }
        Ok(filled)
    }
}

/// Whether it can be a template's code; it is also part of a path.
pub fn is_template(code: &str) -> bool {
    (1..=LONGEST_CODE).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Our ids as NHN keeps them, for finding a message again and for its key of 10 minutes: the same on
/// every attempt.
pub(super) fn key(message: &Message) -> String {
    format!("{}.{}", message.notification.0.simple(), message.delivery)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    sender_key: &'a str,
    template_code: &'a str,
    /// Our ids with the attempt.
    sender_grouping_key: String,
    recipient_list: [Recipient<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    recipient_no: String,
    template_parameter: &'a BTreeMap<String, String>,
    recipient_grouping_key: String,
    resend_parameter: Resend<'a>,
}

/// Left out, what is set in NHN's console would decide: hence always said.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resend<'a> {
    is_resend: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_send_no: Option<&'a str>,
}

pub(super) fn request<'a>(message: &Message, filled: &'a Filled, settings: &'a Settings) -> Request<'a> {
    // Abroad nothing is sent in its place: which countries text messages may go to is not asked here.
    let from = settings.sms_fallback_from.as_deref().filter(|_| message.address.value.starts_with(KOREA));
    Request {
        sender_key: &settings.sender_key,
        template_code: &filled.code,
        sender_grouping_key: super::super::sms::reference(message),
        recipient_list: [Recipient {
            recipient_no: number(&message.address.value),
            template_parameter: &filled.variables,
            recipient_grouping_key: key(message),
            resend_parameter: Resend { is_resend: from.is_some(), resend_send_no: from },
        }],
    }
}

/// A number as NHN takes it: 01012345678 for one of Korea; others with their country code and without
/// the plus (unverified: NHN's pages speak of international numbers and do not show one).
fn number(international: &str) -> String {
    match international.strip_prefix(KOREA) {
        Some(rest) => format!("0{rest}"),
        None => international.trim_start_matches('+').to_owned(),
    }
}
