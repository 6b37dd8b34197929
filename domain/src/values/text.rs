//! Keys that administrators choose: readable, stable, not personal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} has 1 to 64 characters from a-z, 0-9, '-', '_' and '.', beginning with a letter or digit")]
pub struct TextError {
    what: &'static str,
}

fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

macro_rules! key {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps.
            pub fn new(text: &str) -> Result<Self, TextError> {
                if is_key(text) { Ok(Self(text.into())) } else { Err(TextError { what: $what }) }
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self("".into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

key! {
    /// Name of a category, e.g. `orders`.
    CategoryKey, "category"
}
key! {
    /// Name of a sender, e.g. `shop`.
    SenderKey, "sender"
}
key! {
    /// Name of a topic that people subscribe to within categories, e.g. `team-seoul`.
    TopicKey, "topic"
}
key! {
    /// Name of a template, e.g. `order-shipped`.
    TemplateKey, "template"
}
