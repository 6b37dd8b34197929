//! A lock that all processes of a database see: held by a connection of its own, so that it ends
//! with whoever holds it, whatever becomes of him. A row that says "taken" was rejected: it would
//! outlive its owner.

use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use commands::ports::Clock;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::time::Duration;

/// How often its holder looks whether he still has it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for an answer to that.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Lock(PgConnection);

impl Lock {
    /// Waits for it.
    pub(super) async fn wait(place: &PgPlace, of: &str) -> Result<Self, DatabaseError> {
        let mut connection = place.options().connect().await?;
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))").bind(of).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Takes it unless somebody has it.
    pub(super) async fn attempt(place: &PgPlace, of: &str) -> Result<Option<Self>, DatabaseError> {
        let mut connection = place.options().connect().await?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))").bind(of).fetch_one(&mut connection).await?;
        if taken {
            return Ok(Some(Self(connection)));
        }
        connection.close().await?;
        Ok(None)
    }

    /// Returns when it is lost, because Postgres or the way to it broke off.
    pub(super) async fn lost(&mut self, clock: &dyn Clock) -> DatabaseError {
        loop {
            clock.sleep(LOOK_EVERY).await;
            match tokio::time::timeout(ANSWER_WITHIN, self.0.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return DatabaseError::NoAnswer,
            }
        }
    }

    /// Lets others have it, at once.
    pub(super) async fn release(mut self) {
        // By an answer: Postgres notices a closed connection some time later. One that does not
        // answer, or cannot be closed in good order, is gone, and the lock with it.
        let _ = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.0).await;
        let _ = self.0.close().await;
    }
}
