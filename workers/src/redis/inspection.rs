//! What a Redis says of itself, for who looks whether it can be used.

use super::link::{Link, NoAnswer};
use super::place::RedisPlace;
use redis::Value;
use std::time::Duration;

/// The oldest version that has every command that the scripts use.
pub const OLDEST: (u32, u32) = (6, 2);

/// A server, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisServer {
    /// Such as `7.0.15`.
    pub version: String,
    /// Bytes that it may use; 0 for as many as there are.
    pub maxmemory: u64,
    /// What it does once they are used up: `noeviction`, `allkeys-lru` …
    pub policy: String,
    /// `master` or `slave`.
    pub role: String,
}

impl RedisServer {
    /// Whether it is not too old.
    pub fn is_recent(&self) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= OLDEST
    }
}

/// Asks: one server, or the nodes of a cluster.
pub async fn inspect(place: RedisPlace, timeout: Duration) -> Result<Vec<RedisServer>, NoAnswer> {
    let link = Link::new(place, timeout);
    let mut texts = Vec::new();
    collect(link.ask(&redis::cmd("INFO")).await?, &mut texts);
    let found: Vec<RedisServer> = texts.iter().filter_map(|text| described(text)).collect();
    if found.is_empty() { Err(NoAnswer { reason: "it does not say which version it is".to_owned() }) } else { Ok(found) }
}

/// The texts in an answer: of a cluster it is a map of them.
fn collect(answer: Value, texts: &mut Vec<String>) {
    match answer {
        Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => texts.push(text),
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, texts)),
        Value::Map(pairs) => pairs.into_iter().for_each(|(_, value)| collect(value, texts)),
        _ => {}
    }
}

fn described(text: &str) -> Option<RedisServer> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned());
    Some(RedisServer {
        version: field("redis_version")?,
        maxmemory: field("maxmemory").and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
        policy: field("maxmemory_policy").unwrap_or_default(),
        role: field("role").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::described;

    #[test]
    fn a_server_that_is_too_old_is_told_from_one_that_is_not() {
        for (version, recent) in [("6.0.16", false), ("6.2.0", true), ("7.0.15", true), ("10.1", true), ("5", false), ("six", false)] {
            let text = format!("# Server\r\nredis_version:{version}\r\nmaxmemory:1024\r\nmaxmemory_human:1K\r\nmaxmemory_policy:noeviction\r\nrole:master\r\n");
            let found = described(&text).unwrap();
            assert_eq!((found.is_recent(), found.maxmemory, found.policy.as_str(), found.role.as_str()), (recent, 1_024, "noeviction", "master"), "{version}");
        }
        assert_eq!(described("# Server\r\n"), None);
    }
}
