//! Moments and lengths of time.

use domain::calendar::TimeZone;
use domain::values::{DAY_MS, Millis};

/// A moment in UTC, to the second.
pub(in crate::explain) fn moment(at: Millis) -> String {
    format!("{} UTC", wall(at, TimeZone::utc()))
}

/// A moment on somebody's clock; in UTC too, unless that is the same.
pub(in crate::explain) fn local(at: Millis, zone: TimeZone) -> String {
    format!("{} {zone}", wall(at, zone))
}

fn wall(at: Millis, zone: TimeZone) -> String {
    let text = zone.local(at).to_string().replace('T', " ");
    // Full minutes are written without seconds.
    if text.len() == "2027-03-28 09:00".len() { format!("{text}:00") } else { text }
}

/// A length of time, to its two largest units.
pub(in crate::explain) fn length(millis: Millis) -> String {
    let units = [(DAY_MS, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "millisecond")];
    let mut rest = millis.max(0);
    let mut parts = Vec::new();
    for (unit, name) in units {
        let count = rest / unit;
        if count > 0 && (unit > 1 || parts.is_empty()) {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        } else if !parts.is_empty() {
            break;
        }
        rest %= unit;
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" ") }
}
