#![allow(clippy::unwrap_used, missing_docs)]

use super::router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

async fn get(page: bool, path: &str) -> (StatusCode, String, String) {
    let answer = router("BPublic".to_owned(), page).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let kind = answer.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let allowed = answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|value| value == "*");
    assert!(allowed || answer.status() != StatusCode::OK, "{path}");
    let status = answer.status();
    (status, kind, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn an_app_finds_the_key_and_the_scripts() {
    assert_eq!(get(false, "/push/key").await, (StatusCode::OK, "text/plain; charset=utf-8".to_owned(), "BPublic".to_owned()));
    for (path, part) in [("/push/service-worker.js", "notificationclick"), ("/push/subscribe.js", "export async function subscribe")] {
        let (status, kind, text) = get(false, path).await;
        assert!(status == StatusCode::OK && kind.starts_with("text/javascript") && text.contains(part), "{path}: {status} {kind}");
    }
}

#[tokio::test]
async fn the_page_to_try_it_is_there_only_where_it_is_allowed() {
    for path in ["/push/try", "/push/try.js"] {
        assert_eq!(get(false, path).await.0, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(get(true, path).await.0, StatusCode::OK, "{path}");
    }
    // The policy allows no script within the page.
    assert!(!get(true, "/push/try").await.2.contains("<script>"));
}
