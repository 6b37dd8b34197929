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
