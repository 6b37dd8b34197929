use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn provider_token(sims: &RunningSimulators, kid: &str, iat: i64) -> String {
    let key = EncodingKey::from_ec_pem(sims.credentials.apns_key_pem.as_bytes()).unwrap();
    let header = Header { kid: Some(kid.into()), typ: None, ..Header::new(Algorithm::ES256) };
    let claims = json!({ "iss": sims.credentials.apns_team_id, "iat": iat });
    encode(&header, &claims, &key).unwrap()
}

fn device(prefix: &str) -> String {
    format!("{prefix:0<64}")
}

struct Apns {
    sims: RunningSimulators,
    client: reqwest::Client,
    token: String,
    base: String,
}

impl Apns {
    async fn new() -> Self {
        let sims = started().await;
        let token = provider_token(&sims, &sims.credentials.apns_key_id, now());
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let base = format!("http://{}", sims.apns_cleartext);
        Self { sims, client, token, base }
    }

    fn request(&self, device: &str) -> reqwest::RequestBuilder {
        let body = json!({ "aps": { "alert": "hi" }, "nid": NID, "delivery": 1, "attempt": 3 });
        self.bare(device).header("apns-topic", &self.sims.credentials.apns_topic).json(&body)
    }

    fn bare(&self, device: &str) -> reqwest::RequestBuilder {
        let request = self.client.post(format!("{}/3/device/{device}", self.base));
        request.header("authorization", format!("bearer {}", self.token))
    }
}

