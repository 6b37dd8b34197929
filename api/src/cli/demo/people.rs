//! Who sends and who receives.

use crate::cli::exit::CliError;
use crate::cli::key;
use crate::cli::remote::{Client, accepted};
use serde_json::{Value, json};
use workers::simulators::RunningSimulators;

/// Creates or changes a recipient.
pub(super) const UPSERT: &str = "mutation Upsert($input: UpsertRecipientInput!) {
  upsertRecipient(input: $input) { __typename ... on Refused { code message } }
}";

/// Registers a device.
pub(super) const DEVICE: &str = "mutation Device($input: RegisterDeviceInput!) {
  registerDevice(input: $input) { __typename ... on Refused { code message } }
}";

/// Turns a switch.
pub(super) const SUBSCRIBE: &str = "mutation Subscribe($input: SetSubscriptionInput!) {
  setSubscription(input: $input) { __typename ... on Refused { code message } }
}";

/// Has an address on every channel.
pub(super) const ADA: &str = "ada";
/// Has a device for which FCM is unavailable twice before it works.
pub(super) const BEN: &str = "ben";
/// Wants no e-mail.
pub(super) const CLEO: &str = "cleo";
/// The sender's key.
pub(super) const SENDER: &str = "shop";

/// The sender, once everybody is registered.
pub(super) struct People {
    /// A client that sends.
    pub(super) sender: Client,
    /// Its API key.
    pub(super) sender_key: String,
}

impl People {
    /// Registers everybody anew; who is there already stays as they are.
    pub(super) async fn register(base: &str, administrator: &Client, simulators: &RunningSimulators) -> Result<Self, CliError> {
        key::ensure_sender(administrator, SENDER).await?;
        let issued = key::issue(administrator, &json!({ "name": "demo", "role": "SENDER", "sender": SENDER })).await?;
        let sender_key = issued["secret"].as_str().unwrap_or_default().to_owned();
        let sender = Client::new(base, Some(&sender_key))?;
        for (field, document, input) in registrations(&format!("http://{}/orders", simulators.webhook), &simulators.credentials.webhook_secret) {
            let data = sender.run(document, json!({ "input": input })).await?;
            accepted(&data[field])?;
        }
        Ok(Self { sender, sender_key })
    }
}

/// Each mutation: its field, the document, the input.
pub(super) fn registrations(webhook: &str, secret: &str) -> Vec<(&'static str, &'static str, Value)> {
    let person = |input| ("upsertRecipient", UPSERT, input);
    let device = |recipient, channel, token: &str| ("registerDevice", DEVICE, json!({ "recipient": recipient, "channel": channel, "token": token }));
    vec![
        person(json!({ "id": ADA, "email": "ada@example.com", "webhook": { "url": webhook, "secret": secret } })),
        device(ADA, "ANDROID_PUSH", "android:adas-phone-0123456789abcdef0123456789"),
        device(ADA, "IOS_PUSH", "ada0000000000000000000000000000000000000000000000000000000000001"),
        person(json!({ "id": BEN })),
        device(BEN, "ANDROID_PUSH", "flaky2-bens-phone-0123456789abcdef0123456789"),
        person(json!({ "id": CLEO, "email": "cleo@example.com" })),
        ("setSubscription", SUBSCRIBE, json!({ "recipient": CLEO, "scope": "CHANNEL", "channel": "EMAIL", "subscribed": false })),
    ]
}
