//! Points at which a crash test makes the process die (`reference` C1–C11). Compiled to nothing
//! without the feature `failpoints`; with it, `BONGSU_FAILPOINT=C7:3` aborts at the third
//! passage of C7.

/// Dies here if the crash test asked for it.
#[inline]
pub fn reach(point: &str) {
    #[cfg(feature = "failpoints")]
    armed::reach(point);
    #[cfg(not(feature = "failpoints"))]
    let _ = point;
}

/// Whether a fault is planted, for a test that must find it: `BONGSU_PLANTED_FAULT=log-normal`.
/// Never without the feature.
pub fn planted(fault: &str) -> bool {
    #[cfg(feature = "failpoints")]
    return std::env::var("BONGSU_PLANTED_FAULT").is_ok_and(|planted| planted == fault);
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = fault;
        false
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
