//! The load: GraphQL mutations with variables over kept connections.

use super::super::exit::CliError;
use super::Mode;
use super::process::Processes;
use super::target::Target;
use super::template;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SEND: &str = "mutation($input:SendNotificationInput!){sendNotification(input:$input){...on SendAccepted{notification{id}}...on Problem{code message}}}";
const SEND_LIST: &str =
    "mutation($input:SendNotificationsInput!){sendNotifications(input:$input){results{...on SendAccepted{notification{id}}...on Problem{code message}}}}";
const HISTORY: &str = "query($recipient:String){notifications(recipient:$recipient,first:20){edges{cursor node{id content{title body}}}}}";
const LIST: u64 = 100;
/// Between two words about progress.
const PART: u64 = 100_000;

/// An id and when its request was sent off (ms since the epoch).
pub(super) type SentAt = (String, i64);

/// See the module.
pub(super) struct Load {
    client: reqwest::Client,
    urls: Vec<String>,
    /// Requests so far: the servers take turns.
    turn: Arc<AtomicU64>,
    key: String,
    recipients: u64,
    target: Target,
}

fn failure(error: impl std::fmt::Display) -> CliError {
    CliError::failure(error.to_string())
}

/// What is sent beside the pushes of a list, where it is: of each.
const BESIDE: u64 = LIST / 5;

fn urls(processes: &Processes) -> Vec<String> {
    processes.addresses.iter().map(|address| format!("http://{address}/graphql")).collect()
}

fn item(number: u64, recipients: u64, channel: &str, from_template: bool) -> Value {
    if from_template {
        return json!({
            "recipient": format!("person-{}", number % recipients),
            "idempotencyKey": format!("{channel}-{number}"),
            "channels": [channel],
            "template": template::used(number),
        });
    }
    let body = format!("{number:08} {}", "It is on its way and will be with you soon. ".repeat(5));
    json!({
        "recipient": format!("person-{}", number % recipients),
        "idempotencyKey": format!("{channel}-{number}"),
        "channels": [channel],
        "content": { "title": "Order", "body": &body[..195] },
    })
}

