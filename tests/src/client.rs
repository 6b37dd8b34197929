//! A client of the GraphQL API with one credential.

use crate::wait::until;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credential: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// After how many seconds to come again.
    pub retry_after: Option<u64>,
    /// The whole body.
    pub body: Value,
}

impl Answer {
    /// The data; errors are errors.
    pub fn data(&self) -> Result<Value> {
        match self.body.get("errors") {
            Some(errors) => bail!("{}: {errors}", self.status),
            None => Ok(self.body["data"].clone()),
        }
    }

    /// The code of the first error.
    pub fn code(&self) -> Result<&str> {
        self.body["errors"][0]["extensions"]["code"].as_str().with_context(|| format!("no error with a code: {}", self.body))
    }
}

/// What a mutation says of a notification it accepted.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The notification.
    pub id: String,
    /// The position.
    pub position: String,
    /// Known under its key before.
    pub duplicate: bool,
}

impl Client {
    /// Of the server at `base`, with a key or token.
    pub fn new(base: &str, credential: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?;
        Ok(Self { http, base: base.to_owned(), credential: credential.to_owned() })
    }

    /// The same server with another credential.
    #[must_use]
    pub fn with(&self, credential: &str) -> Self {
        Self { credential: credential.to_owned(), ..self.clone() }
    }

    /// Where the server is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its key or token.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Gets a path of the server's, with the credential: status and body.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.credential).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Posts a body as it is to the GraphQL endpoint.
    pub async fn post(&self, content_type: &str, body: Vec<u8>) -> Result<Answer> {
        let request = self.http.post(format!("{}/graphql", self.base)).bearer_auth(&self.credential).header("content-type", content_type).body(body);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let text = answer.text().await?;
        Ok(Answer { status, retry_after, body: serde_json::from_str(&text).with_context(|| format!("{status}: not JSON: {text}"))? })
    }

