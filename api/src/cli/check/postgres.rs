//! Postgres of the cluster profile: whether a server would start on it. Nothing is changed.

use super::{Finding, PATIENCE, Verdict};
use crate::app::data_dir::{find_master_key, master_key_variable};
use crate::app::stores::{ClusterSettings, MOVED};
use crate::cli::exit::CliError;
use crate::config::Config;
use commands::database::DatabaseError;
use commands::database::postgres::{PG_KEYS, PG_LOG, PgMigrations, PgPlace};
use sqlx::{ConnectOptions, Connection, PgConnection};

/// The oldest version that has every function that the tables use, as Postgres numbers it.
const OLDEST: i32 = 130_000;

pub(super) async fn findings(config: &Config, offline: bool) -> Vec<Finding> {
    let settings = match ClusterSettings::of(config) {
        Ok(None) => return Vec::new(),
        Ok(Some(settings)) => settings,
        Err(error) => return vec![Finding::new("postgres", Verdict::Failed, error)],
    };
    if offline {
        return vec![Finding::new("postgres", Verdict::Ok, "configured, not asked")];
    }
    let mut all = Vec::new();
    all.extend(bounded("postgres", database("postgres", &settings.log, PG_LOG)).await);
    let usable = all.iter().all(|finding| finding.verdict != Verdict::Failed);
    if config.postgres.keys_url.is_some() {
        all.extend(bounded("postgres keys", database("postgres keys", &settings.keys, PG_KEYS)).await);
    }
    if usable {
        all.extend(bounded("postgres settings", durability(&settings)).await);
        all.extend(bounded("postgres connections", connections(&settings)).await);
        all.extend(bounded("postgres installation", installation(config, &settings.log)).await);
    }
    all
}

/// What one look finds; that it failed, or took too long, is a finding too.
async fn bounded(what: &str, look: impl Future<Output = Result<Vec<Finding>, CliError>>) -> Vec<Finding> {
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => vec![Finding::new(what, Verdict::Failed, error)],
        Err(_) => vec![Finding::new(what, Verdict::Failed, "did not answer in time; check the URL and the network")],
    }
}

fn refused(error: sqlx::Error) -> CliError {
    CliError::failure(DatabaseError::from(error))
}

async fn connect(place: &PgPlace) -> Result<PgConnection, CliError> {
    place
        .options()
        .connect()
        .await
        .map_err(|error| CliError::failure(format!("{} cannot be used: {error}; check the URL, the network and the user's rights", place.shown())))
}

/// One database: version, rights, tables.
async fn database(what: &str, place: &PgPlace, known: PgMigrations) -> Result<Vec<Finding>, CliError> {
    let mut connection = connect(place).await?;
    let ask = "SELECT current_setting('server_version'), current_setting('server_version_num')::integer, pg_is_in_recovery(),
        current_setting('server_encoding'), has_database_privilege(current_database(), 'CREATE'), current_user::text, current_database()::text";
    let found: (String, i32, bool, String, bool, String, String) = sqlx::query_as(ask).fetch_one(&mut connection).await.map_err(refused)?;
    let (version, number, standby, encoding, may_create, user, database) = found;
    connection.close().await.map_err(refused)?;
    let shown = place.shown();
    let mut all = vec![if number < OLDEST {
        Finding::new(what, Verdict::Failed, format_args!("{shown} is PostgreSQL {version}; use 13 or later"))
    } else {
        Finding::new(what, Verdict::Ok, format_args!("PostgreSQL {version} at {shown}"))
    }];
    if standby {
        all.push(Finding::new(what, Verdict::Failed, format_args!("{shown} is a standby, and nothing can be written there; name the primary")));
    }
    if encoding != "UTF8" {
        all.push(Finding::new(what, Verdict::Failed, format_args!("the database {database} is encoded in {encoding}; make one with ENCODING 'UTF8'")));
    }
    let tables = format!("{what} tables");
    let version = place.version().await?;
    all.push(match version {
        None => Finding::new(&tables, Verdict::Ok, "none yet; the first start makes them"),
        Some(found) if found > known.len() => Finding::new(&tables, Verdict::Failed, DatabaseError::Newer { found, known: known.len() }),
        Some(found) if found < known.len() => {
            Finding::new(&tables, Verdict::Ok, format_args!("of version {found}; the next start brings them to {}", known.len()))
        }
        Some(found) => Finding::new(&tables, Verdict::Ok, format_args!("of version {found}, the newest")),
    });
    if !may_create {
        // Read models make schemas of their own whenever they are rebuilt.
        let detail = format!("{user} may not create schemas; GRANT CREATE ON DATABASE {database} TO {user}");
        all.push(Finding::new(what, if version.is_some() { Verdict::Warning } else { Verdict::Failed }, detail));
    }
    Ok(all)
}

