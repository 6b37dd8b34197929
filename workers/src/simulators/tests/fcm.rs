use super::*;

struct Fcm {
    sims: RunningSimulators,
    client: reqwest::Client,
    token: String,
}

impl Fcm {
    async fn new() -> Self {
        let sims = started().await;
        let token = access_token(&sims).await;
        Self { sims, client: reqwest::Client::new(), token }
    }

    async fn post(&self, body: Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("http://{}/v1/projects/demo/messages:send", self.sims.fcm);
        self.client.post(url).bearer_auth(&self.token).json(&body).send().await
    }

    async fn send(&self, body: Value) -> (u16, Value) {
        let answer = self.post(body).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn to(&self, device: &str) -> (u16, Value) {
        self.send(message(device)).await
    }
}

fn message(device: &str) -> Value {
    json!({ "message": {
        "token": device,
        "notification": { "title": "Paid", "body": "Order 42" },
        "data": { "nid": NID, "delivery": "0", "attempt": "2" },
        "android": { "priority": "high", "ttl": "3600s", "collapse_key": "o42" },
    }})
}

fn error_code(body: &Value) -> &str {
    body["error"]["details"][0]["errorCode"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_message_is_accepted_and_its_repeat_is_a_duplicate() {
    let fcm = Fcm::new().await;
    let (status, body) = fcm.to("device-1").await;
    assert_eq!(status, 200);
    let entry = last(&fcm.sims);
    assert_eq!(entry.provider_id.as_deref(), body["name"].as_str());
    assert!(entry.delivered && !entry.duplicate);
    assert_eq!(entry.verdict, Verdict::Accepted);
    assert_eq!(entry.notification.as_deref(), Some(NID));
    assert_eq!((entry.delivery, entry.attempt, entry.status), (Some(0), Some(2), Some(200)));
    fcm.to("device-1").await;
    assert!(last(&fcm.sims).duplicate);
    assert_eq!(fcm.sims.ledger().counters().fcm.duplicates, 1);
    fcm.sims.shutdown().await;
}

#[tokio::test]
async fn http2_with_prior_knowledge_works_on_the_same_port() {
    let mut fcm = Fcm::new().await;
    fcm.client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = fcm.post(message("device")).await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn assertions_are_checked() {
    let sims = started().await;
    for changes in [
        json!({ "aud": "https://oauth2.googleapis.com/token" }),
        json!({ "iss": "somebody@else" }),
        json!({ "exp": now() + 7_200 }),
        json!({ "iat": now() - 9_000, "exp": now() - 5_400 }),
    ] {
        let (status, body) = exchange(&sims, &assertion(&sims, changes)).await;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")), "{body}");
    }
    let other = started().await;
    let account: Value = serde_json::from_str(&sims.credentials.fcm_service_account_json).unwrap();
    let foreign = assertion(&other, json!({ "aud": account["token_uri"] }));
    let (status, body) = exchange(&sims, &foreign).await;
    assert_eq!(status, 400);
    assert_eq!(body["error_description"], "Invalid JWT Signature.");
    let (_, body) = exchange(&sims, &assertion(&sims, json!({ "scope": "email" }))).await;
    assert_eq!(body["error"], "invalid_scope");
}

#[tokio::test]
async fn padded_assertions_are_accepted() {
    use base64::Engine;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    let sims = started().await;
    let signed = assertion(&sims, json!({}));
    let parts: Vec<_> = signed.split('.').map(|p| URL_SAFE_NO_PAD.decode(p).unwrap()).collect();
    let message = format!("{}.{}", URL_SAFE.encode(&parts[0]), URL_SAFE.encode(&parts[1]));
    let account: Value = serde_json::from_str(&sims.credentials.fcm_service_account_json).unwrap();
    let key = EncodingKey::from_rsa_pem(account["private_key"].as_str().unwrap().as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
    let signature = URL_SAFE.encode(URL_SAFE_NO_PAD.decode(signature).unwrap());
    let (status, body) = exchange(&sims, &format!("{message}.{signature}")).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn tokens_expire_on_the_shifted_clock() {
    let mut fcm = Fcm::new().await;
    fcm.sims.clock().set_offset_seconds(3_700);
    let (status, body) = fcm.to("device").await;
    assert_eq!((status, body["error"]["status"].as_str()), (401, Some("UNAUTHENTICATED")));
    assert_eq!(body["error"]["details"][0]["reason"], "ACCESS_TOKEN_EXPIRED");
    assert_eq!(last(&fcm.sims).notification.as_deref(), Some(NID));
    fcm.token = "ya29.unknown".into();
    assert_eq!(fcm.to("device").await.0, 401);
}

#[tokio::test]
async fn built_in_tokens_answer_their_errors() {
    let fcm = Fcm::new().await;
    for (device, status, code) in [
        ("dead-1", 404, "UNREGISTERED"),
        ("mismatch-1", 403, "SENDER_ID_MISMATCH"),
        ("invalid-1", 400, "INVALID_ARGUMENT"),
        ("thirdparty-1", 401, "THIRD_PARTY_AUTH_ERROR"),
        ("internal-1", 500, "INTERNAL"),
        ("unavailable-1", 503, "UNAVAILABLE"),
    ] {
        let (got, body) = fcm.to(device).await;
        assert_eq!((got, error_code(&body)), (status, code), "{device}");
        assert!(!last(&fcm.sims).delivered);
    }
    let answer = fcm.post(message("quota-1")).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "60");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["details"][1]["@type"], "type.googleapis.com/google.rpc.QuotaFailure");
    assert_eq!(last(&fcm.sims).verdict, Verdict::Throttled);
}

#[tokio::test]
async fn flaky_tokens_recover() {
    let fcm = Fcm::new().await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(fcm.to("flaky2-a").await.0);
    }
    assert_eq!(seen, [503, 503, 200]);
    assert_eq!((fcm.to("busy-a").await.0, fcm.to("busy-a").await.0), (429, 200));
    assert_eq!(fcm.to("slow20-a").await.0, 200);
}

#[tokio::test]
async fn dropped_answers_were_delivered() {
    let fcm = Fcm::new().await;
    assert!(fcm.post(message("drop-a")).await.is_err());
    let entry = last(&fcm.sims);
    assert!(entry.delivered);
    assert_eq!((entry.verdict, entry.status), (Verdict::Dropped, None));
    assert_eq!(fcm.to("drop-a").await.0, 200);
    assert!(last(&fcm.sims).duplicate);
    assert!(fcm.post(message("reset-a")).await.is_err());
    assert!(!last(&fcm.sims).delivered);
}

#[tokio::test]
async fn a_503_can_follow_delivery() {
    let fcm = Fcm::new().await;
    let (status, body) = fcm.to("ghost-a").await;
    assert_eq!((status, error_code(&body)), (503, "UNAVAILABLE"));
    assert!(last(&fcm.sims).delivered);
    assert_eq!(fcm.to("ghost-a").await.0, 200);
    assert!(last(&fcm.sims).duplicate);
}

#[tokio::test]
async fn garbage_and_hang() {
    let fcm = Fcm::new().await;
    let answer = fcm.post(message("garbage-a")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html");
    let ledger = fcm.sims.ledger();
    tokio::select! {
        _ = fcm.post(message("hang-a")) => panic!("a hanging request was answered"),
        _ = ledger.wait_for(|c| c.fcm.dropped == 2) => {}
    }
    fcm.sims.shutdown().await;
}

#[tokio::test]
async fn what_google_refuses_is_refused() {
    let fcm = Fcm::new().await;
    let cases = [
        (json!({ "message": { "data": {} } }), "FcmError"),
        (json!({ "message": { "token": "a", "topic": "b" } }), "no"),
        (json!({ "message": { "token": "a", "data": { "gcm.x": "1" } } }), "FcmError"),
        (json!({ "message": { "token": "a", "data": { "from": "1" } } }), "FcmError"),
        (json!({ "message": { "token": "a", "data": { "n": 1 } } }), "no"),
        (json!({ "message": { "token": "a", "data": { "n": "x".repeat(4_100) } } }), "FcmError"),
        (json!({ "message": { "token": "a", "android": { "ttl": "9999999s" } } }), "FcmError"),
        (json!({ "message": { "token": "a", "android": { "ttl": "1h" } } }), "no"),
        (json!({ "message": { "token": "a", "colour": "red" } }), "no"),
        (json!({ "massage": {} }), "no"),
    ];
    for (body, expected) in cases {
        let (status, answer) = fcm.send(body.clone()).await;
        assert_eq!((status, answer["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
        let details = answer["error"]["details"].to_string();
        assert!(details.contains("fieldViolations"), "{body} {answer}");
        assert_eq!(details.contains("FcmError"), expected == "FcmError", "{body} {answer}");
    }
    assert_eq!(fcm.sims.ledger().counters().fcm.delivered, 0);
}

#[tokio::test]
async fn validate_only_stores_nothing() {
    let fcm = Fcm::new().await;
    let mut body = message("device");
    body["validate_only"] = true.into();
    assert_eq!(fcm.send(body).await.0, 200);
    let counters = fcm.sims.ledger().counters().fcm;
    assert_eq!((counters.accepted, counters.delivered), (0, 0));
    assert!(fcm.sims.messages().latest(Provider::Fcm, 10).is_empty());
}

#[tokio::test]
async fn closed_and_foreign_paths() {
    let fcm = Fcm::new().await;
    let post = async |path: &str| {
        let url = format!("http://{}{path}", fcm.sims.fcm);
        let request = fcm.client.post(url).bearer_auth(&fcm.token).json(&message("a"));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("/batch").await, 404);
    assert_eq!(post("/v1/projects/other/messages:send").await, 403);
}

#[tokio::test]
async fn quota_windows_and_percentages() {
    let fcm = Fcm::new().await;
    let quota = Action::Quota { limit: 2, window_s: 60, retry_after: None };
    fcm.sims.rules().add(Rule::all(Provider::Fcm, quota).prefix("q"));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(fcm.to("q1").await.0);
    }
    assert_eq!(seen, [200, 200, 429]);
    fcm.sims.clock().set_offset_seconds(61);
    assert_eq!(fcm.to("q1").await.0, 200);
    let half = Action::Error { status: 500, reason: "INTERNAL".into(), retry_after: None, at: None };
    fcm.sims.rules().add(Rule::all(Provider::Fcm, half).prefix("p").percent(50.0));
    let mut failed = 0;
    for _ in 0..40 {
        failed += u32::from(fcm.to("p1").await.0 == 500);
    }
    assert!((8..=32).contains(&failed), "{failed}");
}
