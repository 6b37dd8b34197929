#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::SmtpBounces;
use super::status::Status;
use crate::providers::Message;
use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, Told};
use crate::providers::http::Credential;
use crate::providers::smtp::return_path;
use crate::providers::smtp::seal::Seal;
use domain::notification::{ComplaintKind, FailureClass, Receipt, Said};
use domain::recipient::AddressDetails;
use domain::values::{Content, NotificationId, Priority};
use proptest::prelude::*;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use std::sync::Arc;

const NOW: i64 = 1_700_100_000_000;
const ID: &str = "0191d2a3-4b5c-7d6e-8f70-112233445566";

fn asked(body: &[u8], authorization: Option<&str>) -> Result<Vec<Told>, CallbackRefused> {
    let mut headers = HeaderMap::new();
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, value.parse().unwrap());
    }
    let bounces = SmtpBounces::new(Credential::new("0123456789abcdef"));
    bounces.read(&CallbackRequest { query: "", headers: &headers, body, now: NOW })
}

fn told(body: &[u8]) -> Vec<Told> {
    super::report::read(body, NOW).unwrap().map(|report| report.told).into_iter().collect()
}

#[test]
fn only_who_got_the_mail_can_say_that_its_address_is_dead_or_complain() {
    let secret = Credential::new("0123456789abcdef");
    let ids = crate::providers::callbacks::OurIds { notification: ID.parse().unwrap(), delivery: 1, attempt: Some(2) };
    let right = Seal::new(&secret).of(ids);
    let other = Seal::new(&secret).of(crate::providers::callbacks::OurIds { delivery: 2, ..ids });
    let sealed = |seal: &str, sample: &[u8]| {
        let text = String::from_utf8(sample.to_vec()).unwrap();
        let with = text.replacen("X-Bongsu-Notification:", &format!("X-Bongsu-Seal: {seal}\r\nX-Bongsu-Notification:"), 1);
        assert_ne!(text, with);
        asked(with.as_bytes(), Some("Bearer 0123456789abcdef")).unwrap()
    };
    let dead = |told: &[Told]| matches!(told, [Told::Receipt { receipt: Receipt { said: Said::Bounced { dead: true, .. }, .. }, .. }]);
    let (bounce, complaint) = (&include_bytes!("samples/postfix.eml")[..], &include_bytes!("samples/complaint.eml")[..]);
    assert!(dead(&sealed(&right, bounce)));
    assert_eq!(sealed(&right, complaint).len(), 1);
    for seal in [other.as_str(), "", "0", &right[1..]] {
        let told = sealed(seal, bounce);
        assert!(!dead(&told) && told.len() == 1, "{seal}: {told:?}");
        assert_eq!(sealed(seal, complaint), [], "{seal}");
    }
}

fn receipt(body: &[u8]) -> Receipt {
    match told(body).as_slice() {
        [Told::Receipt { notification, receipt }] if *notification == ID.parse::<NotificationId>().unwrap() => receipt.clone(),
        other => panic!("{other:?}"),
    }
}

fn bounced(class: FailureClass, dead: bool, code: &str) -> Said {
    Said::Bounced { class, dead, code: code.to_owned() }
}

#[test]
fn each_server_s_report_is_about_the_delivery_that_came_back() {
    use FailureClass::{BadAddress, Permanent, Transient};
    for (name, body, said) in [
        ("postfix", &include_bytes!("samples/postfix.eml")[..], bounced(BadAddress, true, "5.1.1")),
        ("exim", include_bytes!("samples/exim.eml"), bounced(Permanent, false, "5.0.0")),
        ("exchange", include_bytes!("samples/exchange.eml"), bounced(BadAddress, true, "5.1.10")),
        ("gmail, full", include_bytes!("samples/gmail.eml"), bounced(BadAddress, false, "5.2.2")),
        ("given up", include_bytes!("samples/given_up.eml"), bounced(Transient, false, "4.4.7")),
        ("without the mail", include_bytes!("samples/no_content.eml"), bounced(Permanent, false, "5.7.1")),
        ("another script", include_bytes!("samples/utf8.eml"), bounced(Permanent, false, "5.6.7")),
        ("delivered", include_bytes!("samples/delivered.eml"), Said::Delivered),
        ("complaint", include_bytes!("samples/complaint.eml"), Said::Complained { kind: ComplaintKind::Spam }),
        ("opt-out", include_bytes!("samples/opt_out.eml"), Said::Complained { kind: ComplaintKind::Unsubscribed }),
    ] {
        let receipt = receipt(body);
        assert_eq!((receipt.delivery, receipt.attempt, &receipt.said), (1, Some(2), &said), "{name}");
        assert!(receipt.at.unwrap() < NOW && receipt.at.unwrap() > 1_699_999_999_000, "{name}: {receipt:?}");
        // Servers speak CRLF as well.
        let crlf = String::from_utf8_lossy(body).replace('\n', "\r\n");
        assert_eq!(told(crlf.as_bytes()), told(body), "{name}");
    }
}

