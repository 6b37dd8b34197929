//! Schemas as wholes: what is in them, how they end, how they get another name.

use super::PgPlace;
use crate::database::DatabaseError;
use sqlx::{ConnectOptions, Connection, Executor};

impl PgPlace {
    /// Drops the schema with everything in it, if it is there.
    pub async fn drop_schema(&self) -> Result<(), DatabaseError> {
        let mut connection = self.options.connect().await?;
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        connection.execute(drop.as_str()).await?;
        Ok(connection.close().await?)
    }

    /// Gives the schema another name, with everything in it, at once. One of that name must be empty.
    pub async fn rename_schema(&self, to: &str) -> Result<(), DatabaseError> {
        let mut connection = self.options.connect().await?;
        let mut transaction = connection.begin().await?;
        // Without CASCADE: what is in it is somebody's.
        transaction.execute(format!("DROP SCHEMA IF EXISTS {to}").as_str()).await?;
        transaction.execute(format!("ALTER SCHEMA {} RENAME TO {to}", self.schema).as_str()).await?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// How many migrations it has seen; none where it is not ours, or not there.
    pub async fn version(&self) -> Result<Option<usize>, DatabaseError> {
        let mut connection = self.options.connect().await?;
        let there: bool =
            sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(format!("{}.migrations", self.schema)).fetch_one(&mut connection).await?;
        let mut found = None;
        if there {
            let newest = format!("SELECT coalesce(max(version), 0) FROM {}.migrations", self.schema);
            let version: i32 = sqlx::query_scalar(&newest).fetch_one(&mut connection).await?;
            found = Some(usize::try_from(version).unwrap_or(0));
        }
        connection.close().await?;
        Ok(found)
    }

    /// Names of the schemas of its database that begin like this and have anything in them.
    pub async fn filled_schemas(&self, beginning: &str) -> Result<Vec<String>, DatabaseError> {
        let mut connection = self.options.connect().await?;
        let find = "SELECT nspname::text FROM pg_namespace n
            WHERE starts_with(nspname::text, $1) AND EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid) ORDER BY 1";
        let found = sqlx::query_scalar(find).bind(beginning).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(found)
    }
}
