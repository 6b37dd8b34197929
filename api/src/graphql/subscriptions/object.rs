//! A recipient's choices as they stand.

use super::hours::{self, HoursObject};
use super::scope::SwitchObject;
use crate::graphql::context::{services, subject};
use crate::graphql::error::bus_error;
use crate::graphql::names::Channel;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::accept::subscription_stream;
use domain::subscription::{Scope, Subscription, SubscriptionRefusal};

/// A recipient's choices; where nothing was chosen, the categories say.
#[derive(SimpleObject)]
pub struct SubscriptionObject {
    /// Everything but required categories is off.
    all_off: bool,
    /// Channels that are off.
    channels_off: Vec<Channel>,
    /// Keys of categories that are off.
    categories_off: Vec<String>,
    /// Every switch that was turned and says something.
    switches: Vec<SwitchObject>,
    /// Nothing but critical notifications and the history in an app within these hours.
    quiet_hours: Vec<HoursObject>,
    /// Nothing but that outside of these hours, where there are any.
    allowed: Vec<HoursObject>,
    /// Nothing but that until then.
    do_not_disturb_until: Option<DateTime<Utc>>,
    /// Over these, where the sender leaves the choice.
    preferred_channels: Vec<Channel>,
}

impl From<&Subscription> for SubscriptionObject {
    fn from(state: &Subscription) -> Self {
        let mut object = Self {
            all_off: false,
            channels_off: Vec::new(),
            categories_off: Vec::new(),
            switches: state.switches.iter().map(|(scope, on)| SwitchObject::new(scope, *on)).collect(),
            quiet_hours: hours::shown(state.quiet_hours.as_ref()),
            allowed: hours::shown(state.allowed.as_ref()),
            do_not_disturb_until: state.do_not_disturb_until.and_then(DateTime::from_timestamp_millis),
            preferred_channels: state.preferred_channels.iter().map(|channel| (*channel).into()).collect(),
        };
        for scope in state.switches.iter().filter(|(_, on)| !**on).map(|(scope, _)| scope) {
            match scope {
                Scope::All => object.all_off = true,
                Scope::Channel(channel) => object.channels_off.push((*channel).into()),
                Scope::Category(key) => object.categories_off.push(key.to_string()),
                Scope::CategoryChannel { .. } | Scope::Device(_) | Scope::Topic(_) | Scope::Tracking => {}
            }
        }
        object
    }
}

/// Done.
#[derive(SimpleObject)]
pub struct SubscriptionChanged {
    pub(super) subscription: SubscriptionObject,
    /// From here on queries show it.
    pub(super) position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum SubscriptionResult {
    /// Done.
    Changed(SubscriptionChanged),
    /// Nothing was changed.
    Refused(Refused),
}

/// Why a subscription said no.
pub fn refused(refusal: &SubscriptionRefusal) -> Refused {
    let (field, code) = match refusal {
        SubscriptionRefusal::RequiredCategory => return Refused::new("REQUIRED_CATEGORY", refusal.to_string()),
        SubscriptionRefusal::TooManySwitches => return Refused::new("TOO_MANY_SWITCHES", refusal.to_string()),
        SubscriptionRefusal::NeverAllowed => ("allowed", "HOURS_INVALID"),
        SubscriptionRefusal::PastDoNotDisturb | SubscriptionRefusal::LongDoNotDisturb => ("until", "UNTIL_INVALID"),
        SubscriptionRefusal::Evidence => ("evidence", "EVIDENCE_INVALID"),
    };
    Refused::at(field, code, refusal.to_string())
}

/// Queries on preferences.
#[derive(Default)]
pub struct SubscriptionQuery;

#[Object]
impl SubscriptionQuery {
    /// A recipient's choices, read from the log itself.
    async fn subscription(&self, ctx: &Context<'_>, recipient: Option<String>) -> Result<SubscriptionObject> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let loaded = services(ctx)?.engine.bus.load::<Subscription>(subscription_stream(recipient)).await.map_err(bus_error)?;
        Ok(SubscriptionObject::from(loaded.state.as_ref()))
    }
}
