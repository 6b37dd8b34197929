//! Secrets: passwords and keys that must not be seen in logs, errors or `config show`.

use super::{Form, Value};
use std::path::Path;
use std::sync::Arc;

/// A secret text. Neither `Debug` nor anything else here prints it; whoever needs it says
/// [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Value for Secret {
    const KIND: &'static str = "a secret";
    const FORM: Form = Form::Text;
    const SECRET: bool = true;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty; leave the key out instead".to_owned());
        }
        Ok(Self::new(text))
    }
}
