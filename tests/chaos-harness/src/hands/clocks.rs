//! Shifts the wall clock of single replicas, forwards and backwards.

use crate::clocks::Clock;
use crate::journal::now;
use crate::kinds::Kind;
use crate::nemesis::Work;
use anyhow::Result;
use rand::RngExt as _;

const LAST: std::ops::Range<u64> = 2_000..8_000;
/// Within an hour: what a wrongly set machine shows.
const SECONDS: i64 = 3_600;

/// Until the time is over.
pub async fn clocks(mut work: Work<'_>, clocks: &[Clock]) -> Result<()> {
    if clocks.is_empty() {
        return Ok(());
    }
    while let Some(kind) = work.next().await {
        let (from, one) = (now(), work.random.random_range(0..clocks.len()));
        // Small and large: some are noticed by nobody, some by every token's date.
        let most = [5, 60, SECONDS][work.random.random_range(0..3)];
        let seconds = work.random.random_range(-most..=most);
        if kind == Kind::ShiftClock {
            clocks[one].shift(seconds)?;
            work.last(LAST).await;
            clocks[one].shift(0)?;
        }
        work.note(kind, from, &format!("replica {one} by {seconds} s"))?;
    }
    Ok(())
}
