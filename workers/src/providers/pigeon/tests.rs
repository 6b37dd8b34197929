#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod guide;

use super::{Pigeon, Settings, error_map};
use crate::providers::Provider;
use crate::providers::http::{Answer, Credential};
use crate::providers::testing::{expect, message, nobody_knows, told};
use crate::simulators::tests::pigeon as simulator;
use commands::ports::SystemClock;
use domain::values::Outcome;
use std::sync::Arc;
use std::time::Duration;

fn pigeon(address: std::net::SocketAddr, key: &str) -> Pigeon {
    let settings = Settings { api_key: Credential::new(key), base_url: format!("http://{address}"), concurrency: 4, timeout: Duration::from_secs(5) };
    Pigeon::new(&settings, Arc::new(SystemClock::default())).unwrap()
}

#[tokio::test]
async fn a_message_arrives_with_our_ids() {
    let running = simulator::start("key").await;
    let pigeon = pigeon(running.address, "key");
    assert_eq!(pigeon.check().await, Ok(()));
    assert_eq!(pigeon.send(&message("north", None)).await, Outcome::Accepted { provider_id: Some("p1".to_owned()) });
    let entry = running.world.ledger.entries(0, 1).pop().unwrap();
    assert_eq!(entry.notification.as_deref(), Some("00000000-0000-0000-0000-000000000077"));
    assert_eq!((entry.delivery, entry.attempt, entry.provider_id.as_deref()), (Some(3), Some(2), Some("p1")));
}

#[tokio::test]
async fn each_refusal_and_each_silence_is_what_it_means() {
    let running = simulator::start("key").await;
    let to = |loft: &str| message(loft, None);
    let right = pigeon(running.address, "key");
    let cases = [
        (to("gone-a"), "bad address", "404"),
        (to("prohibited-a"), "misconfigured", "403"),
        (to("invalid-a"), "permanent", "400"),
        (to("throttle-a"), "throttled", "429"),
        (to("flaky-a"), "unknown", "500"),
        (to("flaky-a"), "accepted", ""),
    ];
    expect(&right, &cases).await;
    // Words that every simulator knows: drop, ghost, reset, garbage, empty.
    nobody_knows(&right, |word| to(&word.replace('@', "-")), "200 with another body").await;
    let wrong = pigeon(running.address, "another");
    assert!(wrong.check().await.unwrap_err().contains("api_key"));
    expect(&wrong, &[(to("north"), "misconfigured", "401")]).await;
}

/// One row for every line of the map, also for what the simulator never says.
#[test]
fn each_status_is_what_it_means() {
    for (status, kind) in
        [(200, "unknown"), (302, "retry"), (401, "misconfigured"), (410, "bad address"), (422, "permanent"), (429, "throttled"), (502, "unknown")]
    {
        let answer = Answer { status, retry_after: None, headers: Default::default(), body: Vec::new() };
        assert_eq!(told(&error_map::outcome(&answer)).0, kind, "{status}");
    }
}
