//! What a GraphQL answer means to a command.

use crate::cli::exit::{CliError, Exit};
use serde_json::Value;

/// The data of an answer, or its first error as the command's own.
pub(super) fn data(status: u16, body: &[u8]) -> Result<Value, CliError> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(body) else {
        return Err(CliError::new(exit_of(status, None), format!("the server answered {status} and not with GraphQL; is --server right?")));
    };
    if let Some(error) = answer["errors"].get(0) {
        let code = error["extensions"]["code"].as_str().map(str::to_owned);
        let message = error["message"].as_str().unwrap_or("the server refused");
        let incident = error["extensions"]["incident"].as_str().map_or_else(String::new, |id| format!(" (incident {id} in the server's log)"));
        let hint = hint(code.as_deref());
        return Err(CliError::new(exit_of(status, code.as_deref()), format!("{message}{incident}{hint}")).with_code(code));
    }
    if answer["data"].is_null() {
        return Err(CliError::failure(format!("the server answered {status} without data")));
    }
    Ok(answer["data"].take())
}

fn exit_of(status: u16, code: Option<&str>) -> Exit {
    match code {
        Some(code) if code.ends_with("NOT_FOUND") => Exit::NotFound,
        Some(code) if code.contains("CONFLICT") || code.contains("ALREADY") || code == "CONTENDED" => Exit::Conflict,
        Some("UNAVAILABLE" | "RATE_LIMITED" | "OVERLOADED" | "REQUEST_TIMEOUT") => Exit::Unavailable,
        Some("BAD_USER_INPUT") => Exit::Usage,
        _ => match status {
            404 => Exit::NotFound,
            409 => Exit::Conflict,
            408 | 429 | 502 | 503 | 504 => Exit::Unavailable,
            _ => Exit::Failure,
        },
    }
}

fn hint(code: Option<&str>) -> &'static str {
    match code {
        Some("UNAUTHENTICATED" | "KEY_REVOKED") => "; set BONGSU_KEY to a valid key, or --data to the server's folder",
        Some("FORBIDDEN") => "; this needs a key with another role, see `bongsu key create --help`",
        _ => "",
    }
}

/// A refusal that the schema expects.
pub(super) fn refusal(code: &str, message: &str) -> CliError {
    let exit = match exit_of(200, Some(code)) {
        // Whatever else is refused is refused for what was asked.
        Exit::Failure if code.contains("INVALID") || code.contains("TOO_LARGE") || code == "TEMPLATE_PARAMETERS" => Exit::Usage,
        exit => exit,
    };
    CliError::new(exit, message).with_code(Some(code.to_owned()))
}
