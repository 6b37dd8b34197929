//! Inside or outside of a JSON string: outside an expression becomes a JSON value, inside a part of the string.

use super::super::problem::Problem;
use super::Reader;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Json {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

impl Reader for Json {
    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            *self = match (*self, letter) {
                (Self::Outside, '"') | (Self::Escaped, _) => Self::Inside,
                (Self::Inside, '"') => Self::Outside,
                (Self::Inside, '\\') => Self::Escaped,
                (same, _) => same,
            };
        }
    }

    fn expression(&mut self) -> Result<Option<&'static str>, Problem> {
        match self {
            Self::Outside => Ok(None),
            Self::Inside => Ok(Some("_json_text")),
            Self::Escaped => Err(Problem::new("JSON_PLACE", "an expression cannot follow a backslash")),
        }
    }

    fn merged(&self, other: &Self) -> Option<Self> {
        (self == other).then_some(*self)
    }
}
