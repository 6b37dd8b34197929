//! A person who moved to another time zone: their schedules fire by the new one.
//!
//! Done after the profile is recorded and before the caller is answered, whenever a zone is given: a caller that
//! got no answer asks again, and what was left undone is done then. A schedule that is set up in the very
//! moment and not yet listed keeps its next moment, and reckons the one after that by the new zone. Rejected:
//! one commit for the profile and all schedules, which would conflict with each of them that fires.

use crate::app::services::Services;
use crate::graphql::error::{bus_error, read_error};
use crate::graphql::schedules::stream_of;
use crate::graphql::wait::at_least;
use async_graphql::Result;
use commands::bus::Refused;
use commands::log::{Metadata, Position};
use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::schedule::{Schedule, ScheduleCommand, Standing};
use domain::values::RecipientId;
use projections::schedules::ScheduleFilter;
use std::sync::Arc;

/// Schedules that are read at once.
const PAGE: usize = 100;

/// Reckons the next runs of a person's schedules anew, and gives up to where that stands in the log.
/// `before` is where the log was when the profile was changed, if its zone was.
pub(super) async fn follow(
    services: &Services,
    metadata: &Arc<Metadata>,
    id: RecipientId,
    recipient: &Recipient,
    before: Option<Position>,
) -> Result<Option<Position>> {
    // A list that lags is as one that does not hold them yet.
    at_least(services.schedules.projection(), before.map(crate::graphql::position::Position)).await.ok();
    let zone = zone_of(recipient);
    let (mut after, mut moved) = (0, None);
    loop {
        let filter = ScheduleFilter { recipient: Some(id), ..ScheduleFilter::default() };
        let page = services.schedules.list(filter, after, PAGE).await.map_err(read_error)?;
        for row in page.iter().filter(|row| row.standing != Standing::Ended) {
            match services.engine.bus.execute::<Schedule>(stream_of(row.id), metadata, ScheduleCommand::Reckon { zone }).await {
                Ok(done) if done.recorded.is_empty() => {}
                Ok(done) => moved = moved.max(Some(done.position)),
                Err(Refused::Refusal(_)) => {}
                Err(error) => return Err(bus_error(error)),
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.defined_position,
            _ => return Ok(moved),
        }
    }
}
