#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod answers;
mod clock;
mod requests;
mod silence;
mod tokens;
mod wire;

use super::{Apns, Settings, error_map, payload};
use crate::providers::http::Credential;
use crate::providers::{Message, Provider};
use crate::simulators::{self, Action, LedgerEntry, Rule, RunningSimulators, SimulatorsConfig};
use clock::ShiftedClock;
use domain::recipient::AddressDetails;
use domain::values::{BadAddress, Content, Misconfigured, NotificationId, Outcome, Priority, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

/// A device token whose start asks the simulator for a behaviour.
fn device(prefix: &str) -> String {
    format!("{prefix:0<64}")
}

fn message(prefix: &str) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 2,
        attempt: 3,
        priority: Priority::Normal,
        content: Arc::new(Content {
            title: Some("Paid".to_owned()),
            body: "Order 42".to_owned(),
            data: Some(r#"{"order":42}"#.to_owned()),
            ..Content::default()
        }),
        address: AddressDetails { value: device(prefix), secret: None },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 0,
        after_unknown: false,
    }
}

/// The provider and the stand-in of Apple that it talks to.
struct World {
    simulators: RunningSimulators,
    clock: Arc<ShiftedClock>,
    apns: Apns,
}

impl World {
    async fn cleartext() -> Self {
        Self::with(|simulators, settings| {
            settings.base_url = format!("http://{}", simulators.apns_cleartext);
            settings.http2_prior_knowledge = true;
        })
        .await
    }

    async fn secure() -> Self {
        Self::with(|simulators, settings| {
            settings.base_url = format!("https://localhost:{}", simulators.apns.port());
            settings.ca_pem = Some(simulators.credentials.tls_ca_pem.clone());
        })
        .await
    }

    async fn with(change: impl FnOnce(&RunningSimulators, &mut Settings)) -> Self {
        let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
        let known = &simulators.credentials;
        let key = Credential::new(known.apns_key_pem.clone());
        let mut settings = Settings::new(key, &known.apns_key_id, &known.apns_team_id, &known.apns_topic);
        change(&simulators, &mut settings);
        let clock = Arc::new(ShiftedClock::default());
        let apns = Apns::new(&settings, clock.clone()).unwrap();
        Self { simulators, clock, apns }
    }

    async fn send(&self, prefix: &str) -> Outcome {
        self.apns.send(&message(prefix)).await
    }

    fn entries(&self) -> Vec<LedgerEntry> {
        self.simulators.ledger().entries(0, 100)
    }

    fn delivered(&self) -> u64 {
        self.simulators.ledger().counters().apns.delivered
    }
}
