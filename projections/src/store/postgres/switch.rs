//! Letting another generation serve, in one transaction.
//!
//! It begins by retiring the old one: from then on, and only if it is committed for ever, nobody's
//! consumer can move on there, in whatever process. So the new generation can be brought to where
//! the old one stands, and nobody who saw an event's effect can miss it after the switch. Readers are
//! not held up. To look at the old one's place first and to switch then was rejected: its consumer
//! may be another process's, and would have moved on in between.

use super::schemas::prefix;
use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use commands::log::Position;
use sqlx::{Executor, PgPool, Postgres, Transaction};

/// Longer than a consumer's transaction may take.
const LOCK_WITHIN: &str = "SET LOCAL lock_timeout = '40s'";

/// See the module. Dropped without a commit, it leaves everything as it was.
#[derive(Debug)]
pub(crate) struct PgSwitch {
    transaction: Transaction<'static, Postgres>,
    model: &'static str,
    /// Where the old generation stands.
    pub(crate) reached: Position,
}

impl PgSwitch {
    pub(super) async fn begin(pool: &PgPool, place: &PgPlace, model: &'static str, old: u64) -> Result<Self, DatabaseError> {
        let schema = format!("{}{old}", prefix(place, model));
        let mut transaction = pool.begin().await?;
        // Whoever else locks the table must not make the consumer wait behind us for ever.
        transaction.execute(LOCK_WITHIN).await?;
        // Waits for the consumer's transaction, and makes its next one wait.
        let retire = format!("CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON {schema}.checkpoints EXECUTE FUNCTION {schema}.refuse_retired()");
        transaction.execute(retire.as_str()).await?;
        let checkpoint = format!("SELECT position FROM {schema}.checkpoints WHERE consumer = $1");
        let reached: Option<i64> = sqlx::query_scalar(&checkpoint).bind(model).fetch_optional(&mut *transaction).await?;
        Ok(Self { transaction, model, reached: reached.map_or(0, i64::unsigned_abs) })
    }

    /// Lets the generation serve. On an error it may serve or not.
    pub(crate) async fn commit(mut self, number: u64) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE read_models SET serving = $2 WHERE name = $1").bind(self.model).bind(number.cast_signed()).execute(&mut *self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }
}
