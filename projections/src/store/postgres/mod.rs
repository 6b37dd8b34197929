//! Read models in Postgres, shared by several processes: a generation is a schema, and a row says
//! which of them serves.
//!
//! Any process may open them while others do, rebuild one while others read it, and be killed
//! meanwhile. A process that has not noticed another one's switch reads the old generation until its
//! schema is dropped, and then asks again which one serves. Locks that keep the old one as long as
//! any process reads it were rejected: a connection for each, for what one more try gives too.

mod generation;
mod lock;
mod schemas;
mod switch;
#[cfg(test)]
mod tests;

pub(super) use generation::{CONNECTIONS as GENERATION_CONNECTIONS, PgGeneration};
pub(super) use switch::PgSwitch;

use crate::registry::Registration;
use crate::store::error::RebuildError;
use commands::consumer::PgRows;
use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use commands::ports::Clock;
use lock::Lock;
use schemas::Schema;
use sqlx::PgPool;
use std::sync::atomic::AtomicBool;

/// Connections to the table of read models: a switch of each holds one, and one is for looking.
pub(super) const TABLE_CONNECTIONS: u32 = 4;

/// See the module. Clones share the connections.
#[derive(Debug, Clone)]
pub(crate) struct PgStore {
    place: PgPlace,
    pool: PgPool,
}

impl From<PgPlace> for PgStore {
    /// Beside the log's schema, which is migrated.
    fn from(place: PgPlace) -> Self {
        Self { pool: place.pool(TABLE_CONNECTIONS), place }
    }
}

impl PgStore {
    /// Which generation serves.
    pub(super) async fn serving(&self, model: &str) -> Result<u64, DatabaseError> {
        schemas::serving(&self.pool, model).await
    }

    /// Opens the generation that serves, or creates the first; sweeps what interrupted rebuilds have
    /// left, if told to.
    pub(super) async fn open(&self, registration: &Registration, sweep: bool) -> Result<(u64, PgGeneration), DatabaseError> {
        let lock = Lock::wait(&self.place, &format!("{}opening", schemas::prefix(&self.place, registration.name))).await?;
        let opened = self.open_alone(registration, sweep).await;
        lock.release().await;
        opened
    }

    async fn open_alone(&self, registration: &Registration, sweep: bool) -> Result<(u64, PgGeneration), DatabaseError> {
        let name = registration.name;
        sqlx::query("INSERT INTO read_models (name, serving, newest) VALUES ($1, 1, 1) ON CONFLICT DO NOTHING").bind(name).execute(&self.pool).await?;
        // A rebuild that somebody is about is no leftover.
        if sweep && let Some(nobody) = self.rebuilding(name).await? {
            let swept = schemas::sweep(&self.pool, &self.place, name, self.serving(name).await?).await;
            nobody.0.release().await;
            if let Err(error) = swept {
                tracing::warn!(model = name, %error, "what an interrupted rebuild has left stays until the next opening");
            }
        }
        loop {
            let number = self.serving(name).await?;
            let generation = self.generation(registration, number, true).await?;
            generation.complete().await?;
            // Had it been dropped before, we would have made it anew, and empty.
            if self.serving(name).await? == number {
                return Ok((number, generation));
            }
            generation.keep(false);
        }
    }

    /// Begins a new generation after all there have been.
    pub(super) async fn create(&self, registration: &Registration) -> Result<(u64, PgGeneration), DatabaseError> {
        let next = "UPDATE read_models SET newest = newest + 1 WHERE name = $1 RETURNING newest";
        let number: i64 = sqlx::query_scalar(next).bind(registration.name).fetch_one(&self.pool).await?;
        let number = number.unsigned_abs();
        Ok((number, self.generation(registration, number, false).await?))
    }

    async fn generation(&self, registration: &Registration, number: u64, keep: bool) -> Result<PgGeneration, DatabaseError> {
        let place = self.place.schema(&format!("{}{number}", schemas::prefix(&self.place, registration.name)));
        let schema = Schema { place, pool: self.pool.clone(), model: registration.name, number, keep: AtomicBool::new(keep) };
        schema.place.migrate(registration.postgres.migrations).await?;
        Ok(PgGeneration { rows: PgRows::new(schema.place.impatient().pool(GENERATION_CONNECTIONS)), indexes: registration.postgres.indexes, schema })
    }

    /// Says to all processes that this one rebuilds the read model; nothing, if another one does.
    pub(super) async fn rebuilding(&self, model: &str) -> Result<Option<Rebuilding>, DatabaseError> {
        Ok(Lock::attempt(&self.place, &format!("{}rebuild", schemas::prefix(&self.place, model))).await?.map(Rebuilding))
    }

    /// Begins the switch from a generation to another.
    pub(super) async fn begin_switch(&self, model: &'static str, old: u64) -> Result<PgSwitch, RebuildError> {
        Ok(PgSwitch::begin(&self.pool, &self.place, model, old).await?)
    }
}

/// Held while this process rebuilds a read model.
#[derive(Debug)]
pub(super) struct Rebuilding(Lock);

impl Rebuilding {
    /// Returns when others could believe that nobody rebuilds, and sweep what is being built.
    pub(super) async fn lost(&mut self, clock: &dyn Clock) -> DatabaseError {
        self.0.lost(clock).await
    }

    /// Lets others rebuild it.
    pub(super) async fn release(self) {
        self.0.release().await;
    }
}
