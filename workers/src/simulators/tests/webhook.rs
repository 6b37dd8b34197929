use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::webhook::{secret_bytes, verify};
use super::*;

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret_bytes(secret));
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

const BODY: &str = r#"{"type":"a.b","n":1}"#;
const ID: &str = "msg_018f3b1e7c00700080000000000000a1_3";

async fn post(sims: &RunningSimulators, path: &str) -> reqwest::Result<reqwest::Response> {
    post_at(sims, path, now(), &sims.credentials.webhook_secret).await
}

async fn post_at(sims: &RunningSimulators, path: &str, timestamp: i64, secret: &str) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    client
        .post(format!("http://{}{path}", sims.webhook))
        .header("content-type", "application/json")
        .header("webhook-id", ID)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", format!("v1,AAAA {}", sign(secret, ID, timestamp, BODY)))
        .header("bongsu-attempt", "4")
        .body(BODY)
        .send()
        .await
}

#[test]
fn published_vectors() {
    for (secret, id, timestamp, body, signature) in [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "msg_01", "1700000000", BODY, "v1,gE5Hevveu/sS+Y3FE/XheUbd6I6Ac5P2YI5VDRS4U+Q="),
    ] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret_bytes(secret));
        assert!(verify(&key, id, timestamp, body.as_bytes(), signature), "{id}");
        assert!(!verify(&key, id, timestamp, b"{}", signature), "{id}");
        assert!(!verify(&key, "msg_02", timestamp, body.as_bytes(), signature), "{id}");
    }
}

#[tokio::test]
async fn signed_requests_are_accepted_and_repeats_marked() {
    let sims = started().await;
    assert_eq!(post(&sims, "/hook").await.unwrap().status(), 200);
    let entry = last(&sims);
    assert_eq!(entry.notification.as_deref(), Some("018f3b1e-7c00-7000-8000-0000000000a1"));
    assert_eq!((entry.delivery, entry.attempt), (Some(3), Some(4)));
    assert_eq!(entry.provider_id.as_deref(), Some(ID));
    assert!(!entry.duplicate);
    assert_eq!(post(&sims, "/hook").await.unwrap().status(), 200);
    assert!(last(&sims).duplicate);
    sims.shutdown().await;
}

#[tokio::test]
async fn forged_old_and_unsigned_requests_are_refused() {
    let sims = started().await;
    let secret = sims.credentials.webhook_secret.clone();
    for (timestamp, key, reason) in [
        (now(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "signature_mismatch"),
        (now() - 310, secret.as_str(), "timestamp_out_of_tolerance"),
        (now() + 310, secret.as_str(), "timestamp_out_of_tolerance"),
    ] {
        assert!(post_at(&sims, "/hook", timestamp, key).await.unwrap().status().is_client_error());
        assert_eq!(last(&sims).reason.as_deref(), Some(reason));
        assert!(!last(&sims).delivered);
    }
    let url = format!("http://{}/hook", sims.webhook);
    let answer = reqwest::Client::new().post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(last(&sims).reason.as_deref(), Some("missing_header"));
}

#[tokio::test]
async fn built_in_paths() {
    let sims = started().await;
    assert_eq!(post(&sims, "/gone").await.unwrap().status(), 410);
    let redirect = post(&sims, "/redirect").await.unwrap();
    assert_eq!((redirect.status().as_u16(), &redirect.headers()["location"]), (302, &"/redirected".parse().unwrap()));
    let throttled = post(&sims, "/throttle").await.unwrap();
    assert_eq!((throttled.status().as_u16(), &throttled.headers()["retry-after"]), (429, &"2".parse().unwrap()));
    assert_eq!(post(&sims, "/status/502").await.unwrap().status(), 502);
    assert_eq!(post(&sims, "/slow10/a").await.unwrap().status(), 200);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(post(&sims, "/flaky2/a").await.unwrap().status().as_u16());
    }
    assert_eq!(seen, [503, 503, 200]);
    assert!(post(&sims, "/drop").await.is_err());
    assert!(last(&sims).delivered);
    assert!(post(&sims, "/reset").await.is_err());
    assert!(!last(&sims).delivered);
}
