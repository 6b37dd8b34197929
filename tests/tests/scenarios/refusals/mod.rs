//! Bad input and callers who may not: each is told why by a stable code, learns nothing about the
//! inside, and changes nothing.

mod callers;
mod input;
mod requests;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{App, Client};

const JSON: &str = "application/json";
/// Words of the inside: of its database, its language, its folders.
const INSIDE: [&str; 10] = ["sqlite", "select ", "insert into", "constraint", "panicked", "unwrap", ".rs:", "/src/", ".db", "stack backtrace"];

/// The code of a refusal, wherever it stands: an error's, or that of data of type `Problem`.
fn code(body: &Value) -> Option<&str> {
    let data = body["data"].as_object().into_iter().flat_map(serde_json::Map::values);
    let problem = || data.flat_map(|field| [&field["code"], &field["results"][0]["code"]]).find_map(Value::as_str);
    body["errors"][0]["extensions"]["code"].as_str().or_else(problem)
}

/// Collects what was not refused as it should be, so that one run shows all of it.
struct Refusals<'a> {
    app: &'a App,
    head: String,
    wrong: Vec<String>,
}

impl<'a> Refusals<'a> {
    async fn begin(app: &'a App) -> Result<Self> {
        Ok(Self { app, head: app.admin.head().await?, wrong: Vec::new() })
    }

    fn note(&mut self, what: &str, body: &Value, expected: &str) {
        let whole = body.to_string();
        let text: String = whole.chars().take(600).collect();
        if code(body) != Some(expected) {
            self.wrong.push(format!("{what}: not {expected}: {text}"));
        }
        let folder = self.app.root().display().to_string();
        let lower = whole.to_lowercase();
        if let Some(word) = INSIDE.into_iter().chain([folder.as_str()]).find(|word| lower.contains(word)) {
            self.wrong.push(format!("{what}: tells {word:?}: {text}"));
        }
    }

    /// A mutation of one input.
    async fn mutation(&mut self, by: &Client, field: &str, input: Value, expected: &str) -> Result<()> {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let kind = if field.starts_with("mark") || field == "archive" { "MarkInput".to_owned() } else { kind };
        let ask = if field == "sendNotifications" { "results { ... on Problem { code message } }" } else { "... on Problem { code message }" };
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ __typename {ask} }} }}");
        let answer = by.ask(&query, json!({ "input": input })).await?;
        let shown: String = input.to_string().chars().take(120).collect();
        self.note(&format!("{field} {shown}"), &answer.body, expected);
        Ok(())
    }

    /// A document without variables.
    async fn document(&mut self, by: &Client, query: &str, expected: &str) -> Result<()> {
        let answer = by.ask(query, Value::Null).await?;
        self.note(&query.chars().take(120).collect::<String>(), &answer.body, expected);
        Ok(())
    }

    /// A request as it is, with the status that it must get.
    async fn request(&mut self, what: &str, request: RequestBuilder, status: u16, expected: &str) -> Result<()> {
        let answer = request.send().await.with_context(|| what.to_owned())?;
        let found = answer.status().as_u16();
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).with_context(|| format!("{what}: {found}, not JSON: {text}"))?;
        self.note(what, &body, expected);
        if found != status {
            self.wrong.push(format!("{what}: {found}, not {status}: {body}"));
        }
        Ok(())
    }

    /// Nothing was wrong, and nothing was recorded.
    async fn end(self) -> Result<()> {
        if !self.wrong.is_empty() {
            bail!("{} of the answers are wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        }
        assert_eq!(self.app.admin.head().await?, self.head, "a refusal changes nothing");
        Ok(())
    }
}

/// A request of one's own making to the GraphQL endpoint.
fn raw(client: &Client, method: Method, query: &str) -> Result<RequestBuilder> {
    Ok(reqwest::Client::builder().no_proxy().build()?.request(method, format!("{}/graphql{query}", client.base())))
}

/// A mutation that would record something, were it carried out.
fn registering() -> Vec<u8> {
    json!({ "query": r#"mutation { registerSender(input: { key: "intruder", name: "Intruder" }) { __typename } }"# }).to_string().into_bytes()
}
