//! `[log]`: what the server says about itself on stderr.

use super::section::{Reader, section};
use super::value::{Form, Value};
use std::path::Path;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Value for LogFormat {
    const KIND: &'static str = "`text` or `json`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }
}

section! {
    /// What the server says about itself, on stderr. Content, addresses and tokens are never
    /// logged, at no level.
    Log at "log" {
        /// For people (`text`) or for programs (`json`).
        format: LogFormat = "text",
        /// How much: `error`, `warn`, `info`, `debug` or `trace`, also a module at a time, such as
        /// `info,workers=debug`.
        level: String = "info",
    }
}

impl Log {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.level) {
            reader.problem("log.level", error);
        }
    }
}
