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

/// How far ahead of the machine's clock this process is to believe it is: what the file says, in seconds, that
/// `BONGSU_CLOCK_AHEAD` names. A test lets hours pass so. Zero without the feature.
pub fn clock_ahead() -> Duration {
    #[cfg(feature = "failpoints")]
    return armed::clock_ahead();
    #[cfg(not(feature = "failpoints"))]
    Duration::ZERO
}

/// Whether a test moves the clock, so that who sleeps has to look at it again.
pub fn clock_moves() -> bool {
    #[cfg(feature = "failpoints")]
    return armed::clock_moves();
    #[cfg(not(feature = "failpoints"))]
    false
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
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::Duration;

    static ARMED: OnceLock<Option<(String, AtomicI64)>> = OnceLock::new();

    static AHEAD: AtomicU64 = AtomicU64::new(0);
    static FILE: OnceLock<bool> = OnceLock::new();

    /// How often the file is looked at.
    const LOOK: Duration = Duration::from_millis(20);

    pub(super) fn clock_moves() -> bool {
        *FILE.get_or_init(|| {
            let Some(file) = std::env::var_os("BONGSU_CLOCK_AHEAD") else { return false };
            std::thread::spawn(move || {
                loop {
                    let said = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u64>().ok());
                    // Never back: half a number, or none, is no news.
                    AHEAD.fetch_max(said.unwrap_or(0), Ordering::Release);
                    std::thread::sleep(LOOK);
                }
            });
            true
        })
    }

    pub(super) fn clock_ahead() -> Duration {
        if clock_moves() { Duration::from_secs(AHEAD.load(Ordering::Acquire)) } else { Duration::ZERO }
    }

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
