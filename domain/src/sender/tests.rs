#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::{MailAuthor, SenderKey, SentFrom, SentFromError};
use cqrs_es::test::TestFramework;

#[test]
fn a_sender_is_registered_once_and_renamed_when_asked() {
    let key = SenderKey::new("shop").unwrap();
    let event = |name: &str| SenderEvent::SenderRegistered(SenderRegistered { key: key.clone(), name: name.to_owned(), from: SentFrom::default() });
    let register = |name: &str| RegisterSender { key: key.clone(), name: name.to_owned(), from: SentFrom::default() };
    TestFramework::<Sender>::with(()).given_no_previous_events().when(register("Shop")).then_expect_events(vec![event("Shop")]);
    TestFramework::<Sender>::with(()).given(vec![event("Shop")]).when(register("Shop")).then_expect_events(vec![]);
    TestFramework::<Sender>::with(()).given(vec![event("Shop")]).when(register("Store")).then_expect_events(vec![event("Store")]);
    TestFramework::<Sender>::with(()).given_no_previous_events().when(register("a\nb")).then_expect_error(SenderRefusal::Name);
}

#[test]
fn a_sender_may_say_whom_its_messages_come_from_and_change_its_mind() {
    let key = SenderKey::new("shop").unwrap();
    let from = |address: &str| SentFrom { email: Some(MailAuthor { address: address.to_owned(), name: None }), ..SentFrom::default() };
    let register = |from: SentFrom| RegisterSender { key: key.clone(), name: "Shop".to_owned(), from };
    let event = |from: SentFrom| SenderEvent::SenderRegistered(SenderRegistered { key: key.clone(), name: "Shop".to_owned(), from });
    let (first, none) = (from("shop@acme.com"), SentFrom::default());
    TestFramework::<Sender>::with(()).given_no_previous_events().when(register(first.clone())).then_expect_events(vec![event(first.clone())]);
    TestFramework::<Sender>::with(()).given(vec![event(first.clone())]).when(register(first.clone())).then_expect_events(vec![]);
    TestFramework::<Sender>::with(()).given(vec![event(first)]).when(register(none.clone())).then_expect_events(vec![event(none)]);
    let wrong = register(from("shop@acme.com\r\nBcc: all@acme.com"));
    TestFramework::<Sender>::with(()).given_no_previous_events().when(wrong).then_expect_error(SenderRefusal::From(SentFromError::Email));
}
