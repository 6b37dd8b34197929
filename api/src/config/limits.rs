//! `[limits]`: what one request may cost.

use super::section::{Reader, section};
use super::value::Bytes;
use crate::auth::limits::Rates;
use crate::graphql::transport::Bounds;

section! {
    /// What one GraphQL request may cost. A document past a bound is refused before it runs.
    Limits at "limits" {
        /// Longest query text.
        query_size: Bytes = "64KiB",
        /// Levels of nested fields. Below 15 GraphiQL can no longer read the schema.
        depth: usize = "15",
        /// Points of a document: one a field, more for lists.
        complexity: usize = "20000",
        /// Fields, spreads and inline fragments, expanded.
        selections: usize = "5000",
        /// Aliased fields.
        aliases: usize = "50",
        /// Fields at the root of an operation.
        root_fields: usize = "30",
        /// Notifications in one `sendNotifications`.
        list_length: usize = "1000",
        /// Most items of one page of notifications: the greatest `first`. At least 50, what a
        /// client gets that names none.
        page_size: usize = "100",
        /// Requests a second with one API key, on average over two seconds; 0 for any number. Replicas
        /// that share a Redis allow that many together, give or take what is let through in a quarter of
        /// a second by each; without it every replica allows its part.
        key_requests: usize = "5000",
        /// Requests a second of one recipient's apps together; 0 for any number. Counted as those of API keys.
        recipient_requests: usize = "100",
        /// Notifications a minute of one sender, all its keys and lists together; 0 for any number. What is
        /// more is refused with `RATE_LIMITED` before it is accepted. Each of the replicas that live allows its
        /// part of it, and as much at once: in t minutes all of them together allow (1 + t) times this at most, and
        /// another part for each that starts meanwhile; a list longer than one part is never taken.
        sender_notifications: usize = "0",
    }
}

impl Limits {
    fn check(&self, reader: &mut Reader<'_>) {
        let rules = [
            ("query_size", self.query_size.0, 1 << 20),
            ("depth", self.depth, 32),
            ("complexity", self.complexity, 10_000_000),
            ("selections", self.selections, 1_000_000),
            ("aliases", self.aliases, 10_000),
            ("root_fields", self.root_fields, 10_000),
            ("list_length", self.list_length, 10_000),
            ("page_size", self.page_size, 1_000),
            ("key_requests", self.key_requests, 1_000_000),
            ("recipient_requests", self.recipient_requests, 1_000_000),
            ("sender_notifications", self.sender_notifications, 100_000_000),
        ];
        for (name, value, most) in rules {
            let least = match name {
                "page_size" => 50,
                "key_requests" | "recipient_requests" | "sender_notifications" => 0,
                _ => 1,
            };
            reader.require((least..=most).contains(&value), &format!("limits.{name}"), format_args!("must be between {least} and {most}"));
        }
    }

    /// As the gate wants them.
    pub fn rates(&self) -> Rates {
        let rate = |requests: usize| u32::try_from(requests).unwrap_or(u32::MAX);
        Rates { key: rate(self.key_requests), recipient: rate(self.recipient_requests) }
    }

    /// Notifications a minute of one sender; 0 for any number.
    pub fn notifications(&self) -> u32 {
        u32::try_from(self.sender_notifications).unwrap_or(u32::MAX)
    }

    /// As the transport wants them.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            query_bytes: self.query_size.0,
            depth: self.depth,
            complexity: self.complexity,
            selections: self.selections,
            aliases: self.aliases,
            root_fields: self.root_fields,
            ..Bounds::default()
        }
    }
}
