//! What senders hand in.

use crate::graphql::context::SenderScope;
use crate::graphql::names::{Channel, Priority};
use crate::graphql::problem::Refused;
use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use commands::accept::SendRequest;
use domain::values::{CategoryKey, Content};

/// What to tell.
#[derive(InputObject)]
pub struct ContentInput {
    /// Title of a push, subject of an e-mail.
    title: Option<String>,
    /// The text.
    body: String,
    /// HTML part of an e-mail.
    html: Option<String>,
    /// A JSON object for the app, as text.
    data: Option<String>,
    /// Later notifications with this key replace earlier ones on the device.
    collapse_key: Option<String>,
}

/// One notification to one recipient.
#[derive(InputObject)]
pub struct SendNotificationInput {
    /// Your id of the recipient.
    recipient: String,
    /// Key of the category.
    #[graphql(default = "general")]
    category: String,
    /// Over which channels; leave out for the category's.
    channels: Option<Vec<Channel>>,
    /// How urgent; leave out for the category's.
    priority: Option<Priority>,
    /// Makes repeats harmless: the same key is one notification, whatever happens in between.
    idempotency_key: Option<String>,
    /// What to tell.
    content: ContentInput,
    /// Your own notes as a JSON object; returned in queries, never delivered.
    metadata: Option<String>,
    /// Worth nothing after this moment.
    expires_at: Option<DateTime<Utc>>,
}

impl SendNotificationInput {
    /// As the acceptor wants it.
    pub fn request(self, scope: &SenderScope<'_>) -> Result<SendRequest, Refused> {
        let category = CategoryKey::new(&self.category).map_err(|error| Refused::at("category", "CATEGORY_NOT_FOUND", error.to_string()))?;
        if !scope.categories.is_empty() && !scope.categories.contains(&category) {
            return Err(Refused::at("category", "CATEGORY_FORBIDDEN", "This API key may not send in this category; ask an administrator."));
        }
        Ok(SendRequest {
            sender: scope.sender.clone(),
            sandbox: scope.sandbox,
            recipient: self.recipient,
            category,
            channels: self.channels.map(|channels| channels.into_iter().map(Into::into).collect()),
            priority: self.priority.map(Into::into),
            idempotency_key: self.idempotency_key,
            content: Content {
                title: self.content.title,
                body: self.content.body,
                html: self.content.html,
                data: self.content.data,
                collapse_key: self.content.collapse_key,
                metadata: self.metadata,
            },
            expires_at: self.expires_at.map(|at| at.timestamp_millis()),
            not_before: None,
            local_time: None,
            topic: None,
            digest_key: None,
            plan: None,
        })
    }
}

/// Many notifications at once; each is accepted or refused on its own.
#[derive(InputObject)]
pub struct SendNotificationsInput {
    /// The notifications.
    pub items: Vec<SendNotificationInput>,
}

/// What to take back.
#[derive(InputObject)]
pub struct CancelNotificationInput {
    /// The notification.
    pub id: ID,
}
