//! From parameters to a running operation; HTTP, WebSocket and event stream share this.
//!
//! Guarantee: what reaches async-graphql is parsed, within bounds, and has its required
//! variables; what comes back has codes; a resolver that panics costs one answer, not the process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, IntrospectionMode, Request, Response, ServerError, Value};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};

use super::authenticate::{Authenticate, Principal};
use super::document::Document;
use super::error::{self, Phase, RequestError, code};
use super::params::Params;
use super::state::Transport;

/// An operation that may be executed.
pub(super) struct Prepared {
    pub kind: OperationType,
    request: Request,
    /// The document, if it is not kept yet.
    fresh: Option<Arc<Document>>,
    anonymous: bool,
}

/// One answer and whether anything was executed for it.
pub(super) struct Answer {
    pub response: Response,
    pub phase: Phase,
}

impl<E: Executor, A: Authenticate> Transport<E, A> {
    /// Parses (or remembers) the document and picks the operation.
    pub fn prepare(&self, params: Params, principal: A::Principal) -> Result<Prepared, RequestError> {
        let query = params.query.unwrap_or_default();
        let (document, fresh) = match self.documents.get(&query) {
            Some(document) => (document, false),
            None => {
                let parsed = Document::parse(&query, &self.settings.bounds)?;
                (Arc::new(parsed), true)
            }
        };
        let operation = document.operation(params.operation_name.as_deref())?;
        let anonymous = principal.is_anonymous();
        if anonymous && operation.introspects {
            return Err(RequestError::new(code::INTROSPECTION_DISABLED, "Only authenticated callers may read the schema; send a credential."));
        }
        for (name, kind) in &operation.required_variables {
            if params.variables.get(name).is_none_or(|value| *value == Value::Null) {
                return Err(RequestError::new(code::BAD_USER_INPUT, format!("Variable \"${name}\" of type \"{kind}\" needs a value.")));
            }
        }
        let kind = operation.kind;
        let mut request = Request::new(query).variables(params.variables);
        request.operation_name = params.operation_name;
        if let Some(extensions) = params.extensions {
            request.extensions.0 = extensions;
        }
        if anonymous {
            request.introspection_mode = IntrospectionMode::Disabled;
        }
        request.data.insert(principal);
        request.set_parsed_query(document.parsed.clone());
        Ok(Prepared { kind, request, fresh: fresh.then_some(document), anonymous })
    }

    /// Executes a query or mutation.
    pub async fn execute(&self, prepared: Prepared) -> Answer {
        let Prepared { request, fresh, anonymous, .. } = prepared;
        let query = fresh.is_some().then(|| request.query.clone());
        let response = AssertUnwindSafe(self.schema.execute(request)).catch_unwind().await.unwrap_or_else(|_| panicked());
        let answer = self.finish(response, anonymous);
        if let (Some(query), Some(document), Phase::Execution) = (query, fresh, answer.phase) {
            self.documents.insert(&query, &document);
        }
        answer
    }

    /// Executes any operation as a stream: one answer for queries and mutations.
    pub fn stream(self: &Arc<Self>, prepared: Prepared) -> BoxStream<'static, Answer> {
        let Prepared { request, fresh, anonymous, .. } = prepared;
        let mut unkept = fresh.map(|document| (request.query.clone(), document));
        let transport = Arc::clone(self);
        AssertUnwindSafe(self.schema.execute_stream(request, None))
            .catch_unwind()
            .map(move |item| {
                let response = item.unwrap_or_else(|_| panicked());
                let answer = transport.finish(response, anonymous);
                if let Some((query, document)) = unkept.take()
                    && answer.phase == Phase::Execution
                {
                    transport.documents.insert(&query, &document);
                }
                answer
            })
            .boxed()
    }

    fn finish(&self, mut response: Response, anonymous: bool) -> Answer {
        let phase = error::finish(&mut response, anonymous, self.settings.bounds.errors);
        Answer { response, phase }
    }
}

/// The panic itself is in the log, by the process's panic hook. The path marks it as an error of
/// execution, whose words are then hidden.
fn panicked() -> Response {
    let error = ServerError::new("a resolver panicked", None).with_path(vec![async_graphql::PathSegment::Index(0)]);
    Response::from_errors(vec![error])
}
