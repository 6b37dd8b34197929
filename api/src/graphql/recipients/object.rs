//! A recipient as staff and the recipient itself see it.

use crate::graphql::context::{services, subject};
use crate::graphql::error::bus_error;
use crate::graphql::names::Channel;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::accept::recipient_stream;
use domain::recipient::{Address, Recipient};
use domain::values;

/// An address or device.
#[derive(SimpleObject)]
pub struct AddressObject {
    /// Its id; the same address has the same id wherever it is registered.
    id: ID,
    channel: Channel,
    registered_at: Option<DateTime<Utc>>,
    /// The e-mail address, telephone number or URL. Device tokens and URLs that are secrets (`CHAT`)
    /// are not shown.
    value: Option<String>,
}

/// A person or system that receives.
#[derive(SimpleObject)]
#[graphql(name = "Recipient")]
pub struct RecipientObject {
    /// The id the sender uses; none once erased.
    id: Option<String>,
    time_zone: Option<String>,
    locale: Option<String>,
    /// Attributes as a JSON object.
    attributes: Option<String>,
    addresses: Vec<AddressObject>,
    /// Whether it was erased.
    erased: bool,
}

impl From<&Address> for AddressObject {
    fn from(address: &Address) -> Self {
        let shown = !address.channel.is_device() && address.channel != values::Channel::Chat;
        Self {
            id: ID(address.id.to_string()),
            channel: address.channel.into(),
            registered_at: DateTime::from_timestamp_millis(address.registered_at),
            value: address.details.known().filter(|_| shown).map(|details| details.value.clone()),
        }
    }
}

impl From<&Recipient> for RecipientObject {
    fn from(state: &Recipient) -> Self {
        let details = state.details.known();
        Self {
            id: details.map(|details| details.external_id.clone()),
            time_zone: state.time_zone.clone(),
            locale: state.locale.clone(),
            attributes: details.and_then(|details| details.attributes.clone()),
            addresses: state.addresses.iter().map(AddressObject::from).collect(),
            erased: state.erased,
        }
    }
}

/// Looking one up.
#[derive(Default)]
pub struct RecipientQuery;

#[Object]
impl RecipientQuery {
    /// A recipient: with an API key the one named, with a recipient's token itself.
    async fn recipient(&self, ctx: &Context<'_>, id: Option<String>) -> Result<Option<RecipientObject>> {
        let recipient = subject(ctx, id.as_deref())?;
        let loaded = services(ctx)?.engine.bus.load::<Recipient>(recipient_stream(recipient)).await.map_err(bus_error)?;
        Ok(loaded.state.exists.then(|| RecipientObject::from(loaded.state.as_ref())))
    }
}
