//! The pages of a server without a listener, as browsers and programs ask for them.

use crate::auth::limits::{InMemory, Rates};
use crate::config::providers::Network;
use crate::graphql::tests::app::TestApp;
use crate::http::links::{LinkPages, Peer, router};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use commands::accept::subscription_stream;
use commands::links::Purpose;
use domain::Fact;
use domain::category::{Category, DefineCategory};
use domain::event::Personal;
use domain::subscription::{Evidence, Scope, Source, Subscription, SubscriptionEvent};
use domain::values::{CategoryKey, Channel, Priority, RecipientId};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tower::ServiceExt as _;

pub struct Pages {
    pub app: TestApp,
    router: Router,
    pub alice: RecipientId,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Pages {
    /// With the recipient alice and the categories `news`, `alerts` (required), `offers` (opt-in).
    pub async fn start() -> Self {
        Self::with(0, Rates::default()).await
    }

    pub async fn with(invalid: u32, rates: Rates) -> Self {
        let app = TestApp::start().await;
        app.recipient("alice").await;
        let alice = app.services.engine.hashing.recipient("alice");
        let proxies = vec![Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 }];
        let pages = LinkPages::new(Arc::clone(&app.services), Arc::new(InMemory::new(rates)), invalid, proxies);
        let this = Self { app, router: router(Arc::new(pages)), alice };
        for (key, name, required, default) in [("news", "News & <views>", false, true), ("alerts", "Security", true, true), ("offers", "Offers", false, false)]
        {
            this.define(key, name, required, default).await;
        }
        this
    }

    pub async fn define(&self, key: &str, name: &str, required: bool, subscribed_by_default: bool) {
        let key = CategoryKey::new(key).unwrap();
        let plain = DefineCategory::plain(key.clone(), name.to_owned(), "About it".to_owned(), required, Channel::UNNAMED.to_vec(), Priority::Normal);
        let define = DefineCategory { subscribed_by_default, ..plain };
        let engine = &self.app.services.engine;
        let done = engine.bus.execute::<Category>(commands::accept::category_stream(&key), &LinkPages::metadata(), define).await.unwrap();
        self.app.services.directory.projection().reached(done.position).await;
    }

    pub fn token(&self, purpose: Purpose, category: &str) -> String {
        self.token_of(purpose, category, self.app.services.engine.clock.now())
    }

    pub fn token_of(&self, purpose: Purpose, category: &str, made_at: i64) -> String {
        let category = (!category.is_empty()).then(|| CategoryKey::new(category).unwrap());
        self.app.services.engine.links.token(purpose, self.alice, category, None, made_at)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).header(header::USER_AGENT, "Scanner/1"), Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").header(header::USER_AGENT, "Browser/1");
        self.ask(request.header("x-forwarded-for", "203.0.113.1, 198.51.100.7"), Body::from(body.to_owned())).await
    }

    pub async fn ask(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.extension(Peer("10.0.0.9:5000".parse().unwrap())).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn subscription(&self) -> Subscription {
        let loaded = self.app.services.engine.bus.load::<Subscription>(subscription_stream(self.alice)).await.unwrap();
        Subscription::clone(&loaded.state)
    }

    pub async fn is(&self, scope: Scope) -> Option<bool> {
        self.subscription().await.switches.get(&scope).copied()
    }

    /// By which ways switches were turned, with what evidence.
    pub async fn consents(&self) -> Vec<(Scope, bool, Source, Evidence)> {
        let events = self.app.services.engine.bus.log().read_stream(subscription_stream(self.alice), 0, true).await.unwrap();
        let known = |personal: &Personal<Evidence>| personal.known().cloned().unwrap_or_default();
        let told = events.iter().filter_map(|event| match &event.fact {
            Fact::Subscription(SubscriptionEvent::Unsubscribed(e)) => Some((e.scope.clone(), false, e.source, known(&e.personal))),
            Fact::Subscription(SubscriptionEvent::Resubscribed(e)) => Some((e.scope.clone(), true, e.source, known(&e.personal))),
            _ => None,
        });
        told.collect()
    }
}

pub fn category(key: &str) -> Scope {
    Scope::Category(CategoryKey::new(key).unwrap())
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Refused, by a page that names this code.
    pub fn refused(&self, status: StatusCode, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.text.contains(&format!("<code>{code}</code>")), "{code}: {}", self.text);
    }
}
