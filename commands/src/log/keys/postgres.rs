//! Wrapped keys in Postgres, shared by all replicas.
//!
//! What is deleted stays in dead rows until they are vacuumed, and in the server's own journal and
//! its backups as long as those are kept; it is wrapped there by the master key. So the table
//! is vacuumed at once if that takes no longer than an answer may, and docs/deploy says what follows for
//! archives.

use super::{KeyError, KeyRows};
use crate::database::DatabaseError;
use crate::database::postgres::{Blocking, PgPlace};
use sqlx::PgPool;
use std::path::Path;
use uuid::Uuid;

/// See the module.
#[derive(Debug)]
pub struct PostgresKeys {
    pool: PgPool,
    blocking: Blocking,
}

impl PostgresKeys {
    /// At most so many: the committer's and one for those who read.
    pub const CONNECTIONS: u32 = 2;

    /// Over a schema that is migrated.
    pub fn new(place: &PgPlace) -> Result<Self, KeyError> {
        let blocking = Blocking::new().map_err(|error| DatabaseError::BrokenOff(error.to_string()))?;
        let pool = blocking.make(|| place.pool(Self::CONNECTIONS));
        Ok(Self { pool, blocking })
    }
}

impl From<sqlx::Error> for KeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(DatabaseError::Postgres(error))
    }
}

impl KeyRows for PostgresKeys {
    fn find(&self, subjects: &[Uuid]) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError> {
        self.blocking
            .wait(async { Ok(sqlx::query_as("SELECT subject, wrapped FROM keys WHERE subject = ANY($1)").bind(subjects).fetch_all(&self.pool).await?) })
    }

    fn after(&self, subject: Option<Uuid>, most: usize) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError> {
        let find = "SELECT subject, wrapped FROM keys WHERE $1 IS NULL OR subject > $1 ORDER BY subject LIMIT $2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.blocking.wait(async { Ok(sqlx::query_as(find).bind(subject).bind(most).fetch_all(&self.pool).await?) })
    }

    fn add(&self, keys: &[(Uuid, Vec<u8>)]) -> Result<(), KeyError> {
        let (subjects, wrapped): (Vec<Uuid>, Vec<&[u8]>) = keys.iter().map(|(subject, wrapped)| (*subject, wrapped.as_slice())).unzip();
        self.blocking.wait(async {
            // In one order, so that two replicas cannot wait for each other.
            sqlx::query(
                "INSERT INTO keys (subject, wrapped) SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS k(subject, wrapped) ORDER BY 1 ON CONFLICT DO NOTHING",
            )
            .bind(subjects)
            .bind(wrapped)
            .execute(&self.pool)
            .await?;
            Ok(())
        })
    }

    fn erase(&self, subject: Uuid) -> Result<(), KeyError> {
        self.blocking.wait(async {
            sqlx::query("DELETE FROM keys WHERE subject = $1").bind(subject).execute(&self.pool).await?;
            Ok::<_, KeyError>(())
        })?;
        let vacuumed = self.blocking.wait(async { Ok::<_, KeyError>(sqlx::query("VACUUM (TRUNCATE OFF) keys").execute(&self.pool).await?) });
        if let Err(error) = vacuumed {
            tracing::warn!(%error, "an erased key is deleted, and its row stays until Postgres vacuums the table by itself");
        }
        Ok(())
    }

    fn backup(&self, _: &Path) -> Result<(), KeyError> {
        Err(KeyError::NotHere)
    }
}
