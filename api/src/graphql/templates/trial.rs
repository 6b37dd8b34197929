//! Trying a draft on somebody: rendered as a preview is, sent as everything is.
//!
//! What is sent is content and no longer a template, since no version of it was published. The recipient's preferences,
//! the sender's limits and the log hold as for every notification.

use super::input::key;
use super::mutation::{TemplateInvalid, not_published, refused};
use super::preview::{Reader, rendered};
use super::{Doing, may};
use crate::auth::Caller;
use crate::graphql::context::{SenderScope, for_real, principal, services};
use crate::graphql::error::{bus_error, failure};
use crate::graphql::names::Channel;
use crate::graphql::notifications::NotificationObject;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::sending::{accept, category_in};
use async_graphql::{Context, InputObject, Json, Object, Result, SimpleObject, Union};
use commands::accept::{SendRequest, template_stream};
use commands::templates::Finding;
use domain::rendering::Rendered;
use domain::sender::Sender;
use domain::template::{Source, Template, TemplateRefusal};
use domain::values::{Content, SenderKey, TemplateKey};
use domain::{AggregateKind, StreamId};
use serde_json::Value;

/// Before the title, so that nobody takes it for real.
const MARK: &str = "[Test] ";

/// A draft to be tried on somebody.
#[derive(InputObject)]
pub struct SendTemplateTestInput {
    /// The template; what was written last is sent.
    key: String,
    /// Your id of the recipient.
    recipient: String,
    /// Over which channel.
    channel: Channel,
    /// In which language; leave out for the template's default.
    locale: Option<String>,
    /// The IANA zone in which moments are shown; leave out for UTC.
    time_zone: Option<String>,
    /// The parameters; leave out for the examples.
    parameters: Option<Json<Value>>,
    /// Key of the category.
    #[graphql(default = "general")]
    category: String,
    /// In whose name; for administrators, who are no senders themselves.
    sender: Option<String>,
}

/// It is in the log, durably.
#[derive(SimpleObject)]
pub struct TemplateTestSent {
    notification: NotificationObject,
    /// From here on queries can show it.
    position: Position,
}

/// Accepted, or not.
#[derive(Union)]
pub enum TemplateTestResult {
    /// In the log.
    Sent(TemplateTestSent),
    /// The draft has mistakes; nothing was sent.
    Invalid(TemplateInvalid),
    /// Nothing was sent.
    Refused(Refused),
}

/// Why nothing was sent, as an answer.
enum Not {
    Invalid(Vec<Finding>),
    Refused(Refused),
}

