//! A private Redis Cluster: three masters that share the slots, no replicas.
//!
//! The nodes are introduced by hand: `redis-cli --cluster create` looks for agreement once a second
//! only.

use crate::redis::{Redis, Role, Settings};
use crate::{secret, wait};
use anyhow::Result;

/// Of a Redis Cluster.
const SLOTS: usize = 16_384;
/// The least that Redis makes a cluster of.
const MASTERS: usize = 3;

/// A running cluster; dropped, it is gone.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, each to be disturbed by itself.
    pub nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Makes one and waits until each node serves the whole of it.
    ///
    /// # Errors
    /// When Redis is not installed or a node does not start; its log is told.
    pub fn start() -> Result<Self> {
        let password = secret::password()?;
        let settings = Settings::default().line("cluster-enabled yes").line("cluster-node-timeout 2000");
        let nodes = (0..MASTERS).map(|_| Redis::with_password(Role::Server, &password, &settings)).collect::<Result<Vec<_>>>()?;
        for (index, node) in nodes.iter().enumerate() {
            let slots: Vec<String> = (index * SLOTS / MASTERS..(index + 1) * SLOTS / MASTERS).map(|slot| slot.to_string()).collect();
            let command: Vec<&str> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
            node.ask(&command)?;
            // Different from the start, or the nodes have to settle whose comes first.
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
        }
        if let Some((first, others)) = nodes.split_first() {
            others.iter().try_for_each(|other| first.ask(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]).map(drop))?;
        }
        let cluster = Self { nodes };
        cluster.agreed()?;
        Ok(cluster)
    }

    /// Waits until each node serves the whole cluster.
    ///
    /// # Errors
    /// When they do not come to that.
    pub fn agreed(&self) -> Result<()> {
        let wanted = ["cluster_state:ok".to_owned(), format!("cluster_known_nodes:{MASTERS}"), format!("cluster_slots_ok:{SLOTS}")];
        self.nodes.iter().try_for_each(|node| {
            wait::until("the nodes of the cluster agree", || {
                let info = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                Ok(wanted.iter().all(|line| info.lines().any(|one| one.trim_end() == line)).then_some(()))
            })
        })
    }

    /// The nodes' URLs.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }
}
