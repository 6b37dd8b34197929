//! Exceptional errors, with their stable codes.

use async_graphql::{Error, ErrorExtensions};
use commands::bus::Refused;
use commands::log::LogError;
use projections::store::ReadError;

/// An error with a code that clients can rely on.
pub fn failure(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// An error that passes, and after how many seconds.
pub fn later(code: &'static str, message: String, seconds: u32) -> Error {
    Error::new(message).extend_with(|_, extensions| {
        extensions.set("code", code);
        extensions.set("retryAfter", seconds);
    })
}

/// The log refused. Nothing was changed.
pub fn log_error(error: LogError) -> Error {
    match error {
        LogError::Overloaded => later("RATE_LIMITED", error.to_string(), 1),
        LogError::Unavailable { .. } | LogError::Closed | LogError::Keys { .. } => {
            tracing::error!(error = ?error, "the log refused a request");
            later("UNAVAILABLE", error.to_string(), 5)
        }
        LogError::Newer { .. } | LogError::Poison { .. } => {
            tracing::error!(error = ?error, "the log cannot be read");
            // Without a code the transport logs it under an incident and shows only that.
            Error::new("the log cannot be read")
        }
    }
}

/// A read model refused.
pub fn read_error(error: ReadError) -> Error {
    tracing::error!(error = ?error, "a read model refused a request");
    later("UNAVAILABLE", error.to_string(), 2)
}

/// The bus refused for another reason than the aggregate's own.
pub fn bus_error<R: std::fmt::Display>(error: Refused<R>) -> Error {
    match error {
        Refused::Log(error) => log_error(error),
        Refused::Refusal(refusal) => failure("BAD_USER_INPUT", refusal.to_string()),
        Refused::Contended => later("RATE_LIMITED", "Too many changes of the same object at the same time; try again.".to_owned(), 1),
    }
}
