//! What resolvers need, in one cheap handle.

use super::engine::{Engine, ProviderStatus};
use crate::auth::limits::NotificationRate;
use crate::auth::recipient_token::TokenKey;
use crate::auth::registry::KeyRegistry;
use commands::log::Metadata;
use domain::values::Channel;
use projections::dead_letters::DeadLetters;
use projections::directory::Directory;
use projections::notifications::Notifications;
use projections::schedules::Schedules;
use projections::suppressions::Suppressions;
use projections::templates::{Experiments, Templates};
use std::collections::HashMap;
use std::sync::Arc;
use workers::providers::webhook::WebhookPolicy;

/// See the module.
pub struct Services {
    /// Log, read models, delivery.
    pub engine: Arc<Engine>,
    /// API keys.
    pub keys: Arc<KeyRegistry>,
    /// Recipients' tokens.
    pub tokens: Arc<TokenKey>,
    /// Providers at work.
    pub providers: Vec<ProviderStatus>,
    /// Which webhook URLs may be registered.
    pub webhook_policy: WebhookPolicy,
    /// Where Slack is: chat addresses are there.
    pub slack: String,
    /// Whom categories and senders may have messages come from, by provider.
    pub also_from: HashMap<&'static str, (Channel, Vec<String>)>,
    /// Stops long work of requests when the server stops.
    pub stopping: tokio_util::sync::CancellationToken,
    /// How many notifications a sender may ask for.
    pub senders: NotificationRate,
    /// Items in one list.
    pub list_length: usize,
    /// Items of one page.
    pub page_size: usize,
    /// History and unread counts.
    pub notifications: Notifications,
    /// Dead letters.
    pub dead_letters: DeadLetters,
    /// Schedules.
    pub schedules: Schedules,
    /// The suppression list.
    pub suppressions: Suppressions,
    /// Templates as they are found.
    pub templates: Templates,
    /// What came of experiments.
    pub experiments: Experiments,
    /// Categories, senders, keys.
    pub directory: Directory,
}

impl Services {
    /// Metadata of a command of a caller.
    pub fn metadata(actor: String) -> Arc<Metadata> {
        Arc::new(Metadata { actor, ..Metadata::default() })
    }
}
