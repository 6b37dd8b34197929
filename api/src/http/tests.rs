#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{readiness, router};
use crate::graphql::tests::app::TestApp;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::sync::Arc;
use tower::ServiceExt;

#[test]
fn readiness_says_why_not() {
    assert_eq!(readiness(None), (StatusCode::OK, "ready\n".to_owned()));
    let (status, body) = readiness(Some("database or disk is full".to_owned()));
    assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "the log cannot be written: database or disk is full\n"));
}

#[tokio::test]
async fn figures_are_served_only_where_they_are_kept() {
    let app = TestApp::start().await;
    let handle = PrometheusBuilder::new().build_recorder().handle();
    for (metrics, status) in [(Some(handle), StatusCode::OK), (None, StatusCode::NOT_FOUND)] {
        let router = router(Arc::clone(&app.services), metrics);
        for (path, status) in [("/metrics", status), ("/health/ready", StatusCode::OK), ("/health/live", StatusCode::OK)] {
            let answer = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
        }
    }
    app.stop().await;
}
