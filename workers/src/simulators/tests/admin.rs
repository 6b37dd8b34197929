use super::*;

async fn get(sims: &RunningSimulators, path: &str) -> reqwest::Response {
    reqwest::get(format!("http://{}{path}", sims.admin)).await.unwrap()
}

async fn post(sims: &RunningSimulators, path: &str, body: Value) -> u16 {
    let url = format!("http://{}{path}", sims.admin);
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().status().as_u16()
}

async fn send(sims: &RunningSimulators, token: &str, device: &str) -> u16 {
    let url = format!("http://{}/v1/projects/demo/messages:send", sims.fcm);
    let body = json!({ "message": { "token": device, "data": { "nid": "n_1" } } });
    let request = reqwest::Client::new().post(url).bearer_auth(token).json(&body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn ledger_counters_messages_and_reset() {
    let sims = started().await;
    let token = access_token(&sims).await;
    for device in ["a", "b", "dead-c"] {
        send(&sims, &token, device).await;
    }
    let text = get(&sims, "/_sim/ledger?after=1&limit=1").await.text().await.unwrap();
    let entries: Vec<LedgerEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].seq, entries[0].notification.as_deref()), (2, Some("n_1")));
    assert!(entries[0].duplicate);
    let counters: AllCounters = get(&sims, "/_sim/counters").await.json().await.unwrap();
    assert_eq!((counters.fcm.accepted, counters.fcm.rejected, counters.fcm.duplicates), (2, 1, 1));
    let messages: Value = get(&sims, "/_sim/messages?provider=fcm&limit=1").await.json().await.unwrap();
    assert_eq!(messages[0]["address"], "b");
    assert_eq!(post(&sims, "/_sim/reset", json!({})).await, 204);
    let counters: AllCounters = get(&sims, "/_sim/counters").await.json().await.unwrap();
    assert_eq!((counters.fcm.arrivals, counters.last_seq), (0, 3));
}

#[tokio::test]
async fn rules_match_in_order_and_expire() {
    let sims = started().await;
    let token = access_token(&sims).await;
    let rules = json!([
        { "provider": "fcm", "address_prefix": "x", "times": 1,
          "action": { "error": { "status": 500, "reason": "INTERNAL" } } },
        { "provider": "fcm", "address_contains": "y",
          "action": { "throttle": { "rate_per_s": 0.0, "burst": 1.0, "retry_after": 7 } } },
    ]);
    assert_eq!(post(&sims, "/_sim/rules", rules.clone()).await, 200);
    let listed: Value = get(&sims, "/_sim/rules").await.json().await.unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(send(&sims, &token, "xy").await, 500);
    assert_eq!(send(&sims, &token, "xy").await, 200);
    assert_eq!(send(&sims, &token, "xy").await, 429);
    assert_eq!(send(&sims, &token, "z").await, 200);
    let one = json!({ "provider": "fcm", "action": "outage" });
    assert_eq!(post(&sims, "/_sim/rules", one).await, 200);
    assert_eq!(send(&sims, &token, "z").await, 503);
    assert_eq!(post(&sims, "/_sim/rules", json!({ "provider": "fax" })).await, 400);
    let url = format!("http://{}/_sim/rules", sims.admin);
    reqwest::Client::new().delete(url).send().await.unwrap();
    assert_eq!(send(&sims, &token, "z").await, 200);
    assert_eq!(post(&sims, "/_sim/clock", json!({ "offset_s": 4_000 })).await, 204);
    assert_eq!(send(&sims, &token, "z").await, 401);
}

#[tokio::test]
async fn a_restart_keeps_credentials_addresses_and_numbering() {
    let folder = std::env::temp_dir().join(format!("bongsu-simulators-{}", uuid::Uuid::now_v7()));
    let config = SimulatorsConfig { state_dir: Some(folder.clone()), ..Default::default() };
    let first = start(config.clone()).await.unwrap();
    let token = access_token(&first).await;
    send(&first, &token, "a").await;
    let credentials: TestCredentials = get(&first, "/_sim/credentials").await.json().await.unwrap();
    let (fcm, smtp) = (first.fcm, first.smtp);
    first.shutdown().await;
    assert_eq!(std::fs::read_to_string(folder.join("ca.pem")).unwrap(), credentials.tls_ca_pem);
    assert_eq!(std::fs::read_to_string(folder.join("apns.p8")).unwrap(), credentials.apns_key_pem);
    let second = start(config).await.unwrap();
    assert_eq!((second.fcm, second.smtp), (fcm, smtp));
    assert_eq!(serde_json::to_value(&second.credentials).unwrap(), serde_json::to_value(&credentials).unwrap());
    let token = access_token(&second).await;
    send(&second, &token, "b").await;
    second.shutdown().await;
    let ledger = std::fs::read_to_string(folder.join("ledger.ndjson")).unwrap();
    let seqs: Vec<u64> = ledger.lines().map(|line| serde_json::from_str::<LedgerEntry>(line).unwrap().seq).collect();
    assert_eq!(seqs, [1, 2]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn addresses_outside_loopback_are_refused() {
    let config = SimulatorsConfig { at: Places { smtp: "0.0.0.0:0".parse().unwrap(), ..SimulatorsConfig::default().at }, ..Default::default() };
    assert!(matches!(start(config).await, Err(SimulatorError::NotLoopback { name: "smtp", .. })));
}
