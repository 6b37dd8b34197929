//! The database as the target and as the source of a move.

use crate::app::stores::MOVED;
use crate::cli::exit::{CliError, Exit};
use commands::database::DatabaseError;
use commands::database::postgres::{PG_KEYS, PG_LOG, PgPlace};
use commands::log::Position;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

/// What the schemas are called while they are not whole.
const LOG_UNFINISHED: &str = "bongsu_moving";
const KEYS_UNFINISHED: &str = "bongsu_keys_moving";
/// One move at a time into a database.
const LOCK: &str = "bongsu migrate-profile";
/// Silence after which a server counts as ended; as in `commands::replicas`.
const SILENCE_S: f64 = 3.0;

async fn connect(place: &PgPlace) -> Result<PgConnection, CliError> {
    place
        .options()
        .connect()
        .await
        .map_err(|error| CliError::new(Exit::Unavailable, format!("the database {} cannot be used: {error}; check its URL, and that it runs", place.shown())))
}

fn refused(error: sqlx::Error) -> CliError {
    DatabaseError::from(error).into()
}

/// A database that is to be filled; nobody else does it as long as this lives.
pub(super) struct Target {
    log: PgPlace,
    keys: PgPlace,
    /// Where the log is while it is not whole.
    pub log_unfinished: PgPlace,
    /// Where the keys are meanwhile.
    pub keys_unfinished: PgPlace,
    /// The keys are there already: an interrupted run had got as far as that.
    pub keys_there: bool,
    /// How far an interrupted run of this installation had come.
    pub unfinished: Option<Position>,
    _lock: PgConnection,
}

impl Target {
    /// Looks, and changes nothing. A database that has anything of ours is refused, unless an
    /// interrupted run has left it.
    pub async fn open(log: PgPlace, keys: PgPlace, fingerprint: &str) -> Result<Self, CliError> {
        let mut lock = connect(&log).await?;
        drop(connect(&keys).await?);
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))").bind(LOCK).fetch_one(&mut lock).await.map_err(refused)?;
        if !taken {
            return Err(CliError::new(Exit::Conflict, format!("another migrate-profile fills {}; wait for it", log.shown())));
        }
        for place in [&log, &keys] {
            may_create(place).await?;
        }
        let log_unfinished = log.schema(LOG_UNFINISHED);
        let unfinished = left_by_us(&log_unfinished, fingerprint).await?;
        let mut filled = log.filled_schemas("bongsu").await?;
        filled.retain(|name| name == log.name() || name.starts_with(&format!("{}_view_", log.name())));
        let keys_there = keys.filled_schemas(keys.name()).await?.iter().any(|name| name == keys.name());
        if keys_there && unfinished.is_none() {
            filled.push(keys.name().to_owned());
        }
        if !filled.is_empty() {
            return Err(CliError::new(
                Exit::Conflict,
                format!(
                    "{} holds an installation already (schemas {}); nothing was changed. Name another database, or drop these schemas there if nobody needs them",
                    log.shown(),
                    filled.join(", ")
                ),
            ));
        }
        let keys_unfinished = keys.schema(KEYS_UNFINISHED);
        Ok(Self { log, keys, log_unfinished, keys_unfinished, keys_there, unfinished, _lock: lock })
    }

    /// Where it is, for people.
    pub fn shown(&self) -> String {
        self.log.shown()
    }

    /// Where the keys are once they are there.
    pub const fn keys(&self) -> &PgPlace {
        &self.keys
    }

    /// Throws away what an interrupted run has left.
    pub async fn discard(&mut self) -> Result<(), CliError> {
        self.log_unfinished.drop_schema().await?;
        self.keys_unfinished.drop_schema().await?;
        self.unfinished = None;
        Ok(())
    }

    /// Makes the tables, where there are none yet; says which master key the keys are wrapped with.
    pub async fn prepare(&self, fingerprint: &str) -> Result<(), CliError> {
        if self.unfinished.is_none() {
            self.log_unfinished.drop_schema().await?;
        }
        self.log_unfinished.migrate(PG_LOG).await?;
        let mut connection = connect(&self.log_unfinished).await?;
        let insert = "INSERT INTO installation (id, master) VALUES (1, $1) ON CONFLICT DO NOTHING";
        sqlx::query(insert).bind(fingerprint).execute(&mut connection).await.map_err(refused)?;
        // Keys may have been destroyed since an interrupted run copied them: they are copied anew.
        self.keys_unfinished.drop_schema().await?;
        Ok(self.keys_unfinished.migrate(PG_KEYS).await?)
    }

    /// Numbers of replicas begin after this one: the log tells of attempts by those up to it, and
    /// they must not be taken for attempts of a replica that lives.
    pub async fn replicas_after(&self, number: u64) -> Result<(), CliError> {
        let mut connection = connect(&self.log_unfinished).await?;
        let set = "SELECT setval('replica_numbers', $1)";
        let number = i64::try_from(number).unwrap_or(i64::MAX).max(1);
        sqlx::query(set).bind(number).execute(&mut connection).await.map_err(refused)?;
        // A table that was just filled has no statistics, and the first queries would be planned without.
        connection.execute("ANALYZE events, streams, commits").await.map_err(refused)?;
        connection.close().await.map_err(refused)
    }

    /// Gives everything its name: the keys first, since a log without them cannot be used.
    pub async fn publish(&self) -> Result<(), CliError> {
        if self.keys_there {
            self.keys_unfinished.drop_schema().await?;
        } else {
            self.keys_unfinished.rename_schema(self.keys.name()).await?;
        }
        Ok(self.log_unfinished.rename_schema(self.log.name()).await?)
    }
}

