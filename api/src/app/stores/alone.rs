//! That one process at a time uses a database: a lock of the server's, held by a connection.
//!
//! The server lets go of it when the process ends, however it ends; and when the connection breaks, so
//! it is taken again at once. Whoever finds that another has taken it meanwhile ends.

use super::cluster::ClusterError;
use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use commands::ports::Clock;
use sqlx::{ConnectOptions, Executor, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The lock: "bongsu" and a one, as a number.
const LOCK: i64 = 0x0062_6f6e_6773_7531;
/// How often to look whether it is still held.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for an answer; a server that is slower is asked again by another connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// See the module.
pub struct Alone {
    place: PgPlace,
    pub(super) connection: PgConnection,
}

impl Alone {
    /// Takes the lock, or says that another process has it.
    pub async fn take(place: &PgPlace) -> Result<Self, ClusterError> {
        Ok(Self { place: place.clone(), connection: lock(place).await? })
    }

    /// Holds it until told to stop; returns before that only where another process has it.
    pub async fn hold(mut self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(EVERY) => {}
            }
            if let Ok(Ok(_)) = tokio::time::timeout(ANSWER_WITHIN, self.connection.execute("SELECT 1")).await {
                continue;
            }
            match tokio::time::timeout(ANSWER_WITHIN, lock(&self.place)).await {
                Ok(Ok(connection)) => self.connection = connection,
                Ok(Err(ClusterError::InUse)) => {
                    tracing::error!("the connection that kept the database for this process broke, and another bongsu uses it now");
                    return;
                }
                // The database is away: for others too.
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }
}

async fn lock(place: &PgPlace) -> Result<PgConnection, ClusterError> {
    let mut connection = place.options().connect().await.map_err(DatabaseError::from)?;
    let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut connection).await.map_err(DatabaseError::from)?;
    if taken { Ok(connection) } else { Err(ClusterError::InUse) }
}
