//! Errors as clients see them: every one has a stable `extensions.code` and says what to do next.
//!
//! Guarantee: nothing leaves that async-graphql or a resolver made up on the spot without a code;
//! an error nobody foresaw is logged under a number, and only that number is shown.

mod classify;

pub use classify::{Phase, finish};

use async_graphql::{ErrorExtensionValues, ServerError};

use super::authenticate::AuthFailure;

/// The codes this transport itself gives. They never change their meaning.
pub mod code {
    /// The request is not a well-formed GraphQL-over-HTTP request.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// An array of requests was sent.
    pub const BATCH_DISABLED: &str = "BATCH_DISABLED";
    /// The body or message is longer than allowed.
    pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
    /// The body did not arrive in time.
    pub const REQUEST_TIMEOUT: &str = "REQUEST_TIMEOUT";
    /// The body is not `application/json` in UTF-8, or is compressed.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// No media type in `Accept` can be served.
    pub const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    /// The method does not fit: a mutation by GET, or neither GET nor POST.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// The query text is not GraphQL.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// A variable or argument has a value that its type does not allow.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// `operationName` names nothing, or is missing where it is needed.
    pub const OPERATION_NOT_FOUND: &str = "OPERATION_NOT_FOUND";
    /// A subscription was sent where only one answer can be given.
    pub const SUBSCRIPTION_NOT_SUPPORTED: &str = "SUBSCRIPTION_NOT_SUPPORTED";
    /// The caller may not read the schema.
    pub const INTROSPECTION_DISABLED: &str = "INTROSPECTION_DISABLED";
    /// See [`super::super::Bounds::query_bytes`].
    pub const QUERY_TOO_LONG: &str = "QUERY_TOO_LONG";
    /// See [`super::super::Bounds::depth`].
    pub const QUERY_TOO_DEEP: &str = "QUERY_TOO_DEEP";
    /// See [`super::super::Bounds::complexity`].
    pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
    /// See [`super::super::Bounds::aliases`].
    pub const TOO_MANY_ALIASES: &str = "TOO_MANY_ALIASES";
    /// See [`super::super::Bounds::root_fields`].
    pub const TOO_MANY_ROOT_FIELDS: &str = "TOO_MANY_ROOT_FIELDS";
    /// See [`super::super::Bounds::directives`].
    pub const TOO_MANY_DIRECTIVES: &str = "TOO_MANY_DIRECTIVES";
    /// See [`super::super::Bounds::operations`].
    pub const TOO_MANY_OPERATIONS: &str = "TOO_MANY_OPERATIONS";
    /// See [`super::super::Bounds::variables`].
    pub const TOO_MANY_VARIABLES: &str = "TOO_MANY_VARIABLES";
    /// A browser page of a foreign origin tried to open a WebSocket.
    pub const ORIGIN_FORBIDDEN: &str = "ORIGIN_FORBIDDEN";
    /// All long-lived connections are taken.
    pub const TOO_MANY_CONNECTIONS: &str = "TOO_MANY_CONNECTIONS";
    /// All operations of this connection are taken.
    pub const TOO_MANY_OPERATIONS_RUNNING: &str = "TOO_MANY_OPERATIONS_RUNNING";
    /// The caller is not known.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The caller is known and may not.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// The caller sends too much.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// Something that the request needs is down for now.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// Our fault; the log has more under the number shown.
    pub const INTERNAL: &str = "INTERNAL";
}

/// Why a request is refused before it is executed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {}", error.message)]
pub struct RequestError {
    /// The stable code, also inside `error`.
    pub code: &'static str,
    error: Box<ServerError>,
}

impl RequestError {
    /// An error with a code and what to do next.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::from_server(code, ServerError::new(message, None))
    }

    /// What the parser expected, and where. Its own message would repeat the caller's text, which
    /// may be long and may hold what should not reach a log.
    pub fn from_parser(error: &async_graphql::parser::Error) -> Self {
        let message = error.to_string();
        let expected = match message.rsplit_once(" = ") {
            Some((_, expected)) if message.contains('\n') => expected.trim(),
            _ => message.as_str(),
        };
        let mut server = ServerError::new(format!("Syntax error: {expected}."), None);
        server.locations = error.positions().collect();
        Self::from_server(code::GRAPHQL_PARSE_FAILED, server)
    }

    fn from_server(code: &'static str, mut error: ServerError) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code);
        error.extensions = Some(extensions);
        let error = Box::new(error);
        Self { code, error }
    }

    /// As async-graphql's type, to be written out.
    pub fn into_server(self) -> ServerError {
        *self.error
    }
}

impl From<&AuthFailure> for RequestError {
    fn from(failure: &AuthFailure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

/// The code an error carries, if any.
pub fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(code),
        async_graphql::Value::Enum(code) => Some(code.as_str()),
        _ => None,
    }
}
