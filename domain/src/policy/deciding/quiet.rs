//! When somebody may be disturbed: do-not-disturb, quiet hours, allowed hours, all of the wall clock
//! in their zone.
//!
//! The end of one may lie within another: the moment that is named is free of all three.

use crate::calendar::TimeZone;
use crate::subscription::Subscription;
use crate::values::{Millis, Rule};

/// Times that the end of one lies within another before it is taken as it is. A week of windows
/// that leaves any time at all needs fewer; what leaves none is refused where it is set.
const MOST_TURNS: usize = 512;

/// Whether the recipient set anything of this kind.
pub(super) fn is_set(subscription: &Subscription) -> bool {
    subscription.do_not_disturb_until.is_some() || subscription.quiet_hours.is_some() || subscription.allowed.is_some()
}

/// Whether the recipient is not to be disturbed now: until when, and the first rule that says so.
pub fn disturbed(subscription: &Subscription, zone: TimeZone, now: Millis) -> Option<(Millis, Rule)> {
    let (_, rule) = against(subscription, zone, now)?;
    Some((allowed_from(subscription, zone, now), rule))
}

/// The first moment from `at` on at which the recipient may be disturbed.
pub fn allowed_from(subscription: &Subscription, zone: TimeZone, at: Millis) -> Millis {
    let mut at = at;
    for _ in 0..MOST_TURNS {
        match against(subscription, zone, at) {
            Some((later, _)) if later > at => at = later,
            _ => break,
        }
    }
    at
}

fn against(subscription: &Subscription, zone: TimeZone, at: Millis) -> Option<(Millis, Rule)> {
    if let Some(until) = subscription.do_not_disturb_until.filter(|until| *until > at) {
        return Some((until, Rule::DoNotDisturb));
    }
    if let Some(end) = subscription.quiet_hours.as_ref().and_then(|windows| windows.end_of(at, zone)) {
        return Some((end, Rule::QuietHours));
    }
    subscription.allowed.as_ref().and_then(|windows| windows.next_start(at, zone)).map(|start| (start, Rule::OutsideAllowedWindow))
}
