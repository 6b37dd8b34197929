//! `[mirror]`: a copy of the log elsewhere.

use super::section::{Reader, section};
use super::value::Secret;
use projections::feed::kurrentdb::{Target, TargetError};

section! {
    /// A copy of the whole log in KurrentDB (EventStoreDB), kept up to date, from which
    /// `bongsu restore` can rebuild it. Off unless `kurrentdb` is set. See the guide
    /// `docs/guides/kurrentdb-mirror.md`.
    Mirror at "mirror" {
        /// The server's connection string, such as `esdb://user:password@host:2113`. With
        /// `?tls=false` it is not encrypted. The user must be able to read `$all`.
        kurrentdb: Option<Secret>,
        /// Beginning of the names of the mirror's streams; a log of its own needs one of its own.
        prefix: String = "bongsu",
    }
}

impl Mirror {
    fn check(&self, reader: &mut Reader<'_>) {
        // The beginning of names is wrong or right by itself.
        if Target::new("esdb://localhost", &self.prefix).is_err() {
            reader.problem("mirror.prefix", TargetError::Prefix);
        } else if let Some(Err(error)) = self.read() {
            reader.problem("mirror.kurrentdb", error);
        }
    }

    fn read(&self) -> Option<Result<Target, TargetError>> {
        self.kurrentdb.as_ref().map(|connection| Target::new(connection.expose(), &self.prefix))
    }

    /// Where the mirror is; none where there is none.
    pub fn target(&self) -> Option<Target> {
        self.read().and_then(Result::ok)
    }
}
