#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::SenderKey;
use cqrs_es::test::TestFramework;

#[test]
fn a_sender_is_registered_once_and_renamed_when_asked() {
    let key = SenderKey::new("shop").unwrap();
    let event = |name: &str| SenderEvent::SenderRegistered(SenderRegistered { key: key.clone(), name: name.to_owned() });
    let register = |name: &str| RegisterSender { key: key.clone(), name: name.to_owned() };
    TestFramework::<Sender>::with(()).given_no_previous_events().when(register("Shop")).then_expect_events(vec![event("Shop")]);
    TestFramework::<Sender>::with(()).given(vec![event("Shop")]).when(register("Shop")).then_expect_events(vec![]);
    TestFramework::<Sender>::with(()).given(vec![event("Shop")]).when(register("Store")).then_expect_events(vec![event("Store")]);
    TestFramework::<Sender>::with(()).given_no_previous_events().when(register("a\nb")).then_expect_error(SenderRefusal::Name);
}
