#![allow(clippy::unwrap_used, missing_docs)]

use super::{Next, RetrySchedule, after_unknown};
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
