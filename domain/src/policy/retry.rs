//! When to try again: exponential with full jitter, bounded by attempts and age.
//!
//! Jitter keeps a thousand deliveries that failed together from coming back together. The
//! random number is handed in.

#[cfg(test)]
mod tests;

use crate::values::{Channel, Millis};
use std::time::Duration;

/// How often a paused provider is tried with one delivery while it is misconfigured.
pub const PROBE_EVERY_MS: Millis = 30_000;

/// A channel's retry schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrySchedule {
    /// Pause after the first failure, before jitter.
    pub first: Duration,
    /// Factor from one pause to the next.
    pub factor: f64,
    /// Longest pause.
    pub longest: Duration,
    /// Attempts that count, the first included.
    pub attempts: u32,
    /// Nothing is retried that would be older than this.
    pub max_age: Duration,
}

impl RetrySchedule {
    /// The schedule of a channel where nothing is configured. Webhooks follow Standard Webhooks
    /// (about three days); e-mail RFC 5321 section 4.5.4.1 (four days); push FCM's advice
    /// (ten seconds at first, an hour in all). A text message or a line in a chat is still read
    /// hours later; a telephone that rings then about what is over only disturbs.
    pub const fn default_for(channel: Channel) -> Self {
        match channel {
            Channel::AndroidPush | Channel::IosPush | Channel::WebPush | Channel::InApp => {
                Self { first: Duration::from_secs(10), factor: 2.0, longest: Duration::from_secs(900), attempts: 9, max_age: Duration::from_secs(3_600) }
            }
            Channel::Email => Self {
                first: Duration::from_secs(60),
                factor: 3.0,
                longest: Duration::from_secs(14_400),
                attempts: 24,
                max_age: Duration::from_secs(4 * 86_400),
            },
            Channel::Sms | Channel::Chat | Channel::KakaoTalk => {
                Self { first: Duration::from_secs(10), factor: 3.0, longest: Duration::from_secs(3_600), attempts: 12, max_age: Duration::from_secs(86_400) }
            }
            Channel::Voice => {
                Self { first: Duration::from_secs(60), factor: 3.0, longest: Duration::from_secs(1_800), attempts: 5, max_age: Duration::from_secs(7_200) }
            }
            Channel::Webhook => {
                Self { first: Duration::from_secs(5), factor: 6.0, longest: Duration::from_secs(86_400), attempts: 9, max_age: Duration::from_secs(4 * 86_400) }
            }
        }
    }
}

impl RetrySchedule {
    /// The same without bounds on attempts and age.
    #[must_use]
    pub const fn without_end(self) -> Self {
        Self { attempts: u32::MAX, max_age: Duration::MAX, ..self }
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again at this moment.
    At(Millis),
    /// Exhausted: a dead letter.
    GiveUp,
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// After the `counted`-th attempt failed. The provider's wish is a lower bound.
pub fn after_failure(schedule: &RetrySchedule, counted: u32, wish: Option<Duration>, requested_at: Millis, now: Millis, jitter: f64) -> Next {
    if counted >= schedule.attempts {
        return Next::GiveUp;
    }
    let exponent = i32::try_from(counted.saturating_sub(1)).unwrap_or(64).min(64);
    let longest = schedule.longest.as_secs_f64();
    let ceiling = (schedule.first.as_secs_f64() * schedule.factor.powi(exponent)).min(longest);
    // «Equal» jitter: half is certain, so that a retry is never immediate.
    let pause = ceiling / 2.0 + ceiling / 2.0 * jitter.clamp(0.0, 1.0);
    let pause = millis(Duration::from_secs_f64(pause)).max(wish.map_or(0, millis));
    let due = now.saturating_add(pause);
    if due > requested_at.saturating_add(millis(schedule.max_age)) { Next::GiveUp } else { Next::At(due) }
}

/// After an attempt of unknown outcome (`reference`: one closed policy a channel): push is
/// repeated, since its collapse id makes the repeat replace the first on the device; a webhook's
/// receiver deduplicates by `webhook-id`; an e-mail is repeated once, after a wait, with the same
/// `Message-ID`; a text message or a line in a chat once, too, after the same wait, since one read
/// twice harms less than one never read; an AlimTalk as a push, since its repeat has the same key
/// and looks for the first one before; a call never, since the telephone would ring again.
pub fn after_unknown(channel: Channel, schedule: &RetrySchedule, counted: u32, repeats: u32, requested_at: Millis, now: Millis, jitter: f64) -> Next {
    match channel {
        Channel::Voice => Next::GiveUp,
        Channel::Email | Channel::Sms | Channel::Chat if repeats >= 1 => Next::GiveUp,
        Channel::Email | Channel::Sms | Channel::Chat => {
            after_failure(schedule, counted, Some(Duration::from_secs(120).min(schedule.longest)), requested_at, now, jitter)
        }
        Channel::AndroidPush | Channel::IosPush | Channel::WebPush | Channel::Webhook | Channel::KakaoTalk | Channel::InApp => {
            after_failure(schedule, counted, None, requested_at, now, jitter)
        }
    }
}

/// How long a throttled delivery waits where the provider names a time, else a second or two.
pub fn throttle_pause(wish: Option<Duration>, jitter: f64) -> Millis {
    let pause = wish.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(3_600));
    millis(pause) + millis(Duration::from_secs_f64(jitter.clamp(0.0, 1.0)))
}
