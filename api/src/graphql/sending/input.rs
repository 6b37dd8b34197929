//! What senders hand in.

use crate::graphql::attachments::{AttachmentInput, attached};
use crate::graphql::context::SenderScope;
use crate::graphql::names::{Channel, Priority};
use crate::graphql::plan::PlanInput;
use crate::graphql::problem::Refused;
use crate::graphql::templates::{TemplateContentInput, from_template};
use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use commands::accept::{Refusal, SendRequest, Unusable};
use domain::calendar::LocalDateTime;
use domain::values::{CategoryKey, Content, TopicKey};

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

impl ContentInput {
    /// As the domain wants it, with the sender's notes.
    pub fn content(self, metadata: Option<String>) -> Content {
        Content {
            title: self.title,
            body: self.body,
            html: self.html,
            data: self.data,
            collapse_key: self.collapse_key,
            metadata,
            template: None,
            parameters: None,
            attachments: Vec::new(),
        }
    }
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
    /// What to tell; or give `template`.
    content: Option<ContentInput>,
    /// The template that says it, and its parameters.
    template: Option<TemplateContentInput>,
    /// Files that go with it, at most 10, each uploaded before: within e-mails, for other channels as links of the
    /// notification.
    attachments: Option<Vec<AttachmentInput>>,
    /// Your own notes as a JSON object; returned in queries, never delivered.
    metadata: Option<String>,
    /// Worth nothing after this moment.
    expires_at: Option<DateTime<Utc>>,
    /// Not to be sent before this moment, at most 366 days ahead.
    send_at: Option<DateTime<Utc>>,
    /// Not to be sent before the recipient's clock shows this date and time, such as
    /// `2027-03-28T09:00`, in the zone where they are when it is accepted.
    local_time: Option<String>,
    /// What it is about, for those who switch topics off.
    topic: Option<String>,
    /// Which digest of the category collects it, by your own name; leave out for the common one.
    digest_key: Option<String>,
    /// Over which channels first, and over which later; leave out `channels` with it.
    plan: Option<PlanInput>,
}

/// What is to be told: one of both.
pub fn told(content: Option<ContentInput>, template: Option<TemplateContentInput>, metadata: Option<String>) -> Result<Content, Refused> {
    match (content, template) {
        (Some(content), None) => Ok(content.content(metadata)),
        (None, Some(template)) => from_template(template, metadata),
        (Some(_), Some(_)) => Err(Refused::from(Refusal::Template(Unusable::AndContent))),
        (None, None) => Err(Refused::at("content", "CONTENT_INVALID", "Give `content`, or `template` with its parameters.")),
    }
}

/// A category that the key may send in.
pub fn category_in(key: &str, scope: &SenderScope<'_>) -> Result<CategoryKey, Refused> {
    let category = CategoryKey::new(key).map_err(|error| Refused::at("category", "CATEGORY_NOT_FOUND", error.to_string()))?;
    if !scope.categories.is_empty() && !scope.categories.contains(&category) {
        return Err(Refused::at("category", "CATEGORY_FORBIDDEN", "This API key may not send in this category; ask an administrator."));
    }
    Ok(category)
}

impl SendNotificationInput {
    /// As the acceptor wants it.
    pub fn request(self, scope: &SenderScope<'_>) -> Result<SendRequest, Refused> {
        let category = category_in(&self.category, scope)?;
        let local_time = self.local_time.map(|text| LocalDateTime::new(&text)).transpose();
        let topic = self.topic.map(|key| TopicKey::new(&key)).transpose();
        Ok(SendRequest {
            sender: scope.sender.clone(),
            sandbox: scope.sandbox,
            recipient: self.recipient,
            category,
            channels: self.channels.map(|channels| channels.into_iter().map(Into::into).collect()),
            priority: self.priority.map(Into::into),
            idempotency_key: self.idempotency_key,
            content: attached(told(self.content, self.template, self.metadata)?, self.attachments)?,
            expires_at: self.expires_at.map(|at| at.timestamp_millis()),
            not_before: self.send_at.map(|at| at.timestamp_millis()),
            local_time: local_time.map_err(|error| Refused::at("localTime", "TIME_INVALID", error.to_string()))?,
            topic: topic.map_err(|error| Refused::at("topic", "TOPIC_INVALID", error.to_string()))?,
            digest_key: self.digest_key,
            plan: self.plan.map(Into::into),
        })
    }
}

/// Many notifications at once; each is accepted or refused on its own.
#[derive(InputObject)]
pub struct SendNotificationsInput {
    /// The notifications.
    pub items: Vec<SendNotificationInput>,
}
