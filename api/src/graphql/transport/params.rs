//! The parameters of a GraphQL request, from JSON or from a query string.
//!
//! Strict where async-graphql's own type is lenient: `query` must be there and each parameter must
//! have its type, as <https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters>
//! demands.

use std::collections::HashMap;

use async_graphql::{Value, Variables};
use serde::Deserialize;

use super::error::{RequestError, code};

/// `query`, `operationName`, `variables`, `extensions`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params {
    pub query: Option<String>,
    #[serde(default)]
    pub operation_name: Option<String>,
    #[serde(default)]
    pub variables: Variables,
    #[serde(default)]
    pub extensions: Option<HashMap<String, Value>>,
}

impl Params {
    /// From a JSON body or the payload of a `subscribe` message.
    pub fn from_json(json: &[u8]) -> Result<Self, RequestError> {
        match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => {}
            Some(b'[') => {
                return Err(RequestError::new(code::BATCH_DISABLED, "Batches are off; send each operation in its own request."));
            }
            _ => return Err(bad("The request must be a JSON object.")),
        }
        let params: Self = serde_json::from_slice(json).map_err(|error| {
            if error.is_data() {
                bad("`query` and `operationName` must be strings, `variables` and `extensions` \
                     objects, each given once.")
            } else {
                bad("The request is not valid JSON.")
            }
        })?;
        params.complete()
    }

    /// From a URL's query string.
    pub fn from_query_string(query: &str) -> Result<Self, RequestError> {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "query" => params.query = Some(value.into_owned()),
                "operationName" => params.operation_name = Some(value.into_owned()),
                "variables" => {
                    params.variables = serde_json::from_str(&value).map_err(|_| bad("`variables` must be a JSON object."))?;
                }
                "extensions" => {
                    params.extensions = serde_json::from_str(&value).map_err(|_| bad("`extensions` must be a JSON object."))?;
                }
                _ => {}
            }
        }
        params.complete()
    }

    fn complete(self) -> Result<Self, RequestError> {
        if self.query.is_none() {
            return Err(bad("`query` is missing; send the GraphQL document there."));
        }
        Ok(self)
    }
}

fn bad(message: &'static str) -> RequestError {
    RequestError::new(code::BAD_REQUEST, message)
}
