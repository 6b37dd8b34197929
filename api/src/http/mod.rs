//! Endpoints beside GraphQL. Health and metrics need no credential and say nothing personal; keep them
//! from the open network by the proxy in front. The pages behind [`links`] are for everybody who has one, what
//! browsers need for [`push`] is for all.

pub mod callbacks;
pub mod links;
pub mod metrics;
pub mod push;
#[cfg(test)]
mod tests;
pub mod uploads;

use crate::app::services::Services;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

#[derive(Clone)]
struct Shared {
    services: Arc<Services>,
    metrics: Option<PrometheusHandle>,
}

/// `/health/live`, `/health/ready` and, where figures are kept, `/metrics`.
pub fn router(services: Arc<Services>, metrics: Option<PrometheusHandle>) -> Router {
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(Shared { services, metrics })
}

/// Ready while commands can be made durable; else why not.
async fn ready(State(shared): State<Shared>) -> impl IntoResponse {
    readiness(shared.services.engine.trouble())
}

fn readiness(trouble: Option<String>) -> (StatusCode, String) {
    match trouble {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("the log cannot be written: {reason}\n")),
    }
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    let plain = "text/plain; version=0.0.4; charset=utf-8";
    let Some(metrics) = shared.metrics else {
        return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, plain)], "# No figures are kept; `metrics.enabled` is false.\n".to_owned());
    };
    metrics::observe(&shared.services).await;
    (StatusCode::OK, [(header::CONTENT_TYPE, plain)], metrics.render())
}
