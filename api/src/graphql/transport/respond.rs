//! Writing answers: once, into one buffer.

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;

use super::authenticate::AuthFailure;
use super::error::{Phase, RequestError, code, code_of};
use super::negotiate::Format;

/// An answer of which nothing was executed; the specification wants no `data` entry then.
#[derive(Serialize)]
pub(super) struct Refused<'a> {
    pub errors: &'a [ServerError],
}

/// The answer as JSON.
pub(super) fn to_json(response: &GraphqlResponse, phase: Phase) -> Bytes {
    match phase {
        Phase::Execution => encode(response),
        Phase::Request => encode(&Refused { errors: &response.errors }),
    }
}

/// Any of our own types as JSON.
pub(super) fn encode(value: &impl Serialize) -> Bytes {
    let mut buffer = Vec::with_capacity(512);
    match serde_json::to_writer(&mut buffer, value) {
        Ok(()) => Bytes::from(buffer),
        // Only a resolver's value that JSON cannot hold gets here, such as a binary scalar.
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Bytes::from_static(br#"{"errors":[{"message":"The answer could not be written as JSON; report this.","extensions":{"code":"INTERNAL"}}]}"#)
        }
    }
}

/// An executed (or refused) request over HTTP.
pub(super) fn answer(mut response: GraphqlResponse, phase: Phase, format: Format) -> Response<Body> {
    let status = status(&response, phase, format);
    let extra = std::mem::take(&mut response.http_headers);
    let mut http = plain(status, format, to_json(&response, phase));
    if status == StatusCode::TOO_MANY_REQUESTS
        && let Some(seconds) = retry_after(&response.errors)
    {
        http.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if status == StatusCode::UNAUTHORIZED {
        challenge(&mut http);
    }
    http.headers_mut().extend(extra);
    http
}

/// A request that never became an operation.
pub(super) fn refuse(status: StatusCode, error: RequestError, format: Format) -> Response<Body> {
    // An event stream has not begun yet, so its refusal is plain JSON.
    let format = match format {
        Format::EventStream => Format::Json,
        other => other,
    };
    let errors = [error.into_server()];
    plain(status, format, encode(&Refused { errors: &errors }))
}

/// A caller who is not let in.
pub(super) fn unauthorised(failure: &AuthFailure, format: Format) -> Response<Body> {
    let mut http = refuse(failure.status, RequestError::from(failure), format);
    if failure.status == StatusCode::UNAUTHORIZED {
        challenge(&mut http);
    }
    if failure.status == StatusCode::TOO_MANY_REQUESTS {
        http.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    http
}

fn challenge(http: &mut Response<Body>) {
    http.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
}

fn plain(status: StatusCode, format: Format, body: Bytes) -> Response<Body> {
    let mut http = Response::new(Body::from(body));
    *http.status_mut() = status;
    let headers = http.headers_mut();
    headers.insert(header::CONTENT_TYPE, format.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    http
}

/// The HTTP status of an answer.
///
/// A well-formed request that is refused has 400 under the GraphQL media type and 200 under
/// `application/json`. When nothing at all could be answered for a reason that proxies and retry
/// logic understand, the status says so under both.
fn status(response: &GraphqlResponse, phase: Phase, format: Format) -> StatusCode {
    if response.errors.is_empty() || response.data != Value::Null {
        return StatusCode::OK;
    }
    let known = response.errors.iter().find_map(|error| {
        Some(match code_of(error)? {
            code::UNAUTHENTICATED | "KEY_REVOKED" => StatusCode::UNAUTHORIZED,
            code::FORBIDDEN => StatusCode::FORBIDDEN,
            code::RATE_LIMITED => StatusCode::TOO_MANY_REQUESTS,
            code::INTERNAL | code::UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
            _ => return None,
        })
    });
    match (known, phase, format) {
        (Some(status), _, _) => status,
        (None, Phase::Request, Format::GraphqlResponse) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// `extensions.retryAfter`, in seconds.
fn retry_after(errors: &[ServerError]) -> Option<HeaderValue> {
    errors.iter().find_map(|error| match error.extensions.as_ref()?.get("retryAfter")? {
        Value::Number(seconds) => Some(HeaderValue::from(seconds.as_u64()?)),
        _ => None,
    })
}
