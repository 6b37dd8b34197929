//! Kills replicas, stops them as an operator does, and lets them stand still past their leases.

use crate::journal::now;
use crate::kinds::Kind;
use crate::nemesis::Work;
use crate::replica::Replica;
use anyhow::Result;
use rand::RngExt as _;
use std::sync::Arc;

/// How long a killed one stays down, in ms.
const DOWN: std::ops::Range<u64> = 100..4_000;
/// Past every lease, in ms.
const FROZEN: std::ops::Range<u64> = 6_000..10_000;

/// Until the time is over.
pub async fn replicas(mut work: Work<'_>, replicas: &[Arc<Replica>]) -> Result<()> {
    while let Some(kind) = work.next().await {
        let one = work.random.random_range(0..replicas.len());
        let (from, replica) = (now(), &replicas[one]);
        match kind {
            Kind::KillReplica => {
                replica.kill().await?;
                work.last(DOWN).await;
                replica.start().await?;
            }
            Kind::FreezeReplica => {
                replica.freeze().await?;
                work.last(FROZEN).await;
                replica.thaw().await?;
            }
            Kind::RollingRestart => {
                for replica in replicas {
                    if !replica.stop().await? {
                        eprintln!("replica {} did not stop when it was asked to; it was killed", replica.number());
                    }
                    replica.start().await?;
                    replica.settled().await;
                }
            }
            _ => {}
        }
        work.note(kind, from, &format!("replica {one}"))?;
    }
    Ok(())
}
