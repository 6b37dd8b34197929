//! Query documents: parsed once, measured once, kept for the next request with the same text.
//!
//! Guarantee: a [`Document`] in hand is within the [`Bounds`] that can be judged without the
//! schema, has no circular fragments, and can be walked with every fragment expanded in bounded
//! time.

mod cache;
mod measure;
mod nesting;

pub use cache::DocumentCache;

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};

use super::bounds::Bounds;
use super::error::{RequestError, code};

/// A parsed document and what the transport asks about it.
#[derive(Debug)]
pub struct Document {
    /// What async-graphql executes (on a copy).
    pub parsed: ExecutableDocument,
    /// Roughly how many bytes the parsed form takes.
    weight: usize,
    operations: Operations,
}

/// Facts about one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Asks for `__schema` or `__type` at its root.
    pub introspects: bool,
    /// Non-null variables without a default: name and type as written.
    pub required_variables: Vec<(Name, String)>,
}

#[derive(Debug)]
enum Operations {
    Single(Operation),
    Named(HashMap<Name, Operation>),
}

impl Document {
    /// Parses and measures.
    pub fn parse(query: &str, bounds: &Bounds) -> Result<Self, RequestError> {
        if query.len() > bounds.query_bytes {
            return Err(RequestError::new(code::QUERY_TOO_LONG, format!("The query text may have {} bytes; shorten it.", bounds.query_bytes)));
        }
        if nesting::deepest(query) > bounds.nesting {
            return Err(measure::too_deep(bounds.nesting));
        }
        let parsed = parse_query(query).map_err(|error| RequestError::from_parser(&error))?;
        let mut measures = measure::Measures::new(&parsed, bounds);
        let selections = measures.check()?;
        let operations = match &parsed.operations {
            DocumentOperations::Single(operation) => Operations::Single(measures.describe(&operation.node)?),
            DocumentOperations::Multiple(named) => Operations::Named(
                named.iter().map(|(name, operation)| Ok((name.clone(), measures.describe(&operation.node)?))).collect::<Result<_, RequestError>>()?,
            ),
        };
        Ok(Self {
            parsed,
            // A selection takes a few hundred bytes in async-graphql's tree.
            weight: query.len() * 2 + selections * 400,
            operations,
        })
    }

    /// The operation that a request asks for.
    pub fn operation(&self, name: Option<&str>) -> Result<&Operation, RequestError> {
        match (&self.operations, name) {
            (Operations::Single(operation), None) => Ok(operation),
            (Operations::Named(named), Some(name)) if named.contains_key(name) => Ok(&named[name]),
            (Operations::Named(named), None) if named.len() == 1 => named.values().next().ok_or_else(name_one),
            (Operations::Named(_), None) => Err(name_one()),
            (_, Some(_)) => Err(RequestError::new(code::OPERATION_NOT_FOUND, "The document has no operation of that name; check `operationName`.")),
        }
    }
}

fn name_one() -> RequestError {
    RequestError::new(code::OPERATION_NOT_FOUND, "The document has several operations; name one in `operationName`.")
}

fn required_variables(operation: &OperationDefinition) -> Vec<(Name, String)> {
    operation
        .variable_definitions
        .iter()
        .filter(|definition| !definition.node.var_type.node.nullable && definition.node.default_value.is_none())
        .map(|definition| (definition.node.name.node.clone(), definition.node.var_type.node.to_string()))
        .collect()
}
