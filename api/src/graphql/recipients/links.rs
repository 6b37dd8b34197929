//! Links for senders to put into messages of their own.

use crate::graphql::context::{for_real, services, staff};
use crate::graphql::error::bus_error;
use crate::graphql::problem::Refused;
use async_graphql::{Context, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::accept::recipient_stream;
use domain::recipient::{Recipient, RecipientRefusal};

/// A link to a recipient's own preference page, which needs no login.
#[derive(SimpleObject)]
pub struct PreferenceLink {
    /// Whoever has it can see and change the recipient's preferences: send it to nobody else.
    url: String,
    /// From then on it works no more.
    expires_at: Option<DateTime<Utc>>,
}

/// A link, or refused with a reason.
#[derive(Union)]
pub enum PreferenceLinkResult {
    /// A link.
    Made(PreferenceLink),
    /// There is none.
    Refused(Refused),
}

/// Queries for links.
#[derive(Default)]
pub struct LinkQuery;

#[Object]
impl LinkQuery {
    /// A signed link to a recipient's preference page, to be put into a message to that recipient.
    async fn preference_link(&self, ctx: &Context<'_>, #[graphql(desc = "Your id of the recipient.")] recipient: String) -> Result<PreferenceLinkResult> {
        staff(ctx)?;
        for_real(ctx)?;
        let engine = &services(ctx)?.engine;
        let id = engine.hashing.recipient(&recipient);
        let known = engine.bus.load::<Recipient>(recipient_stream(id)).await.map_err(bus_error)?;
        if !known.state.exists || known.state.erased {
            return Ok(PreferenceLinkResult::Refused(RecipientRefusal::NotFound.into()));
        }
        Ok(match engine.links.preferences(id, engine.clock.now()) {
            Some((url, until)) => PreferenceLinkResult::Made(PreferenceLink { url, expires_at: DateTime::from_timestamp_millis(until) }),
            None => {
                let reason = "This server does not know where people reach it; ask its operator to set links.base_url.";
                PreferenceLinkResult::Refused(Refused::new("LINKS_OFF", reason))
            }
        })
    }
}
