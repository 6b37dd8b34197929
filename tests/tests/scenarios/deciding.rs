//! What the scenarios about deciding share: moments ahead, categories, cancelling, previews.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::{App, Client, until};

/// The zone of recipients whose clock matters: nine hours before UTC all year.
pub const SEOUL: &str = "Asia/Seoul";
const SEOUL_AHEAD: i32 = 9 * 3_600;

const WAITS: &str = "query($id: ID!) { notification(id: $id) { status requestedAt waitsUntil waitsBy nextStepAt seen
    suppressions { channel rule } deliveries { channel status } events { type at payload } } }";
const PREVIEW: &str = "query($input: [SendNotificationInput!]!) { previewDecision(input: $input) {
    ... on Preview { outcome rule until deliveries { channel rule } considered { question passes rule words } } ... on Problem { code message } } }";
const CANCELLED: &str = "... on NotificationCancelled { stopped stoppedWaiting stoppedStep tooLate notification { status } }";

/// A moment so many milliseconds from now: the server's clock is this machine's.
#[allow(clippy::disallowed_methods, reason = "what users ask for lies ahead of their own clock")]
pub fn ahead(millis: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::milliseconds(millis)
}

/// As it is written in requests.
pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What the clock in Seoul shows then.
pub fn in_seoul(at: DateTime<Utc>) -> Result<DateTime<FixedOffset>> {
    Ok(at.with_timezone(&FixedOffset::east_opt(SEOUL_AHEAD).context("no such offset")?))
}

/// A moment that was told.
pub fn moment(told: &Value) -> Result<DateTime<Utc>> {
    let text = told.as_str().with_context(|| format!("no moment: {told}"))?;
    Ok(DateTime::parse_from_rfc3339(text)?.to_utc())
}

/// Defines a category.
pub async fn define(app: &App, input: Value) -> Result<()> {
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", input).await.map(drop)
}

/// A notification and what it waits for.
pub async fn waiting(by: &Client, id: &str) -> Result<Value> {
    Ok(by.query(WAITS, json!({ "id": id })).await?["notification"].clone())
}

/// Waits until something is so of a notification, and gives it.
pub async fn await_that(by: &Client, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
    let mut last = Value::Null;
    let found = until(what, async || {
        last = waiting(by, id).await?;
        Ok(is(&last).then(|| last.clone()))
    });
    found.await.map_err(|error| anyhow::anyhow!("{error}; it was {last:#}"))
}

/// When an event of a kind happened, or none did.
pub fn happened(notification: &Value, kind: &str) -> Result<Option<DateTime<Utc>>> {
    let event = notification["events"].as_array().into_iter().flatten().find(|event| event["type"] == kind);
    event.map(|event| moment(&event["at"])).transpose()
}

/// Takes a notification back.
pub async fn cancel(by: &Client, id: &str) -> Result<Value> {
    by.mutate("cancelNotification", "CancelNotificationInput", CANCELLED, json!({ "id": id })).await
}

/// Leaves a recipient alone until a moment.
pub async fn leave_alone(by: &Client, recipient: &str, until: DateTime<Utc>) -> Result<()> {
    let input = json!({ "recipient": recipient, "until": written(until) });
    by.mutate("setDoNotDisturb", "SetDoNotDisturbInput", "", input).await.map(drop)
}

/// A plain request to a recipient with `extra` over it, as [`Client::send`] makes it.
pub fn request(recipient: &str, extra: &Value) -> Value {
    let mut input = json!({ "recipient": recipient, "content": { "title": "Hello", "body": "How are you?" } });
    if let (Some(input), Some(extra)) = (input.as_object_mut(), extra.as_object()) {
        input.extend(extra.clone());
    }
    input
}

/// What would become of requests, in their order; the log must not grow by it.
pub async fn preview(app: &App, by: &Client, requests: &[Value]) -> Result<Vec<Value>> {
    let before = app.admin.head().await?;
    let told = by.query(PREVIEW, json!({ "input": requests })).await?["previewDecision"].clone();
    let after = app.admin.head().await?;
    ensure!(before == after, "a preview moved the log from {before} to {after}");
    told.as_array().cloned().context("no previews")
}

/// How often a provider took a notification.
pub async fn delivered(app: &App, id: &str) -> Result<usize> {
    Ok(app.simulators.calls_for(id).await?.iter().filter(|call| call["delivered"] == true).count())
}

/// What the recipient's history shows, oldest first.
pub async fn history(by: &Client, recipient: &str, position: &str) -> Result<Vec<String>> {
    let query = "query($recipient: String!, $position: Position) { missedNotifications(recipient: $recipient, atLeastPosition: $position) {
        edges { node { id } } } }";
    let data = by.query(query, json!({ "recipient": recipient, "position": position })).await?;
    let edges = data["missedNotifications"]["edges"].as_array().context("no edges")?;
    Ok(edges.iter().filter_map(|edge| edge["node"]["id"].as_str()).map(ToOwned::to_owned).collect())
}
