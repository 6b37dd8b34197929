//! The read models of a database, read from outside, while servers may be using them.

use super::Place;
use super::files::Parked;
use crate::app::stores::LOG;
use crate::cli::exit::CliError;
use crate::config::Secret;
use commands::database::DatabaseError;
use commands::database::postgres::PgPlace;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// Where consumers stand that keep something in one schema.
pub(super) struct Kept {
    pub schema: String,
    /// Name and checkpoint.
    pub consumers: Vec<(String, u64)>,
    pub parked: Vec<Parked>,
}

fn refused(error: sqlx::Error) -> CliError {
    DatabaseError::from(error).into()
}

/// All of them: of each read model what serves, and what is kept beside the log.
pub(super) async fn kept(url: &Secret) -> Result<Vec<Kept>, CliError> {
    let log = PgPlace::new(url.expose(), LOG)?;
    if log.version().await?.is_none() {
        return Err(CliError::not_found(format!("there is no installation in {}; check --postgres", log.shown())));
    }
    let mut connection = log.options().connect().await.map_err(refused)?;
    let mut all = Vec::new();
    let serving = "SELECT name, serving FROM read_models ORDER BY name";
    let models: Vec<(String, i64)> = sqlx::query_as(serving).fetch_all(&mut connection).await.map_err(refused)?;
    for (name, serving) in models {
        // Names of ours, and only of read models that this build knows.
        if projections::registry::all().iter().any(|registration| registration.name == name) {
            all.extend(schema(&mut connection, &format!("{LOG}_view_{name}_{serving}")).await?);
        }
    }
    all.extend(schema(&mut connection, LOG).await?);
    connection.close().await.map_err(refused)?;
    Ok(all)
}

/// Of one schema; nothing where it has gone meanwhile, because another generation serves.
async fn schema(connection: &mut PgConnection, schema: &str) -> Result<Option<Kept>, CliError> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(format!("{schema}.parked")).fetch_one(&mut *connection).await.map_err(refused)?;
    if !there {
        return Ok(None);
    }
    let checkpoints = format!("SELECT consumer, position FROM {schema}.checkpoints ORDER BY consumer");
    let consumers: Vec<(String, i64)> = sqlx::query_as(&checkpoints).fetch_all(&mut *connection).await.map_err(refused)?;
    let parked = format!("SELECT consumer, position, stream, error FROM {schema}.parked ORDER BY consumer, position");
    let parked: Vec<(String, i64, i64, String)> = sqlx::query_as(&parked).fetch_all(connection).await.map_err(refused)?;
    let event = |(consumer, position, stream, error): (String, i64, i64, String)| Parked {
        consumer,
        position: position.unsigned_abs(),
        stream: stream.unsigned_abs(),
        error,
    };
    Ok(Some(Kept {
        schema: schema.to_owned(),
        consumers: consumers.into_iter().map(|(name, position)| (name, position.unsigned_abs())).collect(),
        parked: parked.into_iter().map(event).collect(),
    }))
}

impl Kept {
    /// Where it is, for people.
    pub(super) fn place(&self) -> Place {
        Place::Schema(self.schema.clone())
    }
}
