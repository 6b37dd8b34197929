#![allow(clippy::unwrap_used, missing_docs)]

use super::{Next, RetrySchedule, after_failure, after_unknown};
use crate::values::Channel;

fn next(channel: Channel, repeats: u32) -> Next {
    after_unknown(channel, &RetrySchedule::default_for(channel), repeats + 1, repeats, 0, 1_000, 0.0)
}

#[test]
fn a_call_of_unknown_outcome_never_rings_again() {
    assert_eq!(next(Channel::Voice, 0), Next::GiveUp);
}

#[test]
fn what_is_read_is_repeated_once_and_not_at_once() {
    for channel in [Channel::Email, Channel::Sms, Channel::Chat] {
        assert_eq!(next(channel, 0), Next::At(121_000), "{channel}");
        assert_eq!(next(channel, 1), Next::GiveUp, "{channel}");
    }
}

#[test]
fn what_replaces_itself_or_is_looked_up_is_repeated_as_often_as_a_failure() {
    for channel in [Channel::AndroidPush, Channel::IosPush, Channel::WebPush, Channel::Webhook, Channel::KakaoTalk] {
        assert!(matches!(next(channel, 3), Next::At(_)), "{channel}");
    }
}

#[test]
fn without_end_it_is_tried_however_old_and_however_often_but_an_unknown_call_is_not_repeated() {
    let schedule = RetrySchedule::default_for(Channel::AndroidPush);
    assert_eq!(after_failure(&schedule, 9, None, 0, 7_200_000, 0.0), Next::GiveUp);
    let endless = schedule.without_end();
    assert_eq!(after_failure(&endless, 9, None, 0, 7_200_000, 1.0), Next::At(7_200_000 + 900_000));
    assert!(matches!(after_unknown(Channel::IosPush, &endless, 40, 39, 0, 7_200_000, 0.0), Next::At(_)));
    assert_eq!(after_unknown(Channel::Email, &endless, 2, 1, 0, 0, 0.0), Next::GiveUp);
    assert_eq!(after_unknown(Channel::Voice, &endless, 1, 0, 0, 0, 0.0), Next::GiveUp);
}
