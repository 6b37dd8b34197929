//! GraphQL over HTTP.

use super::response;
use crate::cli::exit::{CliError, Exit};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for a rebuild.
const LONG_TIMEOUT: Duration = Duration::from_secs(6 * 3_600);

/// A client of one server with one key.
pub struct Client {
    http: reqwest::Client,
    server: String,
    authorization: Option<HeaderValue>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Whether an address is this machine's own.
pub(super) fn loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl Client {
    /// For a server's address.
    pub fn new(server: &str, key: Option<&str>) -> Result<Self, CliError> {
        let url = url::Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| CliError::usage("--server must be an address such as http://127.0.0.1:8080"))?;
        let authorization = key
            .map(|key| {
                let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| CliError::usage("the API key has characters that no key has"))?;
                value.set_sensitive(true);
                Ok::<_, CliError>(value)
            })
            .transpose()?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // A redirect would hand the key to whoever is named.
            .redirect(reqwest::redirect::Policy::none());
        if loopback(&url) {
            // A proxy would look for the server on its own machine, and be handed the key.
            http = http.no_proxy();
        }
        let http = http.build().map_err(CliError::failure)?;
        Ok(Self { http, server: url.as_str().trim_end_matches('/').to_owned(), authorization })
    }

    /// Runs an operation and gives its `data`.
    pub async fn run(&self, query: &str, variables: Value) -> Result<Value, CliError> {
        self.answer(query, variables, TIMEOUT).await
    }

    /// Runs an operation that may take long, such as a rebuild.
    pub async fn run_long(&self, query: &str, variables: Value) -> Result<Value, CliError> {
        self.answer(query, variables, LONG_TIMEOUT).await
    }

    async fn answer(&self, query: &str, variables: Value, timeout: Duration) -> Result<Value, CliError> {
        let answer = self
            .http
            .post(format!("{}/graphql", self.server))
            .timeout(timeout)
            .headers(self.headers())
            .header(ACCEPT, "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        response::data(status, &body)
    }

    /// A plain page of the server, with its status.
    pub async fn page(&self, path: &str) -> Result<(u16, String), CliError> {
        let answer =
            self.http.get(format!("{}{path}", self.server)).timeout(TIMEOUT).headers(self.headers()).send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        Ok((status, text))
    }

    /// Posts a body as it is; gives the status and the answer's text.
    pub async fn post(&self, path: &str, kind: &'static str, body: Vec<u8>) -> Result<(u16, String), CliError> {
        let request = self.http.post(format!("{}{path}", self.server)).timeout(TIMEOUT).headers(self.headers()).header(CONTENT_TYPE, kind).body(body);
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        Ok((status, text))
    }

    fn headers(&self) -> HeaderMap {
        self.authorization.iter().map(|value| (AUTHORIZATION, value.clone())).collect()
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        let what = if error.is_timeout() {
            "did not answer in time"
        } else if error.is_connect() {
            "cannot be reached"
        } else {
            "broke the connection off"
        };
        CliError::new(Exit::Unavailable, format!("the server at {} {what}; is it running? `bongsu serve` starts one, --server names another", self.server))
    }
}
