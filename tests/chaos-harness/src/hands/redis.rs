//! Kills Redis, empties it, takes its memory, lets it stand still.

use crate::journal::now;
use crate::kinds::Kind;
use crate::nemesis::Work;
use anyhow::Result;
use services::Redis;
use tokio::task::block_in_place;

const LAST: std::ops::Range<u64> = 200..5_000;
/// Less than an empty server uses: every write is refused.
const TINY: u64 = 100_000;

/// Until the time is over.
pub async fn redis(mut work: Work<'_>, server: Option<&mut Redis>) -> Result<()> {
    let Some(server) = server else { return Ok(()) };
    while let Some(kind) = work.next().await {
        let from = now();
        match kind {
            Kind::KillRedis => {
                block_in_place(|| server.kill())?;
                work.last(LAST).await;
                block_in_place(|| server.restart())?;
            }
            Kind::FlushRedis => block_in_place(|| server.flushall())?,
            Kind::FullRedis => {
                block_in_place(|| server.maxmemory(TINY))?;
                work.last(LAST).await;
                block_in_place(|| server.maxmemory(0))?;
            }
            Kind::FreezeRedis => {
                block_in_place(|| server.stop())?;
                work.last(LAST).await;
                block_in_place(|| server.cont())?;
            }
            _ => {}
        }
        work.note(kind, from, "")?;
    }
    Ok(())
}