impl Load {
    async fn call(&self, body: Vec<u8>) -> Result<Value, CliError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let url = usize::try_from(turn).ok().and_then(|turn| self.urls.get(turn % self.urls.len())).ok_or_else(|| failure("there is no server"))?;
        let request = self.client.post(url).bearer_auth(&self.key).header("content-type", "application/json").body(body);
        let answer = request.send().await.map_err(failure)?.bytes().await.map_err(failure)?;
        serde_json::from_slice(&answer).map_err(failure)
    }

    /// The same load, where the servers listen now.
    pub(super) fn at(&self, processes: &Processes) -> Arc<Self> {
        Arc::new(Self { urls: urls(processes), ..self.with_key(&self.key) })
    }

    /// The same load with another key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self {
            client: self.client.clone(),
            urls: self.urls.clone(),
            turn: Arc::clone(&self.turn),
            key: key.to_owned(),
            recipients: self.recipients,
            target: self.target,
        }
    }

    pub(super) async fn query(&self, query: &str, variables: Value) -> Result<Value, CliError> {
        let answer = self.call(serde_json::to_vec(&json!({ "query": query, "variables": variables })).map_err(failure)?).await?;
        if answer.get("errors").is_some() { Err(failure(answer)) } else { Ok(answer["data"].clone()) }
    }

    /// Sets up a sender and the recipients with a device each.
    pub(super) async fn prepare(processes: &Processes, recipients: u64) -> Result<Arc<Self>, CliError> {
        let mut load = Self {
            client: processes.client.clone(),
            urls: urls(processes),
            turn: Arc::default(),
            key: processes.admin_key()?,
            recipients,
            target: processes.target,
        };
        let (webhook, secret) = processes.webhook().await?;
        let (webhook, secret): (Arc<str>, Arc<str>) = (webhook.into(), secret.into());
        load.query("mutation{registerSender(input:{key:\"bench\",name:\"Bench\"}){__typename}}", Value::Null).await?;
        if load.target.template {
            load.query(template::SAVE, json!({ "i": template::source() })).await?;
            let published = load.query(template::PUBLISH, Value::Null).await?;
            if published["publishTemplate"]["__typename"] != "TemplateChanged" {
                return Err(failure(published));
            }
        }
        let key = load.query("mutation{createApiKey(input:{name:\"bench\",role:SENDER,sender:\"bench\"}){...on ApiKeyCreated{secret}}}", Value::Null).await?;
        load.key = key["createApiKey"]["secret"].as_str().unwrap_or_default().to_owned();
        let load = Arc::new(load);
        let next = Arc::new(AtomicU64::new(0));
        let workers: Vec<_> = (0..32)
            .map(|_| {
                let (load, next) = (Arc::clone(&load), Arc::clone(&next));
                let (webhook, secret) = (Arc::clone(&webhook), Arc::clone(&secret));
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= load.recipients {
                            return Ok::<_, CliError>(());
                        }
                        let (person, device) = load.target.person(n, &webhook, &secret);
                        load.query("mutation($i:UpsertRecipientInput!){upsertRecipient(input:$i){__typename}}", json!({ "i": person })).await?;
                        load.query("mutation($i:RegisterDeviceInput!){registerDevice(input:$i){__typename}}", json!({ "i": device })).await?;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.map_err(failure)??;
        }
        Ok(load)
    }

    /// Sends `count` notifications beginning with number `from`; answers of all are awaited.
    pub(super) async fn send(self: &Arc<Self>, mode: Mode, from: u64, count: u64, rate: u64) -> Result<Vec<SentAt>, CliError> {
        let size = if mode == Mode::Lists { LIST } else { 1 };
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let workers: Vec<_> = (0..if mode == Mode::Lists { 8 } else { 64 })
            .map(|_| {
                let (load, next) = (Arc::clone(self), Arc::clone(&next));
                tokio::spawn(async move {
                    let mut sent = Vec::new();
                    loop {
                        let first = next.fetch_add(size, Ordering::Relaxed);
                        if first >= count {
                            return Ok::<_, CliError>(sent);
                        }
                        if let Some(wait) = (first * 1_000_000).checked_div(rate).and_then(|due| Duration::from_micros(due).checked_sub(began.elapsed())) {
                            tokio::time::sleep(wait).await;
                        }
                        load.request(mode, from + first..from + (first + size).min(count), &mut sent).await?;
                    }
                })
            })
            .collect();
        let mut sent = Vec::new();
        for worker in workers {
            sent.extend(worker.await.map_err(failure)??);
        }
        Ok(sent)
    }

    /// The same in lists, each of which has webhooks and text messages behind its pushes; told are the pushes.
    pub(super) async fn send_mixed(self: &Arc<Self>, from: u64, count: u64, rate: u64) -> Result<Vec<SentAt>, CliError> {
        let (mut sent, began) = (Vec::new(), Instant::now());
        let mut first = 0;
        while first < count {
            if let Some(wait) = (first * 1_000_000).checked_div(rate).and_then(|due| Duration::from_micros(due).checked_sub(began.elapsed())) {
                tokio::time::sleep(wait).await;
            }
            let (numbers, last) = (from + first..from + (first + LIST).min(count), (first + BESIDE).min(count));
            let pushes = numbers.clone().map(|number| item(number, self.recipients, self.target.channel(), self.target.template));
            let beside = (from + first..from + last).flat_map(|number| ["WEBHOOK", "SMS"].map(|channel| item(number, self.recipients, channel, false)));
            let items: Vec<Value> = pushes.chain(beside).collect();
            let body = json!({ "query": SEND_LIST, "variables": { "input": { "items": items } } });
            let mut all = Vec::new();
            self.posted(Mode::Lists, &body, &mut all).await?;
            all.truncate(usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX));
            sent.extend(all);
            first += LIST;
        }
        Ok(sent)
    }

    /// Sends `count` notifications in lists, telling how far it is.
    pub(super) async fn store(self: &Arc<Self>, from: u64, count: u64) -> Result<(), CliError> {
        let mut done = 0;
        while done < count {
            let part = PART.min(count - done);
            self.send(Mode::Lists, from + done, part, 0).await?;
            done += part;
            eprintln!("  {done} of {count} accepted");
        }
        Ok(())
    }

    async fn request(&self, mode: Mode, numbers: std::ops::Range<u64>, sent: &mut Vec<SentAt>) -> Result<(), CliError> {
        let body = match mode {
            Mode::Single => {
                json!({ "query": SEND, "variables": { "input": item(numbers.start, self.recipients, self.target.channel(), self.target.template) } })
            }
            Mode::Lists => {
                json!({ "query": SEND_LIST, "variables": { "input": { "items": numbers.map(|number| item(number, self.recipients, self.target.channel(), self.target.template)).collect::<Vec<_>>() } } })
            }
        };
        self.posted(mode, &body, sent).await
    }

    async fn posted(&self, mode: Mode, body: &Value, sent: &mut Vec<SentAt>) -> Result<(), CliError> {
        let body = serde_json::to_vec(body).map_err(failure)?;
        let at = chrono::Utc::now().timestamp_millis();
        let answer = self.call(body).await?;
        let results = match mode {
            Mode::Single => vec![answer["data"]["sendNotification"].clone()],
            Mode::Lists => answer["data"]["sendNotifications"]["results"].as_array().cloned().unwrap_or_default(),
        };
        if results.is_empty() {
            return Err(failure(answer));
        }
        for result in results {
            match result["notification"]["id"].as_str() {
                Some(id) => sent.push((id.to_owned(), at)),
                None => return Err(failure(result)),
            }
        }
        Ok(())
    }

    /// How long a page of one recipient's history takes: p50 and p99 in ms of 500.
    pub(super) async fn history(&self) -> Result<(f64, f64), CliError> {
        let mut times = Vec::new();
        for n in 0..500_u64 {
            let recipient = format!("person-{}", (n * 7_919) % self.recipients);
            let began = Instant::now();
            self.query(HISTORY, json!({ "recipient": recipient })).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
    }
}
