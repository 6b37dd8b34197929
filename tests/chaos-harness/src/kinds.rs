//! Kinds of faults: their names, and whose hand does them.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// What can be done to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SIGKILL of a replica; started again after a pause.
    KillReplica,
    /// SIGSTOP of a replica past its leases, then SIGCONT.
    FreezeReplica,
    /// A replica is stopped and started, one after another.
    RollingRestart,
    /// Nothing gets through between one replica and Postgres, and no connection closes.
    PartitionReplica,
    /// The whole process tree of Postgres is killed and started again.
    KillPostgres,
    /// Some of its processes are told to end: connections break.
    EndBackends,
    /// Postgres stands still.
    FreezePostgres,
    /// Its disk is full for a while.
    FullDisk,
    /// A connection is cut before or after a COMMIT.
    CutCommit,
    /// Redis is killed and comes back empty.
    KillRedis,
    /// Redis forgets everything.
    FlushRedis,
    /// Redis has no memory left.
    FullRedis,
    /// Redis stands still.
    FreezeRedis,
    /// A provider answers that it is down.
    Outage,
    /// A provider takes requests and does not answer.
    Hang,
    /// A provider throttles.
    Throttle,
    /// A provider takes the message and closes without an answer.
    DropAnswer,
    /// A replica's clock is wrong.
    ShiftClock,
}

/// Who does it. Hands work at the same time; each does one thing after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// To replicas.
    Replicas,
    /// To Postgres and the ways to it.
    Postgres,
    /// To Redis.
    Redis,
    /// To the providers.
    Providers,
    /// To clocks.
    Clocks,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 18] = [
        Self::KillReplica,
        Self::FreezeReplica,
        Self::RollingRestart,
        Self::PartitionReplica,
        Self::KillPostgres,
        Self::EndBackends,
        Self::FreezePostgres,
        Self::CutCommit,
        Self::KillRedis,
        Self::FlushRedis,
        Self::FullRedis,
        Self::FreezeRedis,
        Self::Outage,
        Self::Hang,
        Self::Throttle,
        Self::DropAnswer,
        Self::ShiftClock,
        Self::FullDisk,
    ];

    /// As journals and the command line have it. The checker knows `freeze_replica` by name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillReplica => "kill_replica",
            Self::FreezeReplica => "freeze_replica",
            Self::RollingRestart => "rolling_restart",
            Self::PartitionReplica => "partition_replica",
            Self::KillPostgres => "kill_postgres",
            Self::EndBackends => "end_backends",
            Self::FreezePostgres => "freeze_postgres",
            Self::FullDisk => "full_disk",
            Self::CutCommit => "cut_commit",
            Self::KillRedis => "kill_redis",
            Self::FlushRedis => "flush_redis",
            Self::FullRedis => "full_redis",
            Self::FreezeRedis => "freeze_redis",
            Self::Outage => "provider_outage",
            Self::Hang => "provider_hang",
            Self::Throttle => "provider_throttle",
            Self::DropAnswer => "provider_drop_answer",
            Self::ShiftClock => "shift_clock",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whose it is.
    pub const fn hand(self) -> Hand {
        match self {
            Self::KillReplica | Self::FreezeReplica | Self::RollingRestart => Hand::Replicas,
            Self::PartitionReplica | Self::KillPostgres | Self::EndBackends | Self::FreezePostgres | Self::FullDisk | Self::CutCommit => Hand::Postgres,
            Self::KillRedis | Self::FlushRedis | Self::FullRedis | Self::FreezeRedis => Hand::Redis,
            Self::Outage | Self::Hang | Self::Throttle | Self::DropAnswer => Hand::Providers,
            Self::ShiftClock => Hand::Clocks,
        }
    }

    /// A random part of all, of at least three. What cannot be done here is left out by the caller
    /// afterwards, so that a seed means the same everywhere.
    pub fn draw(random: &mut StdRng) -> Vec<Self> {
        loop {
            let drawn: Vec<Self> = Self::ALL.into_iter().filter(|_| random.random_bool(0.5)).collect();
            if drawn.len() >= 3 {
                return drawn;
            }
        }
    }
}
