//! Endpoints beside GraphQL: health and metrics. They need no credential and say nothing
//! personal; keep them from the open network by the proxy in front.

pub mod metrics;

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
    metrics: PrometheusHandle,
}

/// `/health/live`, `/health/ready`, `/metrics`.
pub fn router(services: Arc<Services>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(Shared { services, metrics })
}

/// Ready while commands can be made durable.
async fn ready(State(shared): State<Shared>) -> impl IntoResponse {
    if shared.services.engine.is_writing() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "the log cannot be written\n") }
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    metrics::observe(&shared.services).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.metrics.render())
}
