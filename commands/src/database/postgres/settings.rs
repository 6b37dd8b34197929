//! Settings of the server under which a commit that was answered could be lost.

use crate::database::DatabaseError;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// A setting that must not be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsafe {
    /// Its name in `postgresql.conf`.
    pub name: String,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub wanted: &'static str,
}

impl std::fmt::Display for Unsafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}, and should be {}", self.name, self.found, self.wanted)
    }
}

/// `synchronous_commit = local` would lose what a standby that takes over has not got; whether there
/// is one is the operator's decision (docs/deploy), so it is not refused where none is named.
const WANTED: [(&str, &[&str], &str); 3] =
    [("fsync", &["on"], "on"), ("full_page_writes", &["on"], "on"), ("synchronous_commit", &["on", "remote_apply", "remote_write", "local"], "on")];

pub(super) async fn find_unsafe(options: &PgConnectOptions) -> Result<Vec<Unsafe>, DatabaseError> {
    let mut connection = options.connect().await?;
    let mut found = Vec::new();
    for (name, safe, wanted) in WANTED {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await?;
        if !safe.contains(&value.as_str()) {
            found.push(Unsafe { name: name.to_owned(), found: value, wanted });
        }
    }
    let standbys: String = sqlx::query_scalar("SELECT current_setting('synchronous_standby_names')").fetch_one(&mut connection).await?;
    let commit: String = sqlx::query_scalar("SELECT current_setting('synchronous_commit')").fetch_one(&mut connection).await?;
    if !standbys.is_empty() && commit == "local" {
        found.push(Unsafe { name: "synchronous_commit".to_owned(), found: commit, wanted: "on, since synchronous standbys are named" });
    }
    Ok(found)
}
