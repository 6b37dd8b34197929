#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod digests;
mod schedules;
mod waiting;
mod wording;

use super::{Asked, Due, DueTimer};
use crate::accept::tests::{Fixture, fixture, meta};
use crate::accept::{AcceptorSettings, stream_of};
use domain::StreamId;
use domain::event::EventBody as _;
use domain::notification::NotificationEvent;
use domain::policy::timers::TimerName;
use domain::values::{Millis, NotificationId};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// A fixture and who is asked when something comes due.
struct World {
    fixture: Fixture,
    due: Due,
}

async fn world() -> Arc<World> {
    let fixture = fixture().await;
    let due = Due::new(fixture.bus.clone(), fixture.facts.clone(), fixture.hashing.clone(), fixture.clock.clone(), AcceptorSettings::default());
    Arc::new(World { fixture, due })
}

impl World {
    async fn ask(&self, timers: &[(StreamId, TimerName)]) -> Vec<Asked> {
        let timers = timers.iter().map(|(stream, name)| DueTimer { stream: *stream, name: *name }).collect();
        self.due.ask(&meta(), timers).await.unwrap()
    }

    async fn ask_one(&self, stream: StreamId, name: TimerName) -> Asked {
        self.ask(&[(stream, name)]).await.pop().unwrap()
    }

    async fn release(&self, id: NotificationId) -> Asked {
        self.ask_one(stream_of(id), TimerName::Release).await
    }

    fn pass(&self, millis: Millis) {
        self.fixture.clock.advance(Duration::from_millis(millis.unsigned_abs()));
    }

    async fn names(&self, id: NotificationId) -> Vec<&'static str> {
        self.fixture.events(id.0).await.iter().map(NotificationEvent::name).collect()
    }

    async fn head(&self) -> u64 {
        self.fixture.bus.log().head().await.unwrap()
    }
}