async fn result(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    (status, body["reason"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn over_tls_with_the_test_authority() {
    let mut apns = Apns::new().await;
    let ca = reqwest::Certificate::from_pem(apns.sims.credentials.tls_ca_pem.as_bytes()).unwrap();
    apns.client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    apns.base = format!("https://localhost:{}", apns.sims.apns.port());
    let id = "7b1f0a52-8b6e-4c57-9a55-0c0f2f1e9d10";
    let answer = apns.request(&device("aa")).header("apns-id", id).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    assert_eq!(answer.headers()["apns-id"], id);
    let entry = last(&apns.sims);
    assert_eq!(entry.provider_id.as_deref(), Some(id));
    assert_eq!(entry.notification.as_deref(), Some(NID));
    assert_eq!((entry.delivery, entry.attempt), (Some(1), Some(3)));
    // Somebody who does not know the authority gets no connection.
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(stranger.post(&apns.base).send().await.is_err());
    apns.sims.shutdown().await;
}

#[tokio::test]
async fn provider_tokens_are_checked() {
    let mut apns = Apns::new().await;
    let valid = apns.token.clone();
    let kid = apns.sims.credentials.apns_key_id.clone();
    for (token, reason) in [
        (provider_token(&apns.sims, "OTHER", now()), "InvalidProviderToken"),
        (provider_token(&apns.sims, &kid, now() - 3_700), "ExpiredProviderToken"),
        (provider_token(&started().await, &kid, now()), "InvalidProviderToken"),
        ("nonsense".into(), "InvalidProviderToken"),
    ] {
        apns.token = token;
        assert_eq!(result(apns.request(&device("aa"))).await, (403, reason.to_owned()));
    }
    let url = format!("{}/3/device/{}", apns.base, device("aa"));
    let bare = apns.client.post(url).json(&json!({}));
    assert_eq!(result(bare).await, (403, "MissingProviderToken".to_owned()));
    apns.token = valid;
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
    // A second token on the same connection within 20 minutes; the first one goes on working.
    let first = std::mem::replace(&mut apns.token, provider_token(&apns.sims, &kid, now() - 60));
    let second = result(apns.request(&device("aa"))).await;
    assert_eq!(second, (429, "TooManyProviderTokenUpdates".to_owned()));
    apns.token = first;
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
}

#[tokio::test]
async fn built_in_tokens_answer_their_reasons() {
    let apns = Apns::new().await;
    for (prefix, status, reason) in [
        ("dead01", 410, "ExpiredToken"),
        ("bad000", 400, "BadDeviceToken"),
        ("bad001", 400, "DeviceTokenNotForTopic"),
        ("429000", 429, "TooManyRequests"),
        ("500000", 500, "InternalServerError"),
    ] {
        let got = result(apns.request(&device(prefix))).await;
        assert_eq!(got, (status, reason.to_owned()));
    }
    let before = chrono::Utc::now().timestamp_millis();
    let gone: Value = apns.request(&device("dead00")).send().await.unwrap().json().await.unwrap();
    assert_eq!(gone["reason"], "Unregistered");
    assert!(gone["timestamp"].as_i64().unwrap() >= before);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(result(apns.request(&device("f1a002"))).await.0);
    }
    assert_eq!(seen, [503, 503, 200]);
}

#[tokio::test]
async fn headers_and_payload_are_checked() {
    let apns = Apns::new().await;
    let good = device("ab");
    let topic = apns.sims.credentials.apns_topic.clone();
    let with = |name: &'static str, value: &str| apns.request(&good).header(name, value);
    let cases = [
        (apns.request("zz"), 400, "BadDeviceToken"),
        (apns.request(""), 400, "MissingDeviceToken"),
        (apns.bare(&good).json(&json!({})), 400, "MissingTopic"),
        (apns.bare(&good).header("apns-topic", "com.other").json(&json!({})), 400, "TopicDisallowed"),
        (with("apns-topic", &topic), 400, "DuplicateHeaders"),
        (with("apns-push-type", "shout"), 400, "InvalidPushType"),
        (with("apns-push-type", "voip"), 400, "BadTopic"),
        (with("apns-priority", "7"), 400, "BadPriority"),
        (with("apns-push-type", "background").header("apns-priority", "10"), 400, "BadPriority"),
        (with("apns-expiration", "soon"), 400, "BadExpirationDate"),
        (with("apns-collapse-id", &"x".repeat(65)), 400, "BadCollapseId"),
        (with("apns-id", "42"), 400, "BadMessageId"),
        (apns.request(&good).body(""), 400, "PayloadEmpty"),
        (apns.request(&good).json(&json!({ "x": "y".repeat(4_096) })), 413, "PayloadTooLarge"),
    ];
    for (request, status, reason) in cases {
        assert_eq!(result(request).await, (status, reason.to_owned()));
    }
    let authorized = |request: reqwest::RequestBuilder| request.header("authorization", format!("bearer {}", apns.token));
    let get = authorized(apns.client.get(format!("{}/3/device/{good}", apns.base)));
    assert_eq!(result(get).await, (405, "MethodNotAllowed".to_owned()));
    let path = authorized(apns.client.post(format!("{}/2/device/{good}", apns.base)));
    assert_eq!(result(path).await, (404, "BadPath".to_owned()));
    assert_eq!(apns.sims.ledger().counters().apns.delivered, 0);
}

#[tokio::test]
async fn lost_answers_and_lost_connections() {
    let apns = Apns::new().await;
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
    assert!(apns.request(&device("d60000")).send().await.is_err());
    assert!(last(&apns.sims).delivered);
    assert_eq!(result(apns.request(&device("9057ed"))).await.0, 503);
    assert!(last(&apns.sims).delivered);
    assert!(apns.request(&device("c105e0")).send().await.is_err());
    assert!(!last(&apns.sims).delivered);
    assert!(apns.request(&device("c105e1")).send().await.is_err());
    assert_eq!(last(&apns.sims).reason.as_deref(), Some("rst_stream"));
}

/// Reads frames until one of `kind` arrives; returns its payload.
async fn frame(socket: &mut tokio::net::TcpStream, kind: u8) -> Vec<u8> {
    loop {
        let mut header = [0_u8; 9];
        socket.read_exact(&mut header).await.unwrap();
        let length = usize::from(header[1]) << 8 | usize::from(header[2]);
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await.unwrap();
        if header[3] == kind && header[4] & 1 == 0 {
            return payload;
        }
    }
}

#[tokio::test]
async fn one_stream_is_advertised_before_the_first_valid_token() {
    let sims = started().await;
    let mut socket = tokio::net::TcpStream::connect(sims.apns_cleartext).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    socket.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let settings = frame(&mut socket, 4).await;
    let streams = settings.chunks(6).find(|entry| entry[..2] == [0, 3]).unwrap();
    assert_eq!(streams[2..], [0, 0, 0, 1]);
}

#[tokio::test]
async fn many_streams_are_allowed_after_the_first_valid_token() {
    let apns = Apns::new().await;
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
    let ledger = apns.sims.ledger();
    let hanging =
        async { tokio::join!(apns.request(&device("4a4900aa")).send(), apns.request(&device("4a4900bb")).send(), apns.request(&device("4a4900cc")).send(),) };
    tokio::select! {
        _ = hanging => panic!("a hanging request was answered"),
        _ = ledger.wait_for(|c| c.apns.dropped == 3) => {}
    }
    apns.sims.shutdown().await;
}

#[tokio::test]
async fn goaway_carries_its_reason() {
    let apns = Apns::new().await;
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
    let error = apns.request(&device("60a3a0")).send().await;
    // A client may re-send by itself, since the stream was above the last processed one; then it succeeds.
    assert!(error.is_err() || error.unwrap().status() == 200);
    let entries = apns.sims.ledger().entries(1, 10);
    assert_eq!(entries[0].reason.as_deref(), Some("goaway"));
    assert!(!entries[0].delivered);
    assert_eq!(result(apns.request(&device("aa"))).await.0, 200);
}
