//! Kills Postgres, lets it stand still, breaks its connections, and disturbs the replicas' ways to it.

use crate::journal::now;
use crate::kinds::Kind;
use crate::nemesis::Work;
use crate::proxy::{Cut, Proxy};
use anyhow::Result;
use rand::RngExt as _;
use services::Postgres;
use tokio::task::block_in_place;

const DOWN: std::ops::Range<u64> = 100..3_000;
const FROZEN: std::ops::Range<u64> = 1_000..5_000;
const FULL: std::ops::Range<u64> = 500..5_000;
const SILENT: std::ops::Range<u64> = 2_000..9_000;
/// How long to wait for a COMMIT to cut, in ms.
const ARMED: std::ops::Range<u64> = 50..600;
/// Ends some of those who are connected.
const END: &str =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < ";

/// Until the time is over.
pub async fn postgres(mut work: Work<'_>, server: &mut Postgres, url: &str, proxies: &[Proxy]) -> Result<()> {
    while let Some(kind) = work.next().await {
        let one = work.random.random_range(0..proxies.len());
        let (from, proxy) = (now(), &proxies[one]);
        match kind {
            Kind::KillPostgres => {
                block_in_place(|| server.kill())?;
                work.last(DOWN).await;
                block_in_place(|| server.restart())?;
            }
            Kind::FreezePostgres => {
                block_in_place(|| server.stop())?;
                work.last(FROZEN).await;
                block_in_place(|| server.cont())?;
            }
            Kind::FullDisk => {
                block_in_place(|| server.fill_disk())?;
                work.last(FULL).await;
                block_in_place(|| server.free_disk())?;
            }
            Kind::EndBackends => {
                let share = work.random.random_range(0.05..0.9);
                block_in_place(|| server.sql(url, &format!("{END}{share}")))?;
            }
            Kind::PartitionReplica => {
                proxy.silence(true);
                work.last(SILENT).await;
                proxy.silence(false);
            }
            Kind::CutCommit => {
                for _ in 0..work.random.random_range(1..6) {
                    let place = if work.random.random_bool(0.4) { Cut::Before } else { Cut::After };
                    proxy.cut(place, work.random.random_bool(0.7));
                    work.last(ARMED).await;
                }
                proxy.cut(Cut::Never, false);
            }
            _ => {}
        }
        work.note(kind, from, &format!("replica {one}"))?;
    }
    Ok(())
}
