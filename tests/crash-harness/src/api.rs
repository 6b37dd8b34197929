//! The server's API as the harness uses it; everything that knows its names is here.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::Duration;

const SEND: &str = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) { __typename ... on SendAccepted { position notification { id } } ... on Problem { code } } }";
const SEND_LIST: &str = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results { __typename ... on SendAccepted { position notification { id } } ... on Problem { code } } } }";
const CANCEL: &str = "mutation($input: CancelNotificationInput!) { cancelNotification(input: $input) { __typename } }";
const SUBSCRIBE: &str = "mutation($input: SetSubscriptionInput!) { setSubscription(input: $input) { __typename ... on Problem { code message } } }";

/// A client with a key.
#[derive(Clone)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    key: String,
}

/// A promise: the id and the position in the answer.
pub type Promise = (String, String);

fn promise(result: &Value) -> Result<Promise> {
    match (result["notification"]["id"].as_str(), result["position"].as_str()) {
        (Some(id), Some(position)) => Ok((id.to_owned(), position.to_owned())),
        _ => bail!("refused: {result}"),
    }
}

impl Api {
    pub fn new(address: &str, key: &str) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { client, url: format!("http://{address}/graphql"), key: key.to_owned() })
    }

    async fn call(&self, query: &str, variables: Value) -> Result<Value> {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
        let answer = self.client.post(&self.url).bearer_auth(&self.key).header("content-type", "application/json").body(body).send().await?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
        if answer.get("errors").is_some() || !answer["data"].is_object() {
            bail!("{answer}");
        }
        Ok(answer["data"].clone())
    }

    pub async fn register_sender(&self, key: &str) -> Result<()> {
        self.call("mutation($k: String!) { registerSender(input: { key: $k, name: $k }) { __typename } }", json!({ "k": key })).await.map(drop)
    }

    pub async fn sender_key(&self, sender: &str) -> Result<String> {
        let query = "mutation($s: String!) { createApiKey(input: { name: \"load\", role: SENDER, sender: $s }) { ... on ApiKeyCreated { secret } } }";
        let data = self.call(query, json!({ "s": sender })).await?;
        data["createApiKey"]["secret"].as_str().map(str::to_owned).context("no key")
    }

    pub async fn recipient(&self, id: &str, email: &str, url: &str, secret: &str) -> Result<()> {
        let query = "mutation($input: UpsertRecipientInput!) { upsertRecipient(input: $input) { __typename ... on Problem { code message } } }";
        let data = self.call(query, json!({ "input": { "id": id, "email": email, "webhook": { "url": url, "secret": secret } } })).await?;
        if data["upsertRecipient"]["__typename"] != "RecipientChanged" { bail!("{data}") } else { Ok(()) }
    }

    pub async fn device(&self, recipient: &str, channel: &str, token: &str) -> Result<()> {
        let query = "mutation($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Problem { code message } } }";
        let data = self.call(query, json!({ "input": { "recipient": recipient, "channel": channel, "token": token } })).await?;
        if data["registerDevice"]["__typename"] != "RecipientChanged" { bail!("{data}") } else { Ok(()) }
    }

    pub fn item(key: &str, recipient: &str) -> Value {
        json!({ "recipient": recipient, "category": "general", "idempotencyKey": key, "content": { "title": "Crash", "body": format!("body of {key}") } })
    }

    pub async fn send(&self, item: Value) -> Result<Promise> {
        promise(&self.call(SEND, json!({ "input": item })).await?["sendNotification"])
    }

    pub async fn send_list(&self, items: Vec<Value>) -> Result<Vec<Promise>> {
        let data = self.call(SEND_LIST, json!({ "input": { "items": items } })).await?;
        data["sendNotifications"]["results"].as_array().context("no results")?.iter().map(promise).collect()
    }

    pub async fn cancel(&self, id: &str) -> Result<()> {
        self.call(CANCEL, json!({ "input": { "id": id } })).await.map(drop)
    }

    pub async fn subscribe(&self, recipient: &str, channel: &str, subscribed: bool) -> Result<()> {
        self.call(SUBSCRIBE, json!({ "input": { "recipient": recipient, "scope": "CHANNEL", "channel": channel, "subscribed": subscribed } })).await.map(drop)
    }
}
