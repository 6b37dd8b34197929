//! One returned mail: which of ours it is about, and what it says.
//!
//! Pure. Our mails have one recipient each, so that a report is about one delivery, however many addresses
//! it was forwarded to: one that failed outweighs one that arrived.

use super::fields::{Fields, groups};
use super::status::Status;
use crate::providers::callbacks::{OurIds, Told};
use crate::providers::smtp::{return_path, seal};
use domain::notification::{ComplaintKind, FailureClass, Receipt, Said};
use domain::values::Millis;
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// Deepest returned mail within a returned mail that is looked into.
const DEEPEST: u8 = 3;

/// What is found in a mail.
#[derive(Default)]
struct Found {
    /// Of the report: its fields in groups.
    status: Option<Vec<Fields>>,
    complaint: Option<Vec<Fields>>,
    /// The headers of the mail that came back.
    returned: Option<Fields>,
}

/// What a mail says, of which attempt, and the seal that came back with it.
#[derive(Debug)]
pub(super) struct Report {
    pub ids: OurIds,
    pub seal: Option<String>,
    pub told: Told,
}

/// What a mail says; nothing inside, where it is no report or about no mail of ours. None: it is no mail.
pub(super) fn read(raw: &[u8], now: Millis) -> Option<Option<Report>> {
    let mail = MessageParser::default().parse(raw).filter(|mail| !mail.headers().is_empty())?;
    let mut found = Found::default();
    collect(&mail, &mut found, DEEPEST);
    let said = found.complaint.as_deref().map_or_else(|| found.status.as_deref().and_then(delivery), complaint);
    let own = groups(&String::from_utf8_lossy(raw)).into_iter().next().unwrap_or_default();
    let ids =
        found.returned.as_ref().and_then(ids_of).or_else(|| ids_of(&own)).or_else(|| found.status.as_deref().and_then(|groups| groups.iter().find_map(ids_of)));
    let (Some(said), Some(ids)) = (said, ids) else { return Some(None) };
    // The report's own clock, as far as it can be: nothing is reported from the time to come.
    let at = mail.date().map(|date| date.to_timestamp().saturating_mul(1_000)).filter(|at| (1..=now).contains(at)).unwrap_or(now);
    let receipt = Receipt { delivery: ids.delivery, attempt: ids.attempt, provider_id: None, at: Some(at), said };
    let seal = found.returned.as_ref().and_then(|headers| headers.get(seal::HEADER)).map(ToOwned::to_owned);
    Some(Some(Report { ids, seal, told: Told::Receipt { notification: ids.notification, receipt } }))
}

fn collect(mail: &Message<'_>, found: &mut Found, deepest: u8) {
    for part in &mail.parts {
        let kind = part.content_type().map(|kind| (kind.ctype().to_ascii_lowercase(), kind.subtype().unwrap_or_default().to_ascii_lowercase()));
        let text = || String::from_utf8_lossy(part.contents()).into_owned();
        match (&part.body, kind.as_ref().map(|(kind, sub)| (kind.as_str(), sub.as_str()))) {
            (PartType::Message(inner), _) => {
                found.returned.get_or_insert_with(|| headers_of(inner));
                if deepest > 0 {
                    collect(inner, found, deepest - 1);
                }
            }
            (_, Some(("message", "delivery-status" | "global-delivery-status"))) => drop(found.status.get_or_insert_with(|| groups(&text()))),
            (_, Some(("message", "feedback-report"))) => drop(found.complaint.get_or_insert_with(|| groups(&text()))),
            (_, Some(("text", "rfc822-headers") | ("message", "global-headers"))) => {
                found.returned.get_or_insert_with(|| groups(&text()).into_iter().next().unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn headers_of(mail: &Message<'_>) -> Fields {
    let text: String = mail.headers_raw().map(|(name, value)| format!("{name}: {}\n", value.trim().replace(['\r', '\n'], " "))).collect();
    groups(&text).into_iter().next().unwrap_or_default()
}

/// Our ids: from our own headers, from our `Message-ID` there or in a reference to it, or from the
/// address that the mail was returned to.
fn ids_of(fields: &Fields) -> Option<OurIds> {
    let own = OurIds::read(|name| {
        fields.get(match name {
            "nid" => "X-Bongsu-Notification",
            "delivery" => "X-Bongsu-Delivery",
            _ => "X-Bongsu-Attempt",
        })
    });
    let paths = ["Return-Path", "To", "Delivered-To", "X-Original-To", "Envelope-To", "Original-Mail-From"];
    let by_path = || paths.iter().flat_map(|name| fields.all(name)).flat_map(|value| value.split([' ', ',', ';'])).find_map(return_path::read);
    let by_id = || ["Message-ID", "In-Reply-To", "References"].iter().flat_map(|name| fields.all(name)).flat_map(str::split_whitespace).find_map(of_message_id);
    own.or_else(by_path).or_else(by_id)
}

/// `<notification.delivery@domain>`, as we write it. Whose domain it is makes no difference: no other
/// installation has this notification.
fn of_message_id(text: &str) -> Option<OurIds> {
    let (local, _) = text.trim_matches(['<', '>']).rsplit_once('@')?;
    let (notification, delivery) = local.split_once('.')?;
    OurIds::read(|name| match name {
        "nid" => Some(notification),
        "delivery" => Some(delivery),
        _ => None,
    })
}

/// What a delivery status says of the delivery as a whole (RFC 3464 section 2.3). That it is late, was
/// relayed to where nothing is reported, or was expanded to a list, is no end of it.
fn delivery(groups: &[Fields]) -> Option<Said> {
    let recipients = || groups.iter().filter_map(|fields| Some((fields.get("Action")?.split_whitespace().next()?.to_ascii_lowercase(), fields)));
    if let Some((_, fields)) = recipients().find(|(action, _)| action == "failed") {
        return Some(failed(Status::of(fields.get("Status"), fields.untyped("Diagnostic-Code"))));
    }
    recipients().any(|(action, _)| action == "delivered").then_some(Said::Delivered)
}

fn failed(status: Option<Status>) -> Said {
    let (class, dead) = status.map_or((FailureClass::Permanent, false), Status::failure);
    Said::Bounced { class, dead, code: status.map_or_else(|| "bounced".to_owned(), |status| status.to_string()) }
}

/// What a complaint says (RFC 5965 section 7.3). Reports of forged senders and of mails that are no spam
/// after all are nobody's wish.
fn complaint(groups: &[Fields]) -> Option<Said> {
    let kind = groups.iter().find_map(|fields| fields.get("Feedback-Type"))?.to_ascii_lowercase();
    match kind.trim() {
        "abuse" | "fraud" => Some(Said::Complained { kind: ComplaintKind::Spam }),
        "opt-out" | "opt-out-list" => Some(Said::Complained { kind: ComplaintKind::Unsubscribed }),
        _ => None,
    }
}
