#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::values::Channel;
use cqrs_es::test::TestFramework;
use proptest::prelude::*;

type Test = TestFramework<Quota>;

fn draw(attempts: u32, cap: u32) -> Draw {
    Draw { channel: Channel::Sms, country: Some("KR".to_owned()), hour: 3_600_000, attempts, cap }
}

fn drawn(attempts: u32) -> QuotaEvent {
    QuotaEvent::QuotaDrawn(QuotaDrawn { channel: Channel::Sms, country: Some("KR".to_owned()), hour: 3_600_000, attempts })
}

#[test]
fn as_many_are_drawn_as_are_left() {
    Test::with(()).given_no_previous_events().when(draw(5, 8)).then_expect_events(vec![drawn(5)]);
    Test::with(()).given(vec![drawn(5)]).when(draw(5, 8)).then_expect_events(vec![drawn(3)]);
    Test::with(()).given(vec![drawn(5), drawn(3)]).when(draw(1, 8)).then_expect_error(QuotaRefusal::Spent);
    Test::with(()).given(vec![drawn(8)]).when(draw(1, 4)).then_expect_error(QuotaRefusal::Spent);
}

proptest! {
    #[test]
    fn more_than_the_cap_is_never_drawn(cap in 0_u32..50, wanted in prop::collection::vec(0_u32..20, 0..30)) {
        let mut quota = Quota::default();
        for attempts in &wanted {
            for event in quota.decide(draw(*attempts, cap)).unwrap_or_default() {
                quota.evolve(&event);
            }
        }
        prop_assert_eq!(quota.drawn, cap.min(wanted.iter().sum()));
    }
}