async fn may_create(place: &PgPlace) -> Result<(), CliError> {
    let mut connection = connect(place).await?;
    let ask = "SELECT has_database_privilege(current_database(), 'CREATE'), current_user::text, current_database()::text, current_setting('server_encoding')";
    let (may, user, database, encoding): (bool, String, String, String) = sqlx::query_as(ask).fetch_one(&mut connection).await.map_err(refused)?;
    connection.close().await.map_err(refused)?;
    if !may {
        return Err(CliError::failure(format!(
            "the user {user} may not create schemas in the database {database}; GRANT CREATE ON DATABASE {database} TO {user}"
        )));
    }
    if encoding != "UTF8" {
        return Err(CliError::failure(format!("the database {database} is encoded in {encoding}; make one with ENCODING 'UTF8'")));
    }
    Ok(())
}

/// How far an interrupted run has come; nothing where there was none, or one of another installation.
async fn left_by_us(place: &PgPlace, fingerprint: &str) -> Result<Option<Position>, CliError> {
    if place.version().await? != Some(PG_LOG.len()) {
        return Ok(None);
    }
    let mut connection = connect(place).await?;
    let ask = "SELECT h.position FROM log_head h, installation i WHERE i.master = $1";
    let found: Option<i64> = sqlx::query_scalar(ask).bind(fingerprint).fetch_optional(&mut connection).await.map_err(refused)?;
    connection.close().await.map_err(refused)?;
    Ok(found.map(i64::unsigned_abs))
}

/// A database that is to be emptied: no server can append or join as long as this lives.
pub(super) struct Source {
    connection: PgConnection,
    /// A fingerprint of the master key.
    pub fingerprint: String,
    /// An interrupted run has marked it already.
    pub moved: bool,
}

impl Source {
    /// Refuses while a server uses it.
    pub async fn hold(log: &PgPlace) -> Result<Self, CliError> {
        match log.version().await? {
            None => {
                drop(connect(log).await?);
                return Err(CliError::not_found(format!("there is no installation in {}; check the URL", log.shown())));
            }
            Some(found) if found > PG_LOG.len() => return Err(DatabaseError::Newer { found, known: PG_LOG.len() }.into()),
            Some(found) if found < PG_LOG.len() => {
                return Err(CliError::failure(format!(
                    "the database is of version {found}, this build wants {}; start this bongsu on it once, stop it, then move it",
                    PG_LOG.len()
                )));
            }
            Some(_) => {}
        }
        let mut connection = connect(log).await?;
        connection.execute("SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '10s'").await.map_err(refused)?;
        connection.execute("BEGIN").await.map_err(refused)?;
        let busy = |error: sqlx::Error| in_use(&error.to_string());
        connection.execute("LOCK TABLE replicas IN EXCLUSIVE MODE").await.map_err(busy)?;
        let living = "SELECT name FROM replicas WHERE seen > clock_timestamp() - make_interval(secs => $1)";
        let living: Vec<String> = sqlx::query_scalar(living).bind(SILENCE_S).fetch_all(&mut connection).await.map_err(refused)?;
        if !living.is_empty() {
            return Err(in_use(&living.join(", ")));
        }
        connection.execute("SELECT position FROM log_head FOR UPDATE").await.map_err(busy)?;
        let found: Option<String> = sqlx::query_scalar("SELECT master FROM installation").fetch_optional(&mut connection).await.map_err(refused)?;
        let Some(master) = found else {
            return Err(CliError::not_found(format!("no server has ever used {}; there is nothing to move", log.shown())));
        };
        let (moved, fingerprint) = master.strip_prefix(MOVED).map_or((false, master.as_str()), |rest| (true, rest));
        Ok(Self { fingerprint: fingerprint.to_owned(), moved, connection })
    }

    /// Says that what is in it goes on elsewhere, and lets go.
    pub async fn mark_moved(mut self) -> Result<(), CliError> {
        if !self.moved {
            let update = "UPDATE installation SET master = $1 || master";
            sqlx::query(update).bind(MOVED).execute(&mut self.connection).await.map_err(refused)?;
        }
        self.connection.execute("COMMIT").await.map_err(refused)?;
        self.connection.close().await.map_err(refused)
    }
}

fn in_use(by: &str) -> CliError {
    CliError::new(Exit::Conflict, format!("the database is in use ({by}); stop all servers first. One that was killed counts as running for three seconds"))
}
