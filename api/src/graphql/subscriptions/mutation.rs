//! Switches: opt-ins and opt-outs.

use super::object::{SubscriptionChanged, SubscriptionObject, SubscriptionResult, refused};
use super::scope::{self, ScopeParts};
use crate::auth::Caller;
use crate::graphql::context::{for_real, metadata, principal, services, subject};
use crate::graphql::error::bus_error;
use crate::graphql::names::{Channel, SubscriptionScope};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::accept::{category_stream, recipient_stream, subscription_stream};
use commands::bus::Refused as BusRefused;
use commands::failpoint;
use domain::category::Category;
use domain::recipient::Recipient;
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription, SubscriptionCommand};
use domain::values::RecipientId;

/// What proves a change: sealed in the log, and gone when the recipient is erased.
#[derive(InputObject, Debug, Clone, Default)]
pub struct EvidenceInput {
    /// The words that were agreed to, or that the person used; at most 4000 characters.
    text: Option<String>,
    /// The address that it came from.
    ip: Option<String>,
    /// The program that it came from.
    user_agent: Option<String>,
}

impl From<EvidenceInput> for Evidence {
    fn from(input: EvidenceInput) -> Self {
        Self { text: input.text, ip: input.ip, user_agent: input.user_agent, at: None }
    }
}

/// A switch.
#[derive(InputObject)]
pub struct SetSubscriptionInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    scope: SubscriptionScope,
    /// With scopes `CHANNEL` and `CATEGORY_CHANNEL`.
    channel: Option<Channel>,
    /// With scopes `CATEGORY` and `CATEGORY_CHANNEL`: its key.
    category: Option<String>,
    /// With scope `DEVICE`: the id of one of the recipient's addresses.
    device: Option<ID>,
    /// With scope `TOPIC`: its key.
    topic: Option<String>,
    /// On or off.
    subscribed: bool,
    /// What proves it.
    evidence: Option<EvidenceInput>,
}

impl SetSubscriptionInput {
    fn scope(&self) -> Result<Scope, Refused> {
        let device = self.device.as_ref().map(|id| id.as_str());
        let parts = ScopeParts { channel: self.channel, category: self.category.as_deref(), device, topic: self.topic.as_deref() };
        scope::read(self.scope, &parts)
    }
}

/// Who changes a preference.
pub(super) fn changed_by(ctx: &Context<'_>) -> Result<ChangedBy> {
    Ok(match principal(ctx)?.caller.as_ref() {
        Caller::Recipient { .. } => ChangedBy::Recipient,
        Caller::Sender { .. } => ChangedBy::Sender,
        Caller::Administrator { .. } => ChangedBy::Administrator,
    })
}

/// Executes a command on the subscription of a recipient who exists. What forbids something is
/// answered when no call that it forbids can begin any more.
pub(super) async fn change(ctx: &Context<'_>, recipient: RecipientId, command: SubscriptionCommand, forbids: bool) -> Result<SubscriptionResult> {
    let engine = &services(ctx)?.engine;
    match engine.bus.execute::<Subscription>(subscription_stream(recipient), &metadata(ctx)?, command).await {
        Ok(done) => {
            if forbids && !failpoint::planted("opt-out-unheld") {
                engine.barrier.settled(recipient).await;
            }
            Ok(SubscriptionResult::Changed(SubscriptionChanged { subscription: SubscriptionObject::from(&done.state), position: Position(done.position) }))
        }
        Err(BusRefused::Refusal(refusal)) => Ok(SubscriptionResult::Refused(refused(&refusal))),
        Err(error) => Err(bus_error(error)),
    }
}

/// The recipient whose preferences are meant, if there is one.
pub(super) async fn existing(ctx: &Context<'_>, named: Option<&str>) -> Result<Result<(RecipientId, std::sync::Arc<Recipient>), Refused>> {
    let recipient = subject(ctx, named)?;
    let known = services(ctx)?.engine.bus.load::<Recipient>(recipient_stream(recipient)).await.map_err(bus_error)?;
    if !known.state.exists {
        return Ok(Err(domain::recipient::RecipientRefusal::NotFound.into()));
    }
    Ok(Ok((recipient, known.state)))
}

/// Mutations on switches.
#[derive(Default)]
pub struct SubscriptionMutation;

#[Object]
impl SubscriptionMutation {
    /// Turns a switch. Once an opt-out is answered, no call that it forbids begins any more.
    async fn set_subscription(&self, ctx: &Context<'_>, input: SetSubscriptionInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        let known = existing(ctx, input.recipient.as_deref()).await?;
        let (scope, (recipient, state)) = match (input.scope(), known) {
            (Ok(scope), Ok(known)) => (scope, known),
            (Err(refused), _) | (_, Err(refused)) => return Ok(SubscriptionResult::Refused(refused)),
        };
        let mut required = false;
        if let Scope::Category(key) | Scope::CategoryChannel { category: key, .. } = &scope {
            let category = services(ctx)?.engine.bus.load::<Category>(category_stream(key)).await.map_err(bus_error)?;
            if !category.state.exists {
                return Ok(SubscriptionResult::Refused(Refused::at("category", "CATEGORY_NOT_FOUND", "There is no category of this key.")));
            }
            required = category.state.required;
        }
        if let Scope::Device(device) = &scope
            && !input.subscribed
            && state.address(*device).is_none()
        {
            return Ok(SubscriptionResult::Refused(Refused::at(
                "device",
                "NOT_FOUND",
                "The recipient has no such device; see `recipient { addresses { id } }`.",
            )));
        }
        let evidence = input.evidence.map(Into::into).unwrap_or_default();
        let command = SetSubscription { recipient, scope, subscribed: input.subscribed, by: changed_by(ctx)?, source: Source::Api, evidence, required };
        change(ctx, recipient, command.into(), !input.subscribed).await
    }
}
