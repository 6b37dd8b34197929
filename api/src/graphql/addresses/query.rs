//! The list itself: keyed ids, reasons and whose they are; never the addresses.

use crate::graphql::context::{administrator, services};
use crate::graphql::error::{failure, log_error, read_error};
use crate::graphql::names::Channel;
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::accept::recipient_stream;
use domain::Fact;
use domain::address;
use domain::aggregate::Aggregate as _;
use domain::recipient::Recipient;
use domain::values::RecipientId;
use std::collections::{HashMap, HashSet};

/// Why nothing goes to an address any more.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "address::SuppressionReason")]
pub enum SuppressionReason {
    /// Its provider said that it does not exist.
    HardBounce,
    /// Somebody there called it spam.
    Complaint,
    /// Somebody there answered `STOP`.
    Stop,
    /// An administrator took it off.
    Manual,
}

/// Who has an address now.
#[derive(SimpleObject)]
pub struct AddressHolder {
    /// The senders' id of the recipient; none once it is erased.
    recipient: Option<String>,
    channel: Channel,
}

/// An address to which nothing goes.
#[derive(SimpleObject)]
pub struct SuppressedAddress {
    /// Hand it to `after`.
    cursor: Position,
    /// The id of the address.
    id: ID,
    reason: SuppressionReason,
    /// The provider's code or an administrator's note.
    note: Option<String>,
    /// Since when.
    at: Option<DateTime<Utc>>,
    /// Who has it now.
    holders: Vec<AddressHolder>,
}

/// Queries on the list.
#[derive(Default)]
pub struct AddressQuery;

#[Object]
impl AddressQuery {
    /// Addresses to which nothing goes, in the order in which they were suppressed.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    async fn suppressed_addresses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those for this reason.")] reason: Option<SuppressionReason>,
        #[graphql(default = 50)] first: i32,
        #[graphql(desc = "Cursor of the last one seen.")] after: Option<Position>,
        at_least_position: Option<Position>,
    ) -> Result<Vec<SuppressedAddress>> {
        administrator(ctx)?;
        let services = services(ctx)?;
        let first = usize::try_from(first).ok().filter(|first| (1..=services.page_size).contains(first));
        let first = first.ok_or_else(|| failure("BAD_USER_INPUT", format!("`first` is between 1 and {}.", services.page_size)))?;
        at_least(services.suppressions.projection(), at_least_position).await?;
        let rows = services.suppressions.list(reason.map(Into::into), after.map_or(0, |after| after.0), first).await.map_err(read_error)?;
        let streams: HashSet<_> = rows.iter().flat_map(|row| &row.holders).map(|(recipient, _)| recipient_stream(*recipient)).collect();
        let mut people: HashMap<RecipientId, Recipient> = HashMap::new();
        for event in services.engine.log.bare_streams(streams.into_iter().collect(), true).await.map_err(log_error)? {
            if let Fact::Recipient(fact) = &event.fact {
                people.entry(RecipientId(event.stream.id)).or_default().evolve(fact);
            }
        }
        let name = |id: &RecipientId| people.get(id)?.details.known().map(|details| details.external_id.clone());
        Ok(rows
            .into_iter()
            .map(|row| SuppressedAddress {
                cursor: Position(row.position),
                id: ID(row.address.to_string()),
                reason: row.reason.into(),
                note: row.note,
                at: DateTime::from_timestamp_millis(row.at),
                holders: row.holders.iter().map(|(id, channel)| AddressHolder { recipient: name(id), channel: (*channel).into() }).collect(),
            })
            .collect())
    }
}
