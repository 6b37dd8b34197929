//! The administration API under `/_sim`: ledger, counters, messages, rules, clock, credentials, switches.
//!
//! Guarantee: bounded answers, and nothing here needs authentication because everything listens on loopback and
//! holds test data only.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::World;
use super::callbacks::CallbackPlan;
use super::credentials::TestCredentials;
use super::ledger::{AllCounters, Provider};
use super::messages::MessageView;
use super::rules::Rule;
use super::smtp::SmtpSwitches;

/// Most ledger entries in one answer.
const MAX_ENTRIES: usize = 100_000;
/// Entries made readable under one lock.
const PAGE: usize = 512;

#[derive(Clone)]
struct Admin {
    world: Arc<World>,
    credentials: Arc<TestCredentials>,
}

pub(crate) fn router(world: Arc<World>, credentials: TestCredentials) -> Router {
    Router::new()
        .route("/_sim/ledger", get(ledger))
        .route("/_sim/counters", get(counters))
        .route("/_sim/messages", get(messages))
        .route("/_sim/rules", get(rules).post(add_rules).delete(clear_rules))
        .route("/_sim/callbacks", get(callbacks).post(set_callbacks))
        .route("/_sim/reply", post(reply))
        .route("/_sim/clock", post(clock))
        .route("/_sim/smtp", get(smtp).post(set_smtp))
        .route("/_sim/reset", post(reset))
        .route("/_sim/credentials", get(credentials_of))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .with_state(Admin { world, credentials: Arc::new(credentials) })
}

#[derive(Debug, Deserialize)]
struct LedgerQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

async fn ledger(State(admin): State<Admin>, Query(query): Query<LedgerQuery>) -> Response {
    let limit = query.limit.unwrap_or(1_000).min(MAX_ENTRIES);
    let mut text = Vec::new();
    let mut after = query.after;
    let mut left = limit;
    while left > 0 {
        let entries = admin.world.ledger.entries(after, left.min(PAGE));
        let Some(last) = entries.last() else {
            break;
        };
        after = last.seq;
        left -= entries.len();
        for entry in &entries {
            if let Err(error) = serde_json::to_writer(&mut text, entry) {
                return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
            }
            text.push(b'\n');
        }
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
}

async fn counters(State(admin): State<Admin>) -> Json<AllCounters> {
    Json(admin.world.ledger.counters())
}

#[derive(Debug, Deserialize)]
struct MessagesQuery {
    provider: Provider,
    limit: Option<usize>,
}

async fn messages(State(admin): State<Admin>, Query(query): Query<MessagesQuery>) -> Json<Vec<MessageView>> {
    let messages = admin.world.messages.latest(query.provider, query.limit.unwrap_or(100));
    Json(messages.iter().map(MessageView::from).collect())
}

async fn rules(State(admin): State<Admin>) -> Json<Vec<Rule>> {
    Json(admin.world.rules.list())
}

async fn add_rules(State(admin): State<Admin>, Json(body): Json<serde_json::Value>) -> Response {
    // Not an untagged enum: it would hide which field is wrong.
    let rules = if body.is_array() { serde_json::from_value::<Vec<Rule>>(body) } else { serde_json::from_value(body).map(|rule| vec![rule]) };
    let rules = match rules {
        Ok(rules) => rules,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    if rules.into_iter().all(|rule| admin.world.rules.add(rule)) {
        Json(admin.world.rules.list()).into_response()
    } else {
        (StatusCode::BAD_REQUEST, "too many rules; DELETE /_sim/rules first").into_response()
    }
}

async fn clear_rules(State(admin): State<Admin>) -> StatusCode {
    admin.world.rules.clear();
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockShift {
    offset_s: i64,
}

async fn clock(State(admin): State<Admin>, Json(shift): Json<ClockShift>) -> StatusCode {
    admin.world.clock.set_offset_seconds(shift.offset_s);
    StatusCode::NO_CONTENT
}

async fn callbacks(State(admin): State<Admin>) -> Json<CallbackPlan> {
    Json(admin.world.callbacks.plan())
}

async fn set_callbacks(State(admin): State<Admin>, Json(plan): Json<CallbackPlan>) -> Response {
    if admin.world.callbacks.set_plan(plan) {
        return StatusCode::NO_CONTENT.into_response();
    }
    (StatusCode::BAD_REQUEST, "base must be a URL on loopback, such as http://127.0.0.1:8080").into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    provider: Provider,
    from: String,
    text: String,
}

async fn reply(State(admin): State<Admin>, Json(answered): Json<Answered>) -> Response {
    if admin.world.callbacks.reply(answered.provider, &answered.from, &answered.text) {
        return StatusCode::NO_CONTENT.into_response();
    }
    (StatusCode::BAD_REQUEST, "only twilio, after it was told where to call, and vonage pass answers on").into_response()
}

async fn smtp(State(admin): State<Admin>) -> Json<SmtpSwitches> {
    Json(admin.world.smtp_switches())
}

async fn set_smtp(State(admin): State<Admin>, Json(switches): Json<SmtpSwitches>) -> StatusCode {
    admin.world.set_smtp_switches(switches);
    StatusCode::NO_CONTENT
}

async fn reset(State(admin): State<Admin>) -> StatusCode {
    admin.world.reset();
    StatusCode::NO_CONTENT
}

async fn credentials_of(State(admin): State<Admin>) -> Json<TestCredentials> {
    Json((*admin.credentials).clone())
}