    /// Runs a document, whatever comes of it.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Answer> {
        self.post("application/json", serde_json::to_vec(&json!({ "query": query, "variables": variables }))?).await
    }

    /// Runs a document that must succeed; gives its data.
    pub async fn query(&self, query: &str, variables: Value) -> Result<Value> {
        self.ask(query, variables).await?.data()
    }

    /// Runs a mutation of one input, whether its result is a success or a refusal; `ask` are the
    /// fields wanted of a success, as fragments where the result is a union.
    pub async fn attempt(&self, field: &str, kind: &str, ask: &str, input: Value) -> Result<Value> {
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ __typename {ask} ... on Problem {{ code message }} }} }}");
        Ok(self.query(&query, json!({ "input": input })).await?[field].clone())
    }

    /// Runs a mutation that must not be refused.
    pub async fn mutate(&self, field: &str, kind: &str, ask: &str, input: Value) -> Result<Value> {
        let result = self.attempt(field, kind, ask, input).await?;
        if result["code"].is_string() {
            bail!("{field} was refused: {result}");
        }
        Ok(result)
    }

    /// Creates or changes a recipient.
    pub async fn upsert_recipient(&self, input: Value) -> Result<()> {
        self.mutate("upsertRecipient", "UpsertRecipientInput", "", input).await.map(drop)
    }

    /// Registers a device of a recipient's.
    pub async fn register_device(&self, recipient: &str, channel: &str, token: &str) -> Result<()> {
        let input = json!({ "recipient": recipient, "channel": channel, "token": token });
        self.mutate("registerDevice", "RegisterDeviceInput", "", input).await.map(drop)
    }

    /// Registers a browser of a recipient's.
    pub async fn register_browser(&self, recipient: &str, subscription: Value) -> Result<()> {
        let input = json!({ "recipient": recipient, "channel": "WEB_PUSH", "subscription": subscription });
        self.mutate("registerDevice", "RegisterDeviceInput", "", input).await.map(drop)
    }

    /// Turns a channel on or off for a recipient.
    pub async fn subscribe_channel(&self, recipient: &str, channel: &str, subscribed: bool) -> Result<()> {
        let input = json!({ "recipient": recipient, "scope": "CHANNEL", "channel": channel, "subscribed": subscribed });
        self.mutate("setSubscription", "SetSubscriptionInput", "", input).await.map(drop)
    }

    /// A client with a fresh token of a recipient's.
    pub async fn as_recipient(&self, recipient: &str) -> Result<Self> {
        let minted = self.mutate("mintRecipientToken", "MintRecipientTokenInput", "... on RecipientToken { token }", json!({ "recipient": recipient })).await?;
        Ok(self.with(minted["token"].as_str().with_context(|| format!("no token in {minted}"))?))
    }

    /// Sends one; `extra` is laid over a plain notification to the recipient.
    pub async fn attempt_send(&self, recipient: &str, extra: Value) -> Result<Value> {
        let mut input = json!({ "recipient": recipient, "content": { "title": "Hello", "body": "How are you?" } });
        if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
            input.extend(extra.clone());
        }
        self.attempt("sendNotification", "SendNotificationInput", "... on SendAccepted { notification { id } position duplicate }", input).await
    }

    /// Sends one that must be accepted.
    pub async fn send(&self, recipient: &str, extra: Value) -> Result<Sent> {
        let result = self.attempt_send(recipient, extra).await?;
        sent(&result)
    }

    /// Sends a list whose items must all be accepted.
    pub async fn send_list(&self, items: &[Value]) -> Result<Vec<Sent>> {
        let query = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results {
            ... on SendAccepted { notification { id } position duplicate } ... on Problem { code message } } } }";
        let data = self.query(query, json!({ "input": { "items": items } })).await?;
        data["sendNotifications"]["results"].as_array().context("no results")?.iter().map(sent).collect()
    }

    /// A notification with its deliveries, suppressions and events.
    pub async fn notification(&self, id: &str) -> Result<Value> {
        let query = "query($id: ID!) { notification(id: $id) { id sender recipient category priority status sandbox content { title body html data }
            metadata seen read archived deliveries { number channel address status attempts dueAt } suppressions { channel rule }
            events { position type at actor payload } } }";
        Ok(self.query(query, json!({ "id": id })).await?["notification"].clone())
    }

    /// Waits until a notification has a status, and gives it.
    pub async fn await_status(&self, id: &str, status: &str) -> Result<Value> {
        self.await_that(id, status, |told| told["status"] == status).await
    }

    /// Waits until a notification's first delivery stands so, and gives the notification.
    pub async fn await_delivery(&self, id: &str, state: &str) -> Result<Value> {
        self.await_that(id, &format!("the delivery is {state}"), |told| told["deliveries"][0]["status"] == state).await
    }

    /// Waits until something happened to a notification, and gives it.
    pub async fn await_event(&self, id: &str, kind: &str) -> Result<Value> {
        let happened = |told: &Value| told["events"].as_array().is_some_and(|events| events.iter().any(|event| event["type"] == kind));
        self.await_that(id, kind, happened).await
    }

    async fn await_that(&self, id: &str, what: &str, so: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut last = Value::Null;
        until(&format!("{id}: {what}"), async || {
            last = self.notification(id).await?;
            Ok(so(&last).then(|| last.clone()))
        })
        .await
        .map_err(|error| anyhow!("{error}; it was {last:#}"))
    }

    /// The types of a notification's events, in order.
    pub async fn story(&self, id: &str) -> Result<Vec<String>> {
        let notification = self.notification(id).await?;
        let events = notification["events"].as_array().with_context(|| format!("no events: {notification}"))?;
        Ok(events.iter().filter_map(|event| event["type"].as_str().map(ToOwned::to_owned)).collect())
    }

    /// The newest event's position: unchanged where nothing was recorded.
    pub async fn head(&self) -> Result<String> {
        let data = self.query("{ status { head } }", json!({})).await?;
        data["status"]["head"].as_str().map(ToOwned::to_owned).context("no head")
    }
}

fn sent(result: &Value) -> Result<Sent> {
    let id = result["notification"]["id"].as_str().with_context(|| format!("not accepted: {result}"))?.to_owned();
    let position = result["position"].as_str().with_context(|| format!("no position: {result}"))?.to_owned();
    Ok(Sent { id, position, duplicate: result["duplicate"] == true })
}