#[test]
fn what_is_no_end_of_a_delivery_or_no_report_says_nothing() {
    for body in [&include_bytes!("samples/delayed.eml")[..], include_bytes!("samples/not_spam.eml"), include_bytes!("samples/holiday.eml")] {
        assert_eq!(told(body), []);
    }
    let foreign = String::from_utf8_lossy(include_bytes!("samples/no_content.eml")).replace("bounces+", "someone-");
    assert_eq!(told(foreign.as_bytes()), []);
    let blind =
        "From: a@b.test\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--\n";
    assert_eq!(told(blind.as_bytes()), []);
    assert_eq!(asked(b"", Some("Bearer 0123456789abcdef")), Err(CallbackRefused::Form));
}

#[test]
fn nobody_is_believed_without_the_secret() {
    let body = include_bytes!("samples/postfix.eml");
    for authorization in [None, Some("Bearer"), Some("Bearer "), Some("Bearer 0123456789abcdeF"), Some("Basic 0123456789abcdef"), Some("0123456789abcdef")] {
        assert_eq!(asked(body, authorization), Err(CallbackRefused::Signature), "{authorization:?}");
    }
    assert_eq!(asked(body, Some("bearer 0123456789abcdef")).map(|told| told.len()), Ok(1));
}

#[test]
fn a_mail_that_is_cut_off_still_says_what_it_can() {
    let body = include_bytes!("samples/gmail.eml");
    let cut = body.windows(18).position(|window| window == b"X-Bongsu-Delivery:").unwrap();
    let receipt = receipt(&body[..cut]);
    assert_eq!((receipt.delivery, receipt.attempt), (1, Some(2)));
}

#[test]
fn only_a_code_that_says_so_kills_an_address() {
    use FailureClass::{BadAddress, Permanent, Transient};
    for (status, meaning) in [
        ("5.1.1", (BadAddress, true)),
        ("5.1.2", (BadAddress, true)),
        ("5.1.3", (BadAddress, true)),
        ("5.1.6", (BadAddress, true)),
        ("5.1.10", (BadAddress, true)),
        ("5.2.1", (BadAddress, true)),
        ("5.1.0", (BadAddress, false)),
        ("5.2.2", (BadAddress, false)),
        ("5.4.1", (BadAddress, false)),
        ("5.4.4", (BadAddress, false)),
        ("5.1.8", (Permanent, false)),
        ("5.2.3", (Permanent, false)),
        ("5.3.4", (Permanent, false)),
        ("5.7.1", (Permanent, false)),
        ("5.7.26", (Permanent, false)),
        ("5.0.0", (Permanent, false)),
        ("4.1.1", (Transient, false)),
        ("4.2.2", (Transient, false)),
        ("4.4.7", (Transient, false)),
    ] {
        assert_eq!(Status::of(Some(status), None).unwrap().failure(), meaning, "{status}");
    }
}

#[test]
fn a_status_that_says_nothing_gives_way_to_the_server_s_own() {
    let of = |field, words| Status::of(field, words).map(|status| status.to_string());
    assert_eq!(of(Some("5.0.0"), Some("550-5.1.1 The email account that you tried to reach does not exist")).as_deref(), Some("5.1.1"));
    assert_eq!(of(Some("5.0.0 (permanent failure)"), Some("550 <kim@192.0.2.25>: unknown")).as_deref(), Some("5.0.0"));
    assert_eq!(of(Some("5.2.2"), Some("550 5.1.1 no")).as_deref(), Some("5.2.2"));
    assert_eq!(of(Some("4.0.0"), Some("550 5.1.1 no")).as_deref(), Some("4.0.0"));
    assert_eq!(of(None, Some("5.1.1")).as_deref(), Some("5.1.1"));
    assert_eq!(of(Some("unknown"), None), None);
}

fn message(delivery: u16, attempt: u32, id: u128) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(id)),
        delivery,
        attempt,
        priority: Priority::Normal,
        content: Arc::new(Content::default()),
        address: AddressDetails { value: String::new(), secret: None },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 0,
        after_unknown: false,
    }
}

proptest! {
    #[test]
    fn the_return_path_says_which_attempt_it_is_of(delivery: u16, attempt: u32, id: u128) {
        let message = message(delivery, attempt, id);
        let path = return_path::of(&"fourteen-chars@acme.test".parse().unwrap(), &message).unwrap();
        prop_assert!(path.user().len() <= 64);
        let ids = return_path::read(path.as_ref()).unwrap();
        prop_assert_eq!((ids.notification, ids.delivery, ids.attempt), (message.notification, delivery, Some(attempt)));
    }

    #[test]
    fn no_mail_whatever_breaks_the_reader(mut body in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..2_000) {
        let _ = asked(&body, Some("Bearer 0123456789abcdef"));
        let sample = include_bytes!("samples/exchange.eml");
        let mut spoilt = sample[..cut.min(sample.len())].to_vec();
        spoilt.append(&mut body);
        let _ = asked(&spoilt, Some("Bearer 0123456789abcdef"));
    }
}

#[test]
fn addresses_of_others_hold_no_ids() {
    for address in
        ["bounces@acme.test", "a+b@acme.test", "a+00000000000000000000000000000077-1@acme.test", "a+00000000000000000000000000000077-1-2-3@x.test", ""]
    {
        assert!(return_path::read(address).is_none(), "{address}");
    }
}
