//! Providers that answer every call with nonsense, for an hour of the server's clock: pages, bytes, successes with
//! an error inside, nothing at all. Nothing is lost, nothing is given up, and all of it arrives afterwards.
//!
//! The clock is moved a minute at a time; between two minutes the server is let do what is due.

use crate::told::events;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::path::PathBuf;
use tests::{App, Client};

/// More than the failures in a row that open a breaker.
const CROWD: usize = 30;
const MINUTES: u64 = 60;
const ROUTES: [(&str, &str); 5] = [("ANDROID_PUSH", "fcm"), ("IOS_PUSH", "apns"), ("EMAIL", "sendgrid"), ("SMS", "twilio"), ("WEBHOOK", "webhook")];

/// The server's clock.
struct Ahead {
    file: PathBuf,
    seconds: u64,
}

impl Ahead {
    fn pass(&mut self, seconds: u64) -> Result<()> {
        self.seconds += seconds;
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, self.seconds.to_string())?;
        Ok(std::fs::rename(fresh, &self.file)?)
    }
}

/// A server with the retries that users get, little patience, and a clock that can be moved.
async fn app() -> Result<(App, Ahead, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let mut ahead = Ahead { file: folder.path().join("ahead"), seconds: 0 };
    ahead.pass(0)?;
    let clock = ahead.file.display().to_string();
    let mut environment =
        vec![("BONGSU_CLOCK_AHEAD", clock.as_str()), ("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "true")];
    let patience = ROUTES.map(|(_, provider)| format!("BONGSU_PROVIDERS__{}__TIMEOUT", provider.to_uppercase()));
    environment.extend(patience.iter().map(|name| (name.as_str(), "1s")));
    // Named, so that the others keep what users get.
    let app = App::with_environment("\n[delivery.retry.voice]\nfirst = \"60s\"\n", &environment).await?;
    Ok((app, ahead, folder))
}

/// One to each person over each channel. No two texts are the same: Twilio is asked for a text by its words.
async fn send_all(shop: &Client, round: u64) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for (channel, _) in ROUTES {
        let item = |number: usize| json!({ "recipient": format!("person{number}"), "channels": [channel], "content": { "title": "Hello", "body": format!("How are you? {round}") } });
        let items: Vec<Value> = (0..CROWD).map(item).collect();
        ids.extend(shop.send_list(&items).await?.into_iter().map(|sent| sent.id));
    }
    Ok(ids)
}

/// Everything that answers do not mean, on every call, also those that look something up.
async fn nonsense(app: &App) -> Result<()> {
    for (_, provider) in ROUTES {
        // A webhook's receiver says yes by any success, so nonsense with 200 is none there.
        let mixed: &[(f64, Value)] = match provider {
            "webhook" => {
                &[(30.0, json!("reset")), (40.0, json!("outage")), (5.0, json!("hang")), (100.0, json!({ "error": { "status": 500, "reason": "<html>" } }))]
            }
            _ => &[
                (25.0, json!("garbage")),
                (30.0, json!("noise")),
                (40.0, json!("error_inside")),
                (40.0, json!("empty")),
                (5.0, json!("hang")),
                (100.0, json!("reset")),
            ],
        };
        for (percent, action) in mixed {
            app.simulators.rules(json!({ "provider": provider, "every_call": true, "percent": percent, "action": action })).await?;
        }
    }
    Ok(())
}

async fn calls(app: &App) -> Result<usize> {
    Ok(app.simulators.ledger().await?.len())
}

/// Waits until nothing more is called: what is due has been tried.
async fn quiet(app: &App) -> Result<()> {
    tests::wait::until_still("no more calls are made", async || calls(app).await).await
}

#[tokio::test]
async fn an_hour_of_nonsense_from_every_provider_loses_nothing() -> Result<()> {
    let (app, mut ahead, _folder) = app().await?;
    let shop = app.sender("shop").await?;
    for number in 0..CROWD {
        let id = format!("person{number}");
        app.recipient(&shop, &id).await?;
        shop.upsert_recipient(json!({ "id": id, "phone": format!("+8210555500{number:02}") })).await?;
    }
    nonsense(&app).await?;
    let mut ids = send_all(&shop, MINUTES).await?;
    for minute in 0..MINUTES {
        quiet(&app).await?;
        if minute % 20 == 10 {
            ids.extend(send_all(&shop, minute).await?);
        }
        ahead.pass(60)?;
        app.simulators.clock(ahead.seconds).await?;
    }
    quiet(&app).await?;
    let ledger = app.simulators.ledger().await?;
    assert!(!ledger.is_empty() && ledger.iter().all(|call| call["delivered"] == false), "a provider worked");
    let mut given_up = Vec::new();
    for id in &ids {
        let notification = shop.notification(id).await?;
        if notification["status"] != "pending" {
            given_up.push(format!("{} {}", notification["deliveries"][0]["channel"], notification["status"]));
        }
    }
    assert!(given_up.is_empty(), "{given_up:?}");
    let told = app.admin.query("{ status { providers { name breaker } } }", json!({})).await?;
    let states: Vec<&Value> =
        told["status"]["providers"].as_array().into_iter().flatten().filter(|one| ROUTES.iter().any(|(_, name)| one["name"] == *name)).collect();
    assert!(states.len() == ROUTES.len() && states.iter().all(|one| one["breaker"] != "closed"), "{states:?}");
    app.simulators.behave().await?;
    for id in &ids {
        // Retries lie up to hours ahead.
        let mut minutes = 0;
        let notification = loop {
            let notification = shop.notification(id).await?;
            if notification["status"] == "sent" || notification["status"] == "delivered" {
                break notification;
            }
            if minutes == 600 || notification["status"] != "pending" {
                bail!("{notification:#}");
            }
            minutes += 5;
            ahead.pass(300)?;
            app.simulators.clock(ahead.seconds).await?;
            quiet(&app).await?;
        };
        let calls = app.simulators.calls_for(id).await?;
        assert_eq!(calls.iter().filter(|call| call["delivered"] == true).count(), 1, "{calls:?}");
        assert_eq!(events(&notification, "DeadLettered")?, Vec::<Value>::new(), "{notification:#}");
    }
    Ok(())
}
