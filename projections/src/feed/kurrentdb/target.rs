//! Which server, and which of its streams are ours.

use eventstore::{ClientSettings, SubscriptionFilter};

/// Beginning of the names of streams where nothing else is configured.
pub const DEFAULT_PREFIX: &str = "bongsu";
/// Schemes of connection strings.
const SCHEMES: [&str; 8] = ["esdb", "esdb+discover", "kurrentdb", "kurrentdb+discover", "kurrent", "kurrent+discover", "kdb", "kdb+discover"];

/// Why a mirror cannot be named so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The connection string. It is not repeated, since it may hold a password.
    #[error("expected a connection string of KurrentDB, such as `esdb://user:password@host:2113` (`?tls=false` without TLS): {reason}")]
    Connection {
        /// What is wrong.
        reason: String,
    },
    /// The beginning of names.
    #[error("expected 1 to 64 letters, digits, `_` and `.`, such as `{DEFAULT_PREFIX}`; KurrentDB takes what stands before a `-` for the category")]
    Prefix,
}

/// See the module.
#[derive(Clone)]
pub struct Target {
    settings: ClientSettings,
    prefix: String,
}

impl std::fmt::Debug for Target {
    // The settings hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Target {
    /// Whether this looks like the connection string of a server, and not like a path.
    pub fn is_connection(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
    }

    /// From a connection string and a beginning of names.
    pub fn new(connection: &str, prefix: &str) -> Result<Self, TargetError> {
        if !Self::is_connection(connection) {
            return Err(TargetError::Connection { reason: format!("it begins with none of {}", SCHEMES.map(|scheme| format!("{scheme}://")).join(", ")) });
        }
        let settings: ClientSettings = connection.parse().map_err(|error: eventstore::ClientSettingsParseError| TargetError::Connection {
            reason: error.error().map_or_else(|| "it cannot be read".to_owned(), ToString::to_string),
        })?;
        if settings.hosts().is_empty() {
            return Err(TargetError::Connection { reason: "it names no host".to_owned() });
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(fits) {
            return Err(TargetError::Prefix);
        }
        Ok(Self { settings, prefix: prefix.to_owned() })
    }

    /// The beginning of the names of its streams, without the dot behind it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where it is, without user and password.
    pub fn place(&self) -> String {
        let hosts: Vec<String> = self.settings.hosts().iter().map(|host| format!("{}:{}", host.host, host.port)).collect();
        format!("{} ({}.*)", hosts.join(","), self.prefix)
    }

    pub(super) const fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// Ours alone: links and the streams' own metadata have other names.
    pub(super) fn filter(&self) -> SubscriptionFilter {
        SubscriptionFilter::on_stream_name().add_prefix(format!("{}.", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Target, TargetError};

    #[test]
    fn mistakes_are_told_without_the_password() {
        for (connection, prefix) in [("http://a:secret@b", "bongsu"), ("esdb://", "bongsu"), ("esdb://a:secret@host:port", "bongsu")] {
            let error = Target::new(connection, prefix).unwrap_err();
            assert!(matches!(error, TargetError::Connection { .. }), "{connection}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for prefix in ["", "a-b", "$a", "a b", &"a".repeat(65)] {
            assert_eq!(Target::new("esdb://host:2113", prefix).unwrap_err(), TargetError::Prefix);
        }
        let target = Target::new("esdb://admin:secret@host:2113,other:2114?tls=false", "mail_1").unwrap();
        assert_eq!(target.place(), "host:2113,other:2114 (mail_1.*)");
        assert!(!format!("{target:?}").contains("secret"));
    }

    #[test]
    fn paths_are_not_taken_for_servers() {
        for path in ["/backups/1", "./esdb", "C:\\backups", "file://x"] {
            assert!(!Target::is_connection(path), "{path}");
        }
        assert!(Target::is_connection("esdb://host") && Target::is_connection("kurrentdb+discover://host"));
    }
}
