//! A server without a listener.

use crate::app::data_dir::DataDir;
use crate::app::engine::{Engine, EngineSettings};
use crate::app::services::Services;
use crate::app::stores::Stores;
use crate::app::supervisor::Supervisor;
use crate::auth::api_key::KeyHasher;
use crate::auth::limits::{InMemory, Rates};
use crate::auth::recipient_token::TokenKey;
use crate::auth::registry::KeyRegistry;
use crate::auth::{Gate, bootstrap};
use crate::graphql::schema;
use crate::graphql::transport::{TransportSettings, router};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use commands::ports::{Clock, Random, SystemClock, SystemRandom};
use domain::policy::retry::RetrySchedule;
use domain::values::Channel;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use workers::channels::BreakerSettings;
use workers::providers::webhook::WebhookPolicy;

pub struct TestApp {
    /// An administrator's key, made by the first start.
    pub administrator: String,
    pub services: Arc<Services>,
    router: Router,
    delivering: Supervisor,
    following: Supervisor,
    _folder: tempfile::TempDir,
    _data: DataDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The code of the first error; empty where there is none.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// The data, of an answer without errors.
    pub fn data(&self) -> &Value {
        assert!(self.body["errors"].is_null(), "{}", self.body);
        &self.body["data"]
    }
}