/// Settings under which what was accepted could be lost.
async fn durability(settings: &ClusterSettings) -> Result<Vec<Finding>, CliError> {
    let what = "postgres settings";
    let found = settings.log.unsafe_settings().await?;
    if found.is_empty() {
        return Ok(vec![Finding::new(what, Verdict::Ok, "what is accepted is durable")]);
    }
    let verdict = if settings.allow_unsafe { Verdict::Warning } else { Verdict::Failed };
    let told = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Ok(vec![Finding::new(what, verdict, format_args!("what is accepted could be lost: {told}"))])
}

/// Whether there are enough connections for this replica and two more.
async fn connections(settings: &ClusterSettings) -> Result<Vec<Finding>, CliError> {
    let what = "postgres connections";
    let mut connection = connect(&settings.log).await?;
    let ask = "SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint";
    let there: i64 = sqlx::query_scalar(ask).fetch_one(&mut connection).await.map_err(refused)?;
    connection.close().await.map_err(refused)?;
    let wanted = i64::from(settings.most_connections());
    let verdict = if wanted * 3 <= there { Verdict::Ok } else { Verdict::Warning };
    let advice = if verdict == Verdict::Ok { "" } else { "; raise max_connections, or lower postgres.connections, if there are to be three" };
    Ok(vec![Finding::new(what, verdict, format_args!("a replica uses up to {wanted}, and the server allows {there}{advice}"))])
}

/// Whether the master key here is the one that the data there are sealed with.
async fn installation(config: &Config, log: &PgPlace) -> Result<Vec<Finding>, CliError> {
    let what = "postgres installation";
    if log.version().await?.is_none() {
        return Ok(vec![Finding::new(what, Verdict::Ok, "none yet; the first start makes one")]);
    }
    let mut connection = connect(log).await?;
    // A table that only older versions lack.
    let there: bool = sqlx::query_scalar("SELECT to_regclass('installation') IS NOT NULL").fetch_one(&mut connection).await.map_err(refused)?;
    let ask = "SELECT master FROM installation";
    let sealed: Option<String> = if there { sqlx::query_scalar(ask).fetch_optional(&mut connection).await.map_err(refused)? } else { None };
    connection.close().await.map_err(refused)?;
    let storage = &config.storage;
    let ours = find_master_key(&storage.data_dir, master_key_variable().as_deref(), storage.master_key_file.as_deref())?;
    let ours = ours.map(|key| key.fingerprint());
    Ok(vec![match (sealed, ours) {
        (None, _) => Finding::new(what, Verdict::Ok, "none yet; the first start makes one"),
        (Some(sealed), _) if sealed.starts_with(MOVED) => {
            Finding::new(what, Verdict::Failed, "it was moved to a data folder by `bongsu migrate-profile`; start that one, or name another database")
        }
        (Some(sealed), Some(ours)) if sealed == ours => Finding::new(what, Verdict::Ok, "sealed with this master key"),
        (Some(_), Some(_)) => Finding::new(what, Verdict::Failed, "sealed with another master key; give the same one to every replica"),
        (Some(_), None) => Finding::new(
            what,
            Verdict::Failed,
            "sealed with a master key, and there is none here; set BONGSU_MASTER_KEY, or storage.master_key_file, to that of the other replicas",
        ),
    }])
}
