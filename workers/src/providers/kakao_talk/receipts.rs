//! What NHN Cloud tells of an AlimTalk after it took it
//! (<https://docs.nhncloud.com/en/Notification/KakaoTalk%20Bizmessage/en/webhook-api-guide/>).
//!
//! Its webhook is signed with nothing but a fixed text, which whoever once saw a request knows. Guarantee: so a
//! request only says of which messages something is to be known; what that is, and whose they are, is asked of NHN
//! with our own credentials and read there. Rejected: believing a request whose fixed text is right; asking
//! for all results every minute, which costs as many calls as there are messages that nothing has become of.

use super::{KakaoTalk, error_map};
use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, Confirming, OurIds, Told, Unconfirmed};
use crate::providers::http::Credential;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::NaiveDateTime;
use domain::notification::{FailureClass, Receipt, Said};
use domain::values::{Millis, NotificationId};
use serde::Deserialize;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The header that carries the fixed text.
const SIGNATURE: &str = "x-toast-webhook-signature";
/// The one event that is about messages.
const EVENT: &str = "MESSAGE_RESULT_UPDATE";
/// Requests that one call may be about: each is one question to NHN.
const MOST: usize = 100;

/// See the module.
pub struct KakaoTalkReceipts {
    provider: KakaoTalk,
    signature: Credential,
}

#[derive(Deserialize)]
struct Hooks {
    event: String,
    #[serde(default)]
    hooks: Vec<Hook>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    message_search_result_response: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    request_id: String,
    recipient_seq: Option<u64>,
    recipient_grouping_key: Option<String>,
    result_code: Option<String>,
    resend_status: Option<String>,
    receive_date: Option<String>,
}

impl KakaoTalkReceipts {
    /// `signature` is the text that was entered with the webhook in NHN's console.
    pub const fn new(provider: KakaoTalk, signature: Credential) -> Self {
        Self { provider, signature }
    }

    async fn ask(&self, request: &str) -> Result<Vec<Told>, Unconfirmed> {
        let mut url = self.provider.messages.clone();
        url.query_pairs_mut().append_pair("requestId", request);
        let answer = self.provider.ask(url).await.map_err(|_| Unconfirmed)?;
        if error_map::header(&answer.body) != Some(0) {
            return Err(Unconfirmed);
        }
        let list: List = serde_json::from_slice(&answer.body).map_err(|_| Unconfirmed)?;
        let messages = list.message_search_result_response.map(|page| page.messages).unwrap_or_default();
        // Compared once more, as the look-up does: where a filter were ignored, others' would pass for these.
        Ok(messages.iter().filter(|listed| listed.request_id == request).filter_map(told).collect())
    }
}

impl Callbacks for KakaoTalkReceipts {
    fn name(&self) -> &'static str {
        "kakao_talk"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        let told = request.header(SIGNATURE).unwrap_or_default();
        if verify_slices_are_equal(told.as_bytes(), self.signature.reveal().as_bytes()).is_err() {
            return Err(CallbackRefused::Signature);
        }
        let hooks: Hooks = serde_json::from_slice(request.body).map_err(|_| CallbackRefused::Form)?;
        if hooks.event != EVENT {
            return Ok(Vec::new());
        }
        let requests: BTreeSet<String> = hooks.hooks.into_iter().map(|hook| hook.request_id).collect();
        if requests.len() > MOST || !requests.iter().all(|id| error_map::provider_id(id, None).is_some()) {
            return Err(CallbackRefused::Form);
        }
        Ok(requests.into_iter().map(|id| Told::Named { id }).collect())
    }

    fn confirm(&self, named: Vec<String>) -> Confirming<'_> {
        Box::pin(async move {
            let mut all = Vec::new();
            for id in named {
                all.extend(self.ask(&id).await?);
            }
            Ok(all)
        })
    }
}

/// What a listed message says; nothing where it is not ours, or nothing has become of it yet.
fn told(listed: &Listed) -> Option<Told> {
    let ids = ids(listed.recipient_grouping_key.as_deref()?)?;
    let said = said(listed.result_code.as_deref()?, listed.resend_status.as_deref())?;
    let receipt = Receipt {
        delivery: ids.delivery,
        // All attempts have one key.
        attempt: None,
        provider_id: error_map::provider_id(&listed.request_id, listed.recipient_seq),
        at: listed.receive_date.as_deref().and_then(moment),
        said,
    };
    Some(Told::Receipt { notification: ids.notification, receipt })
}

/// Our key of a delivery, read back.
fn ids(key: &str) -> Option<OurIds> {
    let (notification, delivery) = key.split_once('.')?;
    let notification = NotificationId(Uuid::try_parse(notification).ok()?);
    Some(OurIds { notification, delivery: delivery.parse().ok()?, attempt: None })
}

/// Results are NHN's own two words (`MRC01`, `MRC02`), or Kakao's numbers. A text message in its place counts as
/// arrived: it says the same (`RSC04`); until that is known, nothing is.
pub(super) fn said(result: &str, in_its_place: Option<&str>) -> Option<Said> {
    let class = match result {
        "MRC01" | "1000" => return Some(Said::Delivered),
        // May arrive within three days.
        "3005" => return None,
        // No such number; none of KakaoTalk's; blocked; a version that is too old.
        "3008" | "3018" | "3019" | "3020" | "3021" => FailureClass::BadAddress,
        "2001" | "3000" | "3006" | "3012" => FailureClass::Transient,
        _ => FailureClass::Permanent,
    };
    match in_its_place {
        Some("RSC04") => Some(Said::Delivered),
        Some("RSC02" | "RSC03") => None,
        // Whether the number is dead its text messages tell: here it may merely have no KakaoTalk.
        _ => Some(Said::Bounced { class, dead: false, code: format!("result {result}").chars().take(40).collect() }),
    }
}

/// NHN's dates are Korea's, with or without a fraction of a second.
fn moment(text: &str) -> Option<Millis> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(local.and_utc().timestamp_millis() - super::look_up::SEOUL_MS)
}
