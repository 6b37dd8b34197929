//! Where the measured servers keep their data: files in the folder, or a database of their own in a
//! Postgres, and a queue of their own in a Redis. What these two spend counts too; it is read from the
//! operating system, so they have to run on this machine.

use super::super::exit::CliError;
use super::measure;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// See the module.
pub(super) struct Stores {
    folder: PathBuf,
    cluster: Option<Cluster>,
}

struct Cluster {
    server: PgPool,
    pool: PgPool,
    name: String,
    variables: Vec<(String, String)>,
    postmaster: u32,
    redis: Option<u32>,
}

fn failure(error: impl std::fmt::Display) -> CliError {
    CliError::failure(error.to_string())
}

impl Stores {
    /// Files in the folder.
    pub(super) fn files(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), cluster: None }
    }

    /// A new database on this server, dropped in the end, and keys of its own in this Redis.
    pub(super) async fn cluster(folder: &Path, postgres: &str, redis: Option<&str>) -> Result<Self, CliError> {
        let options = PgConnectOptions::from_str(postgres).map_err(failure)?;
        let server = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(failure)?;
        let name = format!("bongsu_bench_{}", std::process::id());
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
            sqlx::query(&statement).execute(&server).await.map_err(failure)?;
        }
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&server).await.map_err(failure)?;
        let postmaster = parent(backend.unsigned_abs())?;
        // Copying takes long.
        let of_its_own = options.database(&name).disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(1).connect_with(of_its_own).await.map_err(failure)?;
        let mut url = url::Url::parse(postgres).map_err(failure)?;
        url.set_path(&name);
        let mut variables = vec![("BONGSU_STORAGE__PROFILE".to_owned(), "cluster".to_owned()), ("BONGSU_POSTGRES__URL".to_owned(), url.to_string())];
        let mut process = None;
        if let Some(redis) = redis {
            variables.extend([("BONGSU_REDIS__URL".to_owned(), redis.to_owned()), ("BONGSU_REDIS__PREFIX".to_owned(), name.clone())]);
            let mut connection = redis::Client::open(redis).map_err(failure)?.get_multiplexed_async_connection().await.map_err(failure)?;
            let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.map_err(failure)?;
            let id = info.lines().find_map(|line| line.strip_prefix("process_id:")).and_then(|id| id.trim().parse().ok());
            process = Some(id.ok_or_else(|| failure("Redis does not say which process it is"))?);
        }
        Ok(Self { folder: folder.to_owned(), cluster: Some(Cluster { server, pool, name, variables, postmaster, redis: process }) })
    }

    /// What the servers are told.
    pub(super) fn variables(&self) -> &[(String, String)] {
        self.cluster.as_ref().map_or(&[], |cluster| &cluster.variables)
    }

    /// CPU of Postgres so far, with all its processes, and of Redis.
    pub(super) fn cpu(&self) -> Result<(Duration, Duration), CliError> {
        let Some(cluster) = &self.cluster else { return Ok((Duration::ZERO, Duration::ZERO)) };
        let mut postgres = measure::cpu_with_ended(cluster.postmaster)?;
        let children = format!("/proc/{0}/task/{0}/children", cluster.postmaster);
        for child in std::fs::read_to_string(children).map_err(failure)?.split_whitespace().filter_map(|child| child.parse().ok()) {
            // One that has just ended is in its parent's.
            postgres += measure::cpu_of(child).unwrap_or_default();
        }
        Ok((postgres, cluster.redis.map(measure::cpu_of).transpose()?.unwrap_or_default()))
    }

    /// Bytes on disk: of files the pages in use, since journals come and go.
    pub(super) async fn bytes(&self) -> Result<u64, CliError> {
        if let Some(cluster) = &self.cluster {
            let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&cluster.pool).await.map_err(failure)?;
            return Ok(size.unsigned_abs());
        }
        let mut bytes = 0;
        let data = self.folder.join("data-1");
        for folder in [data.clone(), data.join("views")] {
            for entry in std::fs::read_dir(folder).map_err(failure)?.flatten() {
                if entry.path().extension().is_some_and(|extension| extension == "db") {
                    let connection = rusqlite::Connection::open_with_flags(entry.path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failure)?;
                    let pages: u64 = connection
                        .query_row("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", [], |row| row.get::<_, i64>(0))
                        .map_err(failure)?
                        .unsigned_abs();
                    bytes += pages;
                }
            }
        }
        Ok(bytes)
    }

    /// See [`copies`](super::copies). Nobody else may be using the store.
    pub(super) async fn copy(&self, times: u64) -> Result<(), CliError> {
        let Some(cluster) = &self.cluster else { return Err(failure("only a store in Postgres is copied")) };
        super::copies::copy(&cluster.pool, times).await
    }

    /// Leaves nothing behind.
    pub(super) async fn remove(&self) -> Result<(), CliError> {
        if let Some(cluster) = &self.cluster {
            cluster.pool.close().await;
            sqlx::query(&format!("DROP DATABASE {} WITH (FORCE)", cluster.name)).execute(&cluster.server).await.map_err(failure)?;
        }
        Ok(())
    }
}

fn parent(process: u32) -> Result<u32, CliError> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .map_err(|_| failure("Postgres does not run on this machine (or not where its processes can be seen), so its processor time cannot be read"))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
    parent.ok_or_else(|| failure("the parent of Postgres' process is not told"))
}
