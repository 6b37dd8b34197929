//! Preferences: opt-ins and opt-outs.

use super::context::{for_real, metadata, principal, services, subject};
use super::error::bus_error;
use super::names::{Channel, SubscriptionScope};
use super::position::Position;
use super::problem::Refused;
use crate::auth::Caller;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use commands::accept::{category_stream, recipient_stream, subscription_stream};
use commands::bus::Refused as BusRefused;
use commands::failpoint;
use domain::category::Category;
use domain::recipient::Recipient;
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription};
use domain::values::CategoryKey;

/// A switch.
#[derive(InputObject)]
pub struct SetSubscriptionInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    scope: SubscriptionScope,
    /// With scope `CHANNEL`.
    channel: Option<Channel>,
    /// With scope `CATEGORY`: its key.
    category: Option<String>,
    /// On or off.
    subscribed: bool,
}

/// A recipient's switches; whatever is not named is on.
#[derive(SimpleObject)]
pub struct SubscriptionObject {
    /// Everything but required categories is off.
    all_off: bool,
    /// Channels that are off.
    channels_off: Vec<Channel>,
    /// Keys of categories that are off.
    categories_off: Vec<String>,
}

impl From<&Subscription> for SubscriptionObject {
    fn from(state: &Subscription) -> Self {
        let mut object = Self { all_off: false, channels_off: Vec::new(), categories_off: Vec::new() };
        for scope in state.switches.iter().filter(|(_, on)| !**on).map(|(scope, _)| scope) {
            match scope {
                Scope::All => object.all_off = true,
                Scope::Channel(channel) => object.channels_off.push((*channel).into()),
                Scope::Category(key) => object.categories_off.push(key.to_string()),
                Scope::CategoryChannel { .. } | Scope::Device(_) | Scope::Topic(_) => {}
            }
        }
        object
    }
}

/// Done.
#[derive(SimpleObject)]
pub struct SubscriptionChanged {
    subscription: SubscriptionObject,
    /// From here on queries show it.
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum SubscriptionResult {
    /// Done.
    Changed(SubscriptionChanged),
    /// Nothing was changed.
    Refused(Refused),
}

fn scope(input: &SetSubscriptionInput) -> Result<Scope, Refused> {
    Ok(match (input.scope, input.channel, &input.category) {
        (SubscriptionScope::All, None, None) => Scope::All,
        (SubscriptionScope::Channel, Some(channel), None) => Scope::Channel(channel.into()),
        (SubscriptionScope::Category, None, Some(key)) => {
            Scope::Category(CategoryKey::new(key).map_err(|error| Refused::at("category", "CATEGORY_NOT_FOUND", error.to_string()))?)
        }
        _ => return Err(Refused::at("scope", "SCOPE_INVALID", "Give `channel` with scope CHANNEL, `category` with scope CATEGORY, and neither with ALL.")),
    })
}

/// Queries on preferences.
#[derive(Default)]
pub struct SubscriptionQuery;

#[Object]
impl SubscriptionQuery {
    /// A recipient's preferences, read from the log itself.
    async fn subscription(&self, ctx: &Context<'_>, recipient: Option<String>) -> Result<SubscriptionObject> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let loaded = services(ctx)?.engine.bus.load::<Subscription>(subscription_stream(recipient)).await.map_err(bus_error)?;
        Ok(SubscriptionObject::from(loaded.state.as_ref()))
    }
}

/// Mutations on preferences.
#[derive(Default)]
pub struct SubscriptionMutation;

#[Object]
impl SubscriptionMutation {
    /// Turns a switch. Once an opt-out is answered, no call that it forbids begins any more.
    async fn set_subscription(&self, ctx: &Context<'_>, input: SetSubscriptionInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        let recipient = subject(ctx, input.recipient.as_deref())?;
        let engine = &services(ctx)?.engine;
        let scope = match scope(&input) {
            Ok(scope) => scope,
            Err(refused) => return Ok(SubscriptionResult::Refused(refused)),
        };
        let known = engine.bus.load::<Recipient>(recipient_stream(recipient)).await.map_err(bus_error)?;
        if !known.state.exists {
            return Ok(SubscriptionResult::Refused(domain::recipient::RecipientRefusal::NotFound.into()));
        }
        let mut required = false;
        if let Scope::Category(key) = &scope {
            let category = engine.bus.load::<Category>(category_stream(key)).await.map_err(bus_error)?;
            if !category.state.exists {
                return Ok(SubscriptionResult::Refused(Refused::at("category", "CATEGORY_NOT_FOUND", "There is no category of this key.")));
            }
            required = category.state.required;
        }
        let by = if matches!(principal(ctx)?.caller.as_ref(), Caller::Recipient { .. }) { ChangedBy::Recipient } else { ChangedBy::Sender };
        let command = SetSubscription { recipient, scope, subscribed: input.subscribed, by, source: Source::Api, evidence: Evidence::default(), required };
        match engine.bus.execute::<Subscription>(subscription_stream(recipient), &metadata(ctx)?, command.into()).await {
            Ok(done) => {
                if !input.subscribed && !failpoint::planted("opt-out-unheld") {
                    engine.barrier.settled(recipient).await;
                }
                Ok(SubscriptionResult::Changed(SubscriptionChanged { subscription: SubscriptionObject::from(&done.state), position: Position(done.position) }))
            }
            Err(BusRefused::Refusal(refusal)) => Ok(SubscriptionResult::Refused(Refused::new("REQUIRED_CATEGORY", refusal.to_string()))),
            Err(error) => Err(bus_error(error)),
        }
    }
}
