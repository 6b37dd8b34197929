//! One HTTP request at `/graphql`.
//!
//! Order matters: method, then caller, then headers, then body; each step is cheaper than the
//! next, and a stranger never makes us read.

use std::sync::Arc;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::authenticate::Authenticate;
use super::body::{self, BodyError};
use super::error::{RequestError, code};
use super::negotiate::{self, Format};
use super::params::Params;
use super::state::{Transport, Turn};
use super::{respond, sse, websocket};

/// A refusal with its HTTP status.
type Refusal = (StatusCode, RequestError);

/// Answers a request.
pub(super) async fn handle<E: Executor, A: Authenticate>(transport: Arc<Transport<E, A>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let is_get = parts.method == Method::GET;
    if is_get && websocket::is_upgrade(&parts.headers) {
        return websocket::upgrade(transport, parts).await;
    }
    let Some(format) = negotiate::accept(&parts.headers) else {
        let error = RequestError::new(code::NOT_ACCEPTABLE, "Accept application/graphql-response+json, application/json or text/event-stream.");
        return respond::refuse(StatusCode::NOT_ACCEPTABLE, error, Format::Json);
    };
    if !is_get && parts.method != Method::POST {
        let error = RequestError::new(code::METHOD_NOT_ALLOWED, "Use POST, or GET for queries.");
        return not_allowed(error, format, "GET, POST");
    }
    let principal = match transport.auth.authenticate(&parts.headers, None).await {
        Ok(principal) => principal,
        Err(failure) => return respond::unauthorised(&failure, format),
    };
    if let Err(failure) = transport.auth.admit(&principal) {
        return respond::unauthorised(&failure, format);
    }
    let params = if is_get {
        let params = Params::from_query_string(parts.uri.query().unwrap_or_default());
        params.map(|params| (params, None)).map_err(|error| (StatusCode::BAD_REQUEST, error))
    } else {
        read_params(&transport, &parts.headers, body).await
    };
    let (params, turn) = match params {
        Ok(params) => params,
        Err((status, error)) => return respond::refuse(status, error, format),
    };
    let held = (format == Format::EventStream).then(|| principal.clone());
    let prepared = match transport.prepare(params, principal) {
        Ok(prepared) => prepared,
        Err(error) => return respond::refuse(refusal_status(format), error, format),
    };
    if is_get && prepared.kind == OperationType::Mutation {
        let error = RequestError::new(code::METHOD_NOT_ALLOWED, "Mutations change things and need POST.");
        return not_allowed(error, format, "POST");
    }
    if let Some(principal) = held {
        return sse::open(transport, prepared, principal);
    }
    if prepared.kind == OperationType::Subscription {
        let error = RequestError::new(
            code::SUBSCRIPTION_NOT_SUPPORTED,
            "Subscribe with `Accept: text/event-stream`, or over a WebSocket with the \
             graphql-transport-ws protocol.",
        );
        return respond::refuse(refusal_status(format), error, format);
    }
    let answer = transport.execute(prepared).await;
    drop(turn);
    respond::answer(answer.response, answer.phase, format)
}

/// The status of a well-formed request whose document or variables are refused.
fn refusal_status(format: Format) -> StatusCode {
    match format {
        Format::Json => StatusCode::OK,
        Format::GraphqlResponse | Format::EventStream => StatusCode::BAD_REQUEST,
    }
}

fn not_allowed(error: RequestError, format: Format, allow: &'static str) -> Response<Body> {
    let mut http = respond::refuse(StatusCode::METHOD_NOT_ALLOWED, error, format);
    http.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    http
}

async fn read_params<E: Executor, A: Authenticate>(
    transport: &Transport<E, A>,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<(Params, Option<Turn>), Refusal> {
    if !negotiate::is_json(headers) || !negotiate::is_uncompressed(headers) {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RequestError::new(code::UNSUPPORTED_MEDIA_TYPE, "Send the body as `Content-Type: application/json`, in UTF-8 and uncompressed."),
        ));
    }
    let settings = &transport.settings;
    let read = body::read(&mut body, settings.body_bytes, settings.body_timeout).await;
    // Who asks first whether to send has sent nothing yet, and draining would ask for it.
    if read == Err(BodyError::TooLarge) && !headers.contains_key(header::EXPECT) {
        settings.connections.spawn(body::drain(body));
    }
    let bytes = read.map_err(|error| body_refusal(error, settings.body_bytes))?;
    let Some(turn) = transport.turn(bytes.len()).await else {
        let error = RequestError::new(code::UNAVAILABLE, "Too many large requests are being worked on; send this again in a moment, or less at once.");
        return Err((StatusCode::SERVICE_UNAVAILABLE, error));
    };
    let params = Params::from_json(&bytes).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    Ok((params, Some(turn)))
}

fn body_refusal(error: BodyError, limit: usize) -> Refusal {
    match error {
        BodyError::TooLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, RequestError::new(code::BODY_TOO_LARGE, format!("A request body may have {limit} bytes; send less at once.")))
        }
        BodyError::Timeout => {
            (StatusCode::REQUEST_TIMEOUT, RequestError::new(code::REQUEST_TIMEOUT, "The body did not arrive in time; send it without pauses."))
        }
        BodyError::Broken => (StatusCode::BAD_REQUEST, RequestError::new(code::BAD_REQUEST, "The body ended too early; send it again.")),
    }
}