impl From<Refused> for Not {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Not> for TemplateTestResult {
    fn from(not: Not) -> Self {
        match not {
            Not::Invalid(problems) => Self::Invalid(problems.into()),
            Not::Refused(refused) => Self::Refused(refused),
        }
    }
}

/// In whose name it is sent: the caller's, or that which an administrator names.
async fn sender(ctx: &Context<'_>, named: Option<&str>) -> Result<std::result::Result<SenderKey, Refused>> {
    let refuse = |code, message: &str| Ok(Err(Refused::at("sender", code, message)));
    match (principal(ctx)?.caller.as_ref(), named) {
        (Caller::Sender { sender, .. }, None) => Ok(Ok(sender.clone())),
        (Caller::Sender { sender, .. }, Some(named)) if sender.as_str() == named => Ok(Ok(sender.clone())),
        (Caller::Administrator { .. }, Some(named)) => {
            let Ok(sender) = SenderKey::new(named) else { return refuse("SENDER_NOT_FOUND", "There is no sender of this key.") };
            let stream = StreamId::of_key(AggregateKind::Sender, sender.as_str());
            let known = services(ctx)?.engine.bus.load::<Sender>(stream).await.map_err(bus_error)?.state.exists;
            if known { Ok(Ok(sender)) } else { refuse("SENDER_NOT_FOUND", "There is no sender of this key; create it with registerSender.") }
        }
        (Caller::Administrator { .. }, None) => refuse("BAD_USER_INPUT", "An administrator names the `sender` in whose name it is sent."),
        _ => refuse("FORBIDDEN", "A sender sends in its own name only."),
    }
}

/// The draft of a template that the caller may write or publish.
async fn draft(ctx: &Context<'_>, key: &TemplateKey) -> Result<std::result::Result<Source, Refused>> {
    let state = services(ctx)?.engine.bus.load::<Template>(template_stream(key)).await.map_err(bus_error)?.state;
    let not_found = || refused(&TemplateRefusal::NotFound);
    if may(ctx, &state.access, Doing::Write)? || may(ctx, &state.access, Doing::Publish)? {
        return Ok(state.draft.clone().ok_or_else(not_found));
    }
    let known = state.revision > 0 && may(ctx, &state.access, Doing::Look)?;
    let forbidden = || Refused::at("key", "FORBIDDEN", "This sender may neither write nor publish this template; ask an administrator.");
    Ok(Err(if known { forbidden() } else { not_found() }))
}

/// What it says, marked as a test.
async fn content(ctx: &Context<'_>, source: Source, reader: Reader) -> Result<std::result::Result<Content, Not>> {
    let (resolved, examined) = match services(ctx)?.engine.publisher.examine(&source).await {
        Ok(examined) => examined,
        Err(why) => return Ok(Err(not_published(why)?.map_or_else(Not::Refused, Not::Invalid))),
    };
    if !examined.problems.is_empty() {
        return Ok(Err(Not::Invalid(examined.problems)));
    }
    Ok(rendered(source, resolved.parts, reader).await.map(marked).map_err(Not::Invalid))
}

fn marked(told: Rendered) -> Content {
    // Where there is no title the text is all that is seen.
    let (title, body) = match told.title {
        Some(title) => (Some(format!("{MARK}{title}")), told.text),
        None => (None, format!("{MARK}{}", told.text)),
    };
    Content { title, body, html: told.html, data: told.data, ..Content::default() }
}

async fn request(ctx: &Context<'_>, input: SendTemplateTestInput) -> Result<std::result::Result<SendRequest, Not>> {
    for_real(ctx)?;
    let key = match key(&input.key) {
        Ok(key) => key,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let source = match draft(ctx, &key).await? {
        Ok(source) => source,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let sender = match sender(ctx, input.sender.as_deref()).await? {
        Ok(sender) => sender,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let categories = match principal(ctx)?.caller.as_ref() {
        Caller::Sender { categories, .. } => categories.as_slice(),
        _ => &[],
    };
    let category = category_in(&input.category, &SenderScope { sender: &sender, categories, sandbox: false });
    let reader = Reader::new(input.channel, input.locale.as_deref(), input.time_zone.as_deref(), input.parameters.as_ref(), &source);
    let (category, reader) = match (category, reader) {
        (Ok(category), Ok(reader)) => (category, reader),
        (Err(refused), _) | (_, Err(refused)) => return Ok(Err(refused.into())),
    };
    Ok(content(ctx, source, reader).await?.map(|content| SendRequest {
        sender,
        sandbox: false,
        recipient: input.recipient,
        category,
        channels: Some(vec![input.channel.into()]),
        priority: None,
        idempotency_key: None,
        content,
        expires_at: None,
        not_before: None,
        local_time: None,
        topic: None,
        digest_key: None,
        plan: None,
    }))
}

/// Trying drafts.
#[derive(Default)]
pub struct TemplateTrialMutation;

#[Object]
impl TemplateTrialMutation {
    /// Sends a template's draft to one recipient over one channel, with "[Test]" before its title. For senders that may
    /// write or publish the template, and for administrators. The recipient's preferences hold.
    #[graphql(complexity = "50 + child_complexity")]
    async fn send_template_test(&self, ctx: &Context<'_>, input: SendTemplateTestInput) -> Result<TemplateTestResult> {
        let request = match request(ctx, input).await? {
            Ok(request) => request,
            Err(not) => return Ok(not.into()),
        };
        let sender = request.sender.clone();
        let scope = SenderScope { sender: &sender, categories: &[], sandbox: false };
        match accept(ctx, &scope, vec![request]).await?.pop() {
            Some(Ok(accepted)) => Ok(TemplateTestResult::Sent(TemplateTestSent {
                notification: NotificationObject::of(accepted.id, Some(accepted.visible_at)),
                position: Position(accepted.position),
            })),
            Some(Err(refusal)) => Ok(TemplateTestResult::Refused(refusal.into())),
            None => Err(failure("INTERNAL", "The server lost its own answer; look into the recipient's history before you ask again.")),
        }
    }
}
