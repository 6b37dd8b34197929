//! Gives async-graphql's errors their codes.
//!
//! async-graphql 7 tells its errors apart by their English messages only; the ones relied on here
//! are pinned by tests against the real library, so that an upgrade which rewords them is seen.

use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use super::{code, code_of};

/// Where in a request's life its answer's errors arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was executed: the answer has no `data` entry at all.
    Request,
    /// Execution began; fields may have failed.
    Execution,
}

/// Completes an answer: tells its phase, gives every error a code, hides what is not for this
/// caller, and drops errors past `max_errors`.
pub fn finish(response: &mut Response, anonymous: bool, max_errors: usize) -> Phase {
    if response.errors.is_empty() {
        return Phase::Execution;
    }
    // Only an error from before execution lacks a path; async-graphql marks it in no other way.
    let phase = if response.data == Value::Null && response.errors.iter().all(|error| error.path.is_empty()) { Phase::Request } else { Phase::Execution };
    response.errors.truncate(max_errors.max(1));
    for error in &mut response.errors {
        complete(error, phase, anonymous);
    }
    phase
}

fn complete(error: &mut ServerError, phase: Phase, anonymous: bool) {
    if code_of(error).is_some() {
        return;
    }
    let code = match phase {
        Phase::Request => request_code(&error.message),
        Phase::Execution => execution_code(error),
    };
    if code == code::INTERNAL {
        hide(error);
    }
    if anonymous && phase == Phase::Request && matches!(code, code::GRAPHQL_VALIDATION_FAILED | code::BAD_USER_INPUT) {
        // These messages name types, fields, arguments and values, and suggest others.
        "The document does not fit the schema; authenticate to be told how.".clone_into(&mut error.message);
    }
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("code", code);
}

fn request_code(message: &str) -> &'static str {
    const BY_START: [(&str, &str); 6] = [
        ("Query is too complex", code::QUERY_TOO_COMPLEX),
        ("Query is nested too deep", code::QUERY_TOO_DEEP),
        ("The recursion depth of the query", code::QUERY_TOO_DEEP),
        ("The number of directives on", code::TOO_MANY_DIRECTIVES),
        ("Invalid value for argument", code::BAD_USER_INPUT),
        ("Unknown operation named", code::OPERATION_NOT_FOUND),
    ];
    BY_START.iter().find(|(start, _)| message.starts_with(start)).map_or(code::GRAPHQL_VALIDATION_FAILED, |(_, code)| code)
}

fn execution_code(error: &ServerError) -> &'static str {
    // An error converted from a Rust error has a source and was not made for callers.
    let input = error.source.is_none() && ["Failed to parse \"", "Expected input type \"", "Variable "].iter().any(|start| error.message.starts_with(start));
    if input { code::BAD_USER_INPUT } else { code::INTERNAL }
}

/// Logs an unforeseen error under a number and shows only that.
fn hide(error: &mut ServerError) {
    static INCIDENTS: AtomicU64 = AtomicU64::new(1);
    let incident = INCIDENTS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(incident, path = ?error.path, error = %error.message, "unforeseen GraphQL error");
    *error = ServerError {
        message: format!("Something failed on our side. Try again; if it stays, report incident {incident}."),
        source: None,
        locations: std::mem::take(&mut error.locations),
        path: std::mem::take(&mut error.path),
        extensions: None,
    };
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("incident", incident.to_string());
}
