use super::super::KakaoTalk;
use super::super::receipts::{KakaoTalkReceipts, said};
use super::calls::settings;
use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks as _, Told, Unconfirmed};
use crate::providers::http::Credential;
use crate::providers::testing::message;
use crate::providers::{Message, Provider as _};
use crate::simulators::{self, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::notification::{FailureClass, Said};
use domain::values::Outcome;
use reqwest::header::HeaderMap;
use serde_json::json;
use std::sync::Arc;

fn read(receipts: &KakaoTalkReceipts, signature: Option<&str>, body: &str) -> Result<Vec<Told>, CallbackRefused> {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("X-Toast-Webhook-Signature", signature.parse().unwrap());
    }
    receipts.read(&CallbackRequest { query: "", headers: &headers, body: body.as_bytes(), now: 0 })
}

fn about(requests: &[&str]) -> String {
    let hooks: Vec<_> = requests.iter().map(|id| json!({ "hookId": "h", "requestId": id, "recipientSeq": 1, "resultCode": "MRC02" })).collect();
    json!({ "hooksId": "1", "event": "MESSAGE_RESULT_UPDATE", "hooks": hooks }).to_string()
}

#[tokio::test]
async fn a_request_names_messages_and_nhn_says_what_became_of_them() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let provider = || KakaoTalk::new(&settings(&simulators), Arc::new(SystemClock::default())).unwrap();
    let mut requests = Vec::new();
    for (delivery, number) in [(3, "+821023456789"), (4, "+15005570101"), (5, "+15005570401")] {
        let message = Message { delivery, ..message(number, None) };
        let Outcome::Accepted { provider_id: Some(id) } = provider().send(&message).await else { panic!("{number} is not accepted") };
        requests.push(id.split_once('.').unwrap().0.to_owned());
    }
    let receipts = KakaoTalkReceipts::new(provider(), Credential::new("fixed"));
    for signature in [None, Some(""), Some("fixe"), Some("another")] {
        assert_eq!(read(&receipts, signature, &about(&["1"])), Err(CallbackRefused::Signature));
    }
    let names: Vec<&str> = requests.iter().map(String::as_str).collect();
    let named = read(&receipts, Some("fixed"), &about(&[names[0], names[0], names[1], names[2]])).unwrap();
    assert_eq!(named, requests.iter().map(|id| Told::Named { id: id.clone() }).collect::<Vec<_>>(), "nothing that the request claims, each once");
    let told = receipts.confirm(requests.clone()).await.unwrap();
    let what: Vec<&Said> = told.iter().map(|told| if let Told::Receipt { receipt, .. } = told { &receipt.said } else { panic!("{told:?}") }).collect();
    // Of the last one nothing is known.
    let unknown_there = Said::Bounced { class: FailureClass::BadAddress, dead: false, code: "result 3019".to_owned() };
    assert_eq!(what, [&Said::Delivered, &unknown_there]);
    let Told::Receipt { notification, receipt } = &told[0] else { panic!("{told:?}") };
    assert_eq!((notification.0.as_u128(), receipt.delivery, receipt.attempt), (0x77, 3, None));
    assert!(receipt.at.is_some() && receipt.provider_id.as_deref() == Some(format!("{}.1", requests[0]).as_str()));
    assert_eq!(receipts.confirm(vec!["0000".to_owned()]).await, Ok(Vec::new()), "what NHN does not know is not there");
    simulators.shutdown().await;
    assert_eq!(receipts.confirm(requests).await, Err(Unconfirmed), "who cannot ask does not know");
}

#[tokio::test]
async fn what_is_not_of_nhns_form_is_refused() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let receipts = KakaoTalkReceipts::new(KakaoTalk::new(&settings(&simulators), Arc::new(SystemClock::default())).unwrap(), Credential::new("fixed"));
    assert_eq!(read(&receipts, Some("fixed"), r#"{"event":"TEMPLATE_STATUS","hooks":[{"hookId":"h"}]}"#), Err(CallbackRefused::Form));
    assert_eq!(read(&receipts, Some("fixed"), r#"{"event":"OTHER"}"#), Ok(Vec::new()));
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for wrong in [String::new(), "[]".to_owned(), about(&["../senders"]), about(&[""]), about(&many)] {
        assert_eq!(read(&receipts, Some("fixed"), &wrong), Err(CallbackRefused::Form), "{wrong}");
    }
    simulators.shutdown().await;
}

#[test]
fn every_result_means_something_or_nothing_yet() {
    let bounced = |class, code: &str| Some(Said::Bounced { class, dead: false, code: format!("result {code}") });
    for arrived in ["MRC01", "1000"] {
        assert_eq!(said(arrived, None), Some(Said::Delivered));
    }
    assert_eq!(said("3005", None), None);
    assert_eq!(said("MRC02", Some("RSC01")), bounced(FailureClass::Permanent, "MRC02"));
    assert_eq!(said("3020", None), bounced(FailureClass::BadAddress, "3020"));
    assert_eq!(said("3012", None), bounced(FailureClass::Transient, "3012"));
    // A text message goes in its place: on its way, arrived, failed.
    assert_eq!((said("3019", Some("RSC02")), said("3019", Some("RSC03"))), (None, None));
    assert_eq!(said("3019", Some("RSC04")), Some(Said::Delivered));
    assert_eq!(said("3019", Some("RSC05")), bounced(FailureClass::BadAddress, "3019"));
}
