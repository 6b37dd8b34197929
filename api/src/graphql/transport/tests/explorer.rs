use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::toy::toy;
use crate::graphql::transport::TransportSettings;

fn get(path: &str) -> Request<Body> {
    Request::get(path).header(header::ACCEPT_ENCODING, "gzip, deflate, br").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_page_loads_only_files_that_are_served() {
    let toy = toy(TransportSettings::default());
    let page = toy.send(get("/graphiql")).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"));
    let links: Vec<_> = page.text.split('"').filter(|part| part.starts_with("/graphiql/")).collect();
    assert_eq!(links.len(), 6);
    assert!(!page.text.contains("http"), "something is loaded from elsewhere");
    for link in links {
        let file = toy.send(get(link)).await;
        assert_eq!(file.status, StatusCode::OK, "{link}");
        assert!(!file.text.is_empty(), "{link}");
    }
}

#[tokio::test]
async fn files_are_not_sent_twice() {
    let toy = toy(TransportSettings::default());
    let path = "/graphiql/graphiql.min.js";
    let first = toy.send(get(path)).await;
    assert_eq!(first.headers[header::CONTENT_ENCODING], "gzip");
    let mut again = get(path);
    again.headers_mut().insert(header::IF_NONE_MATCH, first.headers[header::ETAG].clone());
    let again = toy.send(again).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert!(again.text.is_empty());

    let plain = Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(toy.send(plain).await.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn the_page_can_be_switched_off() {
    let toy = toy(TransportSettings { graphiql: false, ..TransportSettings::default() });
    assert_eq!(toy.send(get("/graphiql")).await.status, StatusCode::NOT_FOUND);
}
