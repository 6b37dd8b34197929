//! The plan of crashes: every crash point in turn, between them kills at random moments.

use crate::api::FAILPOINTS;
use crate::server::{Ended, Server};
use anyhow::Result;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A crash point that is not reached within this is given up and the process killed.
const REACHED_WITHIN: Duration = Duration::from_secs(4);

/// What was done to the server.
#[derive(Debug, Default)]
pub struct Crashes {
    /// Deaths in all.
    pub kills: usize,
    /// Killed while it served.
    pub serving: usize,
    /// Killed before it served, while it recovered.
    pub starting: usize,
    /// How often each crash point fired.
    pub failpoints: BTreeMap<&'static str, usize>,
    /// Crash points that were armed and not reached.
    pub unreached: usize,
}

impl Crashes {
    /// Crash points that never fired.
    pub fn missed(&self) -> Vec<&'static str> {
        self.failpoints.iter().filter(|(_, fired)| **fired == 0).map(|(point, _)| *point).collect()
    }

    /// For the summary.
    pub fn summary(&self) -> Value {
        json!({ "failpoints": self.failpoints, "unreached": self.unreached, "while_serving": self.serving, "while_starting": self.starting })
    }

    /// Crashes the server, which is down, `kills` times; it is down afterwards.
    pub async fn inflict(server: &mut Server, kills: usize, random: &mut StdRng) -> Result<Self> {
        let mut done = Self { failpoints: FAILPOINTS.into_iter().map(|point| (point, 0)).collect(), ..Self::default() };
        for turn in 0..kills {
            match turn % 3 {
                // Two of three by crash point, in turn: each of ten is reached in fifteen kills.
                0 | 1 => {
                    let point = FAILPOINTS[(turn / 3 * 2 + turn % 3) % FAILPOINTS.len()];
                    done.at_point(server, point, random.random_range(1..=25)).await?;
                }
                _ if random.random_bool(0.25) => {
                    server.spawn(None)?;
                    server.run_for(Duration::from_millis(random.random_range(1..250))).await?;
                    server.kill().await?;
                    done.starting += 1;
                }
                _ => {
                    server.spawn(None)?;
                    server.wait_ready().await?;
                    server.run_for(Duration::from_millis(random.random_range(50..3_000))).await?;
                    server.kill().await?;
                    done.serving += 1;
                }
            }
            done.kills += 1;
            if done.kills.is_multiple_of(10) {
                eprintln!("{} of {kills} kills", done.kills);
            }
        }
        Ok(done)
    }

    async fn at_point(&mut self, server: &mut Server, point: &'static str, passage: u32) -> Result<()> {
        server.spawn(Some(&format!("{point}:{passage}")))?;
        let ended = match server.wait_ready().await? {
            Ended::Aborted => Ended::Aborted,
            Ended::Running => server.run_for(REACHED_WITHIN).await?,
        };
        let aborted = server.kill().await?;
        if ended == Ended::Aborted || aborted {
            *self.failpoints.entry(point).or_default() += 1;
        } else {
            self.unreached += 1;
        }
        Ok(())
    }
}
