//! Several servers allow a credential no more than one would. Runs on the cluster profile whatever the other
//! scenarios run on.

use anyhow::{Context, Result};
use serde_json::json;
use tests::profile::Profile;
use tests::wait::now;
use tests::{App, Client, until};

/// Requests a second with one key.
const RATE: f64 = 50.0;
const REQUESTS: usize = 400;
const SHARED: &str = "the limits of requests are shared by all replicas";

/// Asks one replica again and again; says how often it answered.
async fn hammer(client: Client) -> Result<usize> {
    let mut answered = 0;
    for _ in 0..REQUESTS {
        let answer = client.ask("{ __typename }", json!({})).await?;
        if answer.status == 429 {
            assert_eq!(answer.code()?, "RATE_LIMITED");
            assert_eq!(answer.retry_after, Some(1));
        } else {
            answer.data()?;
            answered += 1;
        }
    }
    Ok(answered)
}

async fn three_replicas_allow_a_key_what_one_would(profile: Profile) -> Result<()> {
    let app = App::on_with(profile, &format!("\n[limits]\nkey_requests = {RATE}\n")).await?;
    let (second, third) = (app.replica("second", &[], &[]).await?, app.replica("third", &[], &[]).await?);
    let (loud, quiet) = (app.sender("loud").await?, app.sender("quiet").await?);
    until("all replicas know of each other", async || {
        for client in [&app.admin, &second.admin, &third.admin] {
            let status = client.query("{ status { replicas { name } } }", json!({})).await?;
            if status["status"]["replicas"].as_array().context("no replicas")?.len() != 3 {
                return Ok(None);
            }
        }
        let told = profile != Profile::Cluster || [app.printed()?, second.printed()?, third.printed()?].iter().all(|log| log.contains(SHARED));
        Ok(told.then_some(()))
    })
    .await?;

    let begun = now();
    let (first, other, another) =
        tokio::try_join!(tokio::spawn(hammer(loud.clone())), tokio::spawn(hammer(second.client(&loud))), tokio::spawn(hammer(third.client(&loud))))?;
    let answered = first? + other? + another?;
    // What may be saved up, what came back meanwhile, and what two of three let through before they know.
    let promised = RATE * (2.0 + begun.elapsed().as_secs_f64() + 2.0 / 4.0);
    assert!((answered as f64) <= promised.ceil(), "{answered} instead of {promised}");
    assert!(answered >= 50, "of what is saved up: {answered}");
    for client in [&quiet, &second.client(&quiet), &third.client(&quiet)] {
        assert_eq!(client.ask("{ __typename }", json!({})).await?.status, 200);
    }
    let (_, metrics) = app.admin.get("/metrics").await?;
    assert!(metrics.contains("bongsu_requests_refused_total{reason=\"key_requests\"}"), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn three_replicas_with_redis_allow_a_key_what_one_would() -> Result<()> {
    three_replicas_allow_a_key_what_one_would(Profile::Cluster).await
}

#[tokio::test]
async fn three_replicas_without_redis_allow_a_key_what_one_would() -> Result<()> {
    three_replicas_allow_a_key_what_one_would(Profile::ClusterWithoutRedis).await
}
