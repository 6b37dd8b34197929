#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::{AddressId, RecipientId};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

type Test = TestFramework<AddressOwnership>;

#[test]
fn the_last_to_bind_owns_it_and_only_the_owner_lets_go() {
    let address = AddressId(Uuid::from_u128(1));
    let (a, b) = (RecipientId(Uuid::from_u128(2)), RecipientId(Uuid::from_u128(3)));
    let bound = |recipient| AddressEvent::AddressBound(AddressBound { address, recipient });
    Test::with(()).given(vec![bound(a)]).when(AddressCommand::Bind { address, recipient: b }).then_expect_events(vec![bound(b)]);
    Test::with(()).given(vec![bound(a)]).when(AddressCommand::Bind { address, recipient: a }).then_expect_events(vec![]);
    Test::with(()).given(vec![bound(b)]).when(AddressCommand::Release { address, recipient: a }).then_expect_events(vec![]);
    Test::with(())
        .given(vec![bound(b)])
        .when(AddressCommand::Release { address, recipient: b })
        .then_expect_events(vec![AddressEvent::AddressReleased(AddressReleased { address })]);
}

#[test]
fn a_suppressed_address_stays_so_until_somebody_gives_a_reason() {
    let address = AddressId(Uuid::from_u128(1));
    let suppress = |reason| AddressCommand::Suppress { address, reason, note: None };
    let reinstate = |reason: &str| AddressCommand::Reinstate { address, reason: reason.to_owned() };
    let suppressed = || AddressEvent::AddressSuppressed(AddressSuppressed { address, reason: SuppressionReason::HardBounce, note: None });
    let bound = || AddressEvent::AddressBound(AddressBound { address, recipient: RecipientId(Uuid::from_u128(2)) });
    Test::with(()).given_no_previous_events().when(suppress(SuppressionReason::HardBounce)).then_expect_events(vec![suppressed()]);
    Test::with(()).given(vec![suppressed(), bound()]).when(suppress(SuppressionReason::Complaint)).then_expect_events(vec![]);
    Test::with(()).given(vec![suppressed()]).when(reinstate(" ")).then_expect_error(AddressRefusal::Reason);
    Test::with(()).given(vec![bound()]).when(reinstate("asked by phone")).then_expect_events(vec![]);
    Test::with(())
        .given(vec![suppressed()])
        .when(reinstate("asked by phone"))
        .then_expect_events(vec![AddressEvent::AddressReinstated(AddressReinstated { address, reason: "asked by phone".to_owned() })]);
}

#[test]
fn an_answer_counts_once_and_before_every_other_reason() {
    let address = AddressId(Uuid::from_u128(1));
    let hear = |word, id: &str| AddressCommand::Hear { address, word, id: id.to_owned() };
    let replied = |word, id: &str| AddressEvent::Replied(Replied { address, word, id: id.to_owned() });
    let suppressed = |reason| AddressEvent::AddressSuppressed(AddressSuppressed { address, reason, note: None });
    let reinstated = || AddressEvent::AddressReinstated(AddressReinstated { address, reason: "START".to_owned() });
    let stop = || vec![replied(ReplyWord::Stop, "1"), suppressed(SuppressionReason::Stop)];
    Test::with(()).given_no_previous_events().when(hear(ReplyWord::Stop, "1")).then_expect_events(stop());
    Test::with(()).given(stop()).when(hear(ReplyWord::Stop, "1")).then_expect_events(vec![]);
    Test::with(()).given(stop()).when(hear(ReplyWord::Start, "2")).then_expect_events(vec![replied(ReplyWord::Start, "2"), reinstated()]);
    // The first answer comes again, after the second.
    let started = [stop(), vec![replied(ReplyWord::Start, "2"), reinstated()]].concat();
    Test::with(()).given(started).when(hear(ReplyWord::Stop, "1")).then_expect_events(vec![]);
    // An administrator who lifts the bounce does not lift the word; nor does the word lift the bounce.
    let bounced = || vec![suppressed(SuppressionReason::HardBounce)];
    Test::with(())
        .given(bounced())
        .when(hear(ReplyWord::Stop, "3"))
        .then_expect_events(vec![replied(ReplyWord::Stop, "3"), suppressed(SuppressionReason::Stop)]);
    Test::with(()).given(bounced()).when(hear(ReplyWord::Start, "3")).then_expect_events(vec![replied(ReplyWord::Start, "3")]);
    // Two texts lift no bounce, and no administrator's word.
    for reason in [SuppressionReason::HardBounce, SuppressionReason::Manual] {
        let given = vec![suppressed(reason), replied(ReplyWord::Stop, "3"), suppressed(SuppressionReason::Stop)];
        Test::with(()).given(given).when(hear(ReplyWord::Start, "4")).then_expect_events(vec![replied(ReplyWord::Start, "4"), suppressed(reason)]);
    }
}
