//! A small schema, a port whose clock can be turned, and a client for one request.

use commands::ports::{Clock as _, SystemClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Context, Enum, Error, ErrorExtensions, Object, Schema, Subscription};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::graphql::transport::{AuthFailure, Authenticate, Bounds, Principal, TransportSettings, apply, router};

#[derive(Clone, Debug)]
pub struct Caller {
    pub name: &'static str,
    pub expires_at: Option<i64>,
}

impl Principal for Caller {
    fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    fn is_anonymous(&self) -> bool {
        self.name == "anonymous"
    }
}

/// Knows the keys `alice`, `short` (ends at 1,000 ms), `revoked` and `limited`; lets callers with
/// the key `anonymous` in as such.
#[derive(Default)]
pub struct Doorman {
    pub now: AtomicI64,
    pub withdrawn: AtomicBool,
}

impl Authenticate for Doorman {
    type Principal = Caller;

    async fn authenticate(&self, headers: &HeaderMap, init: Option<&Value>) -> Result<Caller, AuthFailure> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let init = init.and_then(|payload| payload["Authorization"].as_str());
        let key = header.or(init).and_then(|value| value.strip_prefix("Bearer "));
        match key {
            Some("alice") => Ok(Caller { name: "alice", expires_at: None }),
            Some("short") => Ok(Caller { name: "short", expires_at: Some(1_000) }),
            Some("anonymous") => Ok(Caller { name: "anonymous", expires_at: None }),
            Some("revoked") => Err(AuthFailure::KEY_REVOKED),
            Some("limited") => Err(AuthFailure { status: StatusCode::TOO_MANY_REQUESTS, code: "RATE_LIMITED", message: "Wait." }),
            _ => Err(AuthFailure::UNAUTHENTICATED),
        }
    }

    fn now_ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// In real time: these tests wait for milliseconds.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        SystemClock::default().sleep(duration)
    }

    async fn recheck(&self, _: &Caller) -> Result<(), AuthFailure> {
        if self.withdrawn.load(Ordering::SeqCst) {
            return Err(AuthFailure::KEY_REVOKED);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Enum, Eq, PartialEq)]
pub enum Colour {
    Red,
    Green,
}

pub struct Query;

#[Object]
impl Query {
    async fn whoami(&self, context: &Context<'_>) -> String {
        context.data_unchecked::<Caller>().name.to_owned()
    }

    async fn colour(&self, colour: Colour) -> Colour {
        colour
    }

    async fn add(&self, a: i32, #[graphql(validator(maximum = 10))] b: i32) -> i32 {
        a + b
    }

    async fn tree(&self) -> Tree {
        Tree
    }

    async fn fails(&self) -> Result<i32, std::io::Error> {
        Err(std::io::Error::other("secret path /var/lib"))
    }

    async fn forbidden(&self) -> Result<i32, Error> {
        Err(Error::new("Ask for a wider scope.").extend_with(|_, e| e.set("code", "FORBIDDEN")))
    }

    async fn busy(&self) -> Result<i32, Error> {
        Err(Error::new("Later.").extend_with(|_, e| {
            e.set("code", "RATE_LIMITED");
            e.set("retryAfter", 7);
        }))
    }

    /// Waits for the gate to be opened.
    async fn held(&self, context: &Context<'_>) -> bool {
        let gate = context.data_unchecked::<Gate>();
        gate.reached.notify_one();
        gate.open.notified().await;
        true
    }

    async fn panics(&self) -> i32 {
        std::hint::black_box(None).expect("on purpose")
    }
}

pub struct Tree;

#[Object]
impl Tree {
    async fn value(&self) -> i32 {
        1
    }

    async fn child(&self) -> Tree {
        Tree
    }

    #[graphql(complexity = "first * child_complexity")]
    async fn children(&self, first: usize) -> Vec<Tree> {
        let _ = first;
        Vec::new()
    }
}

/// Where `held` waits.
#[derive(Clone, Default)]
pub struct Gate {
    pub reached: Arc<Notify>,
    pub open: Arc<Notify>,
}

/// How often the mutation ran.
#[derive(Clone, Default)]
pub struct Bumps(pub Arc<AtomicUsize>);

pub struct Mutation;

#[Object]
impl Mutation {
    async fn bump(&self, context: &Context<'_>, by: i32) -> i32 {
        context.data_unchecked::<Bumps>().0.fetch_add(1, Ordering::SeqCst);
        by
    }
}

pub struct Live;

#[Subscription]
impl Live {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    /// One answer, then silence.
    async fn wait(&self) -> impl Stream<Item = i32> {
        stream::once(async { 1 }).chain(stream::pending())
    }

    /// Endless large answers.
    async fn flood(&self) -> impl Stream<Item = String> {
        stream::repeat("x".repeat(64 * 1024))
    }

    async fn closed(&self) -> Result<stream::Empty<i32>, Error> {
        Err(Error::new("No.").extend_with(|_, e| e.set("code", "FORBIDDEN")))
    }
}

/// A router with what a test may want to look at.
pub struct Toy {
    pub router: Router,
    pub doorman: Arc<Doorman>,
    pub bumps: Bumps,
    pub gate: Gate,
}

pub fn toy(settings: TransportSettings) -> Toy {
    let bumps = Bumps::default();
    let gate = Gate::default();
    let builder = Schema::build(Query, Mutation, Live).data(bumps.clone()).data(gate.clone());
    let schema = apply(builder, &settings.bounds).finish();
    let doorman = Arc::new(Doorman::default());
    let router = router(schema, Arc::clone(&doorman), settings);
    Toy { router, doorman, bumps, gate }
}

pub fn with_bounds(bounds: Bounds) -> Toy {
    toy(TransportSettings { bounds, ..TransportSettings::default() })
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {}", self.text)).to_owned()
    }
}

impl Toy {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        read(response).await
    }

    /// Posts a query as a good client that prefers the GraphQL media type.
    pub async fn query(&self, query: &str) -> Answer {
        self.query_with(query, json!({})).await
    }

    pub async fn query_with(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        self.send(post("alice", body.to_string())).await
    }
}

pub async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

pub fn post(key: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/graphql-response+json")
        .body(body.into())
        .unwrap()
}

/// Changes one header of a request.
pub fn with(mut request: Request<Body>, name: header::HeaderName, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// Removes one header of a request.
pub fn without(mut request: Request<Body>, name: header::HeaderName) -> Request<Body> {
    request.headers_mut().remove(name);
    request
}

pub fn get(query: &str) -> Request<Body> {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
    Request::get(format!("/graphql?{query}")).header(header::AUTHORIZATION, "Bearer alice").body(Body::empty()).unwrap()
}
