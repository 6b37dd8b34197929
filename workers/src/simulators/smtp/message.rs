//! Our identifiers in headers and envelope.

use super::super::ledger::IdText;

/// The header fields the ledger needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) notification: IdText,
    pub(super) delivery: Option<u32>,
    pub(super) attempt: Option<u32>,
    pub(super) message_id: Option<Box<str>>,
}

/// Reads the header section, folded lines included.
pub(super) fn ids(message: &[u8]) -> Ids {
    let text = String::from_utf8_lossy(message);
    let headers = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let headers = headers.replace("\r\n\t", " ");
    let mut ids = Ids::default();
    for line in headers.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "x-bongsu-notification" => ids.notification = IdText::parse(value),
            "x-bongsu-delivery" => ids.delivery = value.parse().ok(),
            "x-bongsu-attempt" => ids.attempt = value.parse().ok(),
            "message-id" => {
                ids.message_id = Some(value.chars().take(200).collect::<String>().into());
            }
            _ => {}
        }
    }
    ids
}

/// The notification in a bounce address `b+<nid>.<hmac>@…`, so that a refused recipient has an owner in the ledger.
pub(super) fn envelope_notification(sender: &str) -> IdText {
    let id = sender.strip_prefix("b+").and_then(|rest| rest.split(['.', '@']).next());
    match id.map(IdText::parse) {
        Some(IdText::Uuid(uuid)) => IdText::Uuid(uuid),
        _ => IdText::Missing,
    }
}

/// The address in `FROM:<a@b> SIZE=1` or `TO:<a@b>`; `None` when the syntax is wrong.
pub(super) fn path<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let head = argument.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = argument[keyword.len()..].trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address)
}

/// The SIZE parameter of MAIL.
pub(super) fn declared_size(argument: &str) -> Option<usize> {
    argument.split(' ').find_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE").then(|| value.parse().ok())?
    })
}
