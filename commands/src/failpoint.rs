//! Points at which a crash test makes the process die (`reference` C1–C11). Compiled to nothing
//! without the feature `failpoints`; with it, `BONGSU_FAILPOINT=C7:3` aborts at the third
//! passage of C7.

use crate::ports::Clock;
use std::time::Duration;

/// Shorter than the time within which a recorded call must begin.
const DAWDLE: Duration = Duration::from_millis(700);

/// Dies here if the crash test asked for it.
#[inline]
pub fn reach(point: &str) {
    #[cfg(feature = "failpoints")]
    armed::reach(point);
    #[cfg(not(feature = "failpoints"))]
    let _ = point;
}

/// Whether a fault is planted, for a test that must find it: `BONGSU_PLANTED_FAULT=log-normal`, or
/// several, parted by commas. Never without the feature.
pub fn planted(fault: &str) -> bool {
    #[cfg(feature = "failpoints")]
    return std::env::var("BONGSU_PLANTED_FAULT").is_ok_and(|planted| planted.split(',').any(|one| one == fault));
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = fault;
        false
    }
}

/// How far ahead of its time something happens where a fault is planted, in ms.
pub fn ahead(fault: &str) -> i64 {
    if planted(fault) { 60_000 } else { 0 }
}

/// Waits where a fault is planted, so that its moment is long enough to be met.
pub async fn dawdle(fault: &str, clock: &dyn Clock) {
    if planted(fault) {
        clock.sleep(DAWDLE).await;
    }
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI64, Ordering};

    static ARMED: OnceLock<Option<(String, AtomicI64)>> = OnceLock::new();

    pub(super) fn reach(point: &str) {
        let armed = ARMED.get_or_init(|| {
            let text = std::env::var("BONGSU_FAILPOINT").ok()?;
            let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
            Some((name.to_owned(), AtomicI64::new(count.parse().ok()?)))
        });
        if let Some((name, left)) = armed
            && name == point
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            eprintln!("failpoint {point}: aborting as asked");
            std::process::abort();
        }
    }
}