impl TestApp {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let data = DataDir::lock(folder.path()).unwrap();
        let master = data.master_key(None, None, random.as_ref()).unwrap();
        let keys = Arc::new(KeyRegistry::new(KeyHasher::new(&master)));
        let settings = EngineSettings {
            schedules: Channel::ALL.into_iter().map(|channel| (channel, RetrySchedule::default_for(channel))).collect(),
            batch: 64,
            lane: 1_000,
            breaker: BreakerSettings::default(),
            rates: std::collections::HashMap::new(),
            ramps: std::collections::HashMap::new(),
            also_from: std::collections::HashMap::new(),
            prices: std::collections::HashMap::new(),
            terms: std::collections::HashMap::new(),
            abroad: std::collections::HashMap::new(),
            mirror: None,
            roles: crate::config::Roles::ALL,
            files: (
                Some(Arc::new(commands::attachments::StoredObjects::open(commands::attachments::Place::Folder(folder.path().join("attachments"))).unwrap())),
                commands::attachments::AttachmentSettings::default(),
            ),
            overall: Vec::new(),
            share_always: false,
            links: commands::links::LinkSettings { base_url: Some("https://acme.test".to_owned()), ..Default::default() },
            examiner: Arc::new(commands::templates::InProcess),
        };
        let hooks: Vec<Arc<dyn commands::log::AfterCommit>> = vec![Arc::<KeyRegistry>::clone(&keys)];
        let stores = Stores::embedded(&data, &master, 8, &random).unwrap();
        let engine = Arc::new(Engine::over(stores, &master, settings, hooks, Arc::clone(&clock), Arc::clone(&random)).unwrap());
        let failed = CancellationToken::new();
        let (delivering, following) = (Supervisor::new(failed.clone()), Supervisor::new(failed));
        let providers = engine.start(Vec::new(), &delivering, &following).await.unwrap();
        let administrator =
            bootstrap::ensure(&engine.bus, &keys, clock.as_ref(), random.as_ref(), |_| Ok::<_, commands::log::LogError>(())).await.unwrap().unwrap();
        let tokens = Arc::new(TokenKey::new(&master));
        let services = Arc::new(Services {
            engine: Arc::clone(&engine),
            keys: Arc::clone(&keys),
            tokens: Arc::clone(&tokens),
            providers,
            webhook_policy: WebhookPolicy::default(),
            slack: workers::providers::slack::PLACE.to_owned(),
            also_from: [("twilio", (Channel::Sms, vec!["ACME".to_owned()]))].into(),
            stopping: CancellationToken::new(),
            senders: crate::auth::limits::NotificationRate::new(0, engine.peers.clone(), "api", Arc::clone(&clock)),
            list_length: 1_000,
            page_size: 60,
            notifications: engine.read_models.notifications().unwrap(),
            dead_letters: engine.read_models.dead_letters().unwrap(),
            schedules: engine.read_models.schedules().unwrap(),
            suppressions: engine.read_models.suppressions().unwrap(),
            templates: engine.read_models.templates().unwrap(),
            experiments: engine.read_models.experiments().unwrap(),
            directory: engine.read_models.directory().unwrap(),
        });
        let transport = TransportSettings::default();
        let schema = schema::build(Arc::clone(&services), &transport.bounds);
        let router = router(schema, Arc::new(Gate::new(keys, tokens, Arc::new(InMemory::new(Rates::default())), clock)), transport);
        Self { administrator, services, router, delivering, following, _folder: folder, _data: data }
    }

    pub async fn stop(self) {
        self.delivering.stop().await;
        self.following.stop().await;
    }

    pub async fn post(&self, credential: Option<&str>, query: &str, variables: Value) -> Answer {
        let mut request =
            Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT, "application/graphql-response+json");
        if let Some(credential) = credential {
            request = request.header(header::AUTHORIZATION, format!("Bearer {credential}"));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap() }
    }

    pub async fn ask(&self, credential: &str, query: &str) -> Answer {
        self.post(Some(credential), query, json!({})).await
    }

    /// The text of an event stream that ends by itself.
    pub async fn stream(&self, credential: &str, query: &str) -> String {
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .header(header::AUTHORIZATION, format!("Bearer {credential}"))
            .body(Body::from(json!({ "query": query }).to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    /// A key of a sender, which is registered first.
    pub async fn sender(&self, sender: &str, more: &str) -> String {
        let register = format!(r#"mutation {{ registerSender(input: {{key: "{sender}", name: "A sender"}}) {{ __typename }} }}"#);
        assert_eq!(self.ask(&self.administrator, &register).await.data()["registerSender"]["__typename"], "SenderChanged");
        let create = format!(
            r#"mutation {{ createApiKey(input: {{name: "k", role: SENDER, sender: "{sender}" {more}}}) {{ ... on ApiKeyCreated {{ secret }} ... on Problem {{ code }} }} }}"#
        );
        self.ask(&self.administrator, &create).await.data()["createApiKey"]["secret"].as_str().unwrap().to_owned()
    }

    /// A recipient and a token for its app.
    pub async fn recipient(&self, id: &str) -> String {
        let upsert = format!(r#"mutation {{ upsertRecipient(input: {{id: "{id}"}}) {{ __typename }} }}"#);
        assert_eq!(self.ask(&self.administrator, &upsert).await.data()["upsertRecipient"]["__typename"], "RecipientChanged");
        let mint = format!(r#"mutation {{ mintRecipientToken(input: {{recipient: "{id}"}}) {{ ... on RecipientToken {{ token }} }} }}"#);
        self.ask(&self.administrator, &mint).await.data()["mintRecipientToken"]["token"].as_str().unwrap().to_owned()
    }

    /// Sends over the channel inside the app; gives the id and the position.
    pub async fn send(&self, key: &str, recipient: &str, body: &str) -> (String, String) {
        let query = format!(
            r#"mutation {{ sendNotification(input: {{recipient: "{recipient}", channels: [IN_APP], content: {{body: "{body}"}}}})
               {{ ... on SendAccepted {{ position notification {{ id }} }} ... on Problem {{ code message }} }} }}"#
        );
        let answer = self.ask(key, &query).await;
        let accepted = &answer.data()["sendNotification"];
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
        (text(&accepted["notification"]["id"]), text(&accepted["position"]))
    }

    /// The newest event's position.
    pub fn head(&self) -> u64 {
        self.services.engine.tail.head()
    }
}
