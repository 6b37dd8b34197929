//! Names of the schemas of a read model's generations, and their end.

use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use sqlx::{Executor, PgPool};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Handle;

/// What is appended to the name of a schema that is being dropped.
const GOING: &str = "_going";
const NO_SUCH_SCHEMA: &str = "3F000";

/// What the names of a read model's schemas begin with; the generation's number follows.
pub(super) fn prefix(place: &PgPlace, model: &str) -> String {
    format!("{}_view_{model}_", place.name())
}

/// Which generation serves.
pub(super) async fn serving(pool: &PgPool, model: &str) -> Result<u64, DatabaseError> {
    let number: i64 = sqlx::query_scalar("SELECT serving FROM read_models WHERE name = $1").bind(model).fetch_one(pool).await?;
    Ok(number.unsigned_abs())
}

/// Drops the schemas of all generations but one; those that somebody had begun to drop come first, so
/// that their names are free.
pub(super) async fn sweep(pool: &PgPool, place: &PgPlace, model: &str, keep: u64) -> Result<(), DatabaseError> {
    let prefix = prefix(place, model);
    let found: Vec<String> =
        sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, $1) ORDER BY 1 DESC").bind(&prefix).fetch_all(pool).await?;
    for name in found {
        let number = name.strip_prefix(&prefix).map(|rest| rest.strip_suffix(GOING).unwrap_or(rest)).and_then(|rest| rest.parse::<u64>().ok());
        if number.is_some_and(|number| number != keep) {
            drop_schema(pool, place, &name).await?;
        }
    }
    Ok(())
}

/// Drops a schema that somebody may still use. It is renamed first: whoever has locked one table of it
/// does not find the next one, and lets go, where otherwise he and the drop would wait for each other.
async fn drop_schema(pool: &PgPool, place: &PgPlace, name: &str) -> Result<(), DatabaseError> {
    if name.ends_with(GOING) {
        return place.schema(name).drop_schema().await;
    }
    let going = format!("{name}{GOING}");
    match pool.execute(format!("ALTER SCHEMA {name} RENAME TO {going}").as_str()).await {
        Err(error) if error.as_database_error().is_none_or(|error| error.code().as_deref() != Some(NO_SUCH_SCHEMA)) => Err(error.into()),
        // Another process may be at it, and may have been killed.
        _ => place.schema(&going).drop_schema().await,
    }
}

/// Drops a generation's schema when it is dropped itself, unless it is to be kept: in a task, since
/// whoever was the last to hold it must not wait. Where that fails, the next opening does it.
#[derive(Debug)]
pub(super) struct Schema {
    /// The schema itself.
    pub(super) place: PgPlace,
    /// Of the schema with the table of read models.
    pub(super) pool: PgPool,
    pub(super) model: &'static str,
    pub(super) number: u64,
    pub(super) keep: AtomicBool,
}

impl Schema {
    pub(super) fn keep(&self, keep: bool) {
        self.keep.store(keep, Ordering::Release);
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if self.keep.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let (place, pool, model, number) = (self.place.clone(), self.pool.clone(), self.model, self.number);
        runtime.spawn(async move {
            // Numbers are not given twice, so what does not serve now never will again.
            let dropped = match serving(&pool, model).await {
                Ok(serving) if serving == number => Ok(()),
                Ok(_) => drop_schema(&pool, &place, place.name()).await,
                Err(error) => Err(error),
            };
            if let Err(error) = dropped {
                tracing::warn!(model, number, %error, "a retired generation stays until the next opening");
            }
        });
    }
}
