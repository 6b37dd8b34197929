//! Whose notification a stream is: later events do not say it. The newest are remembered; for
//! older ones the log is asked.

use commands::log::{Position, Recorded, StreamNo};
use domain::Fact;
use domain::notification::NotificationEvent;
use domain::values::{Millis, RecipientId};
use std::collections::{HashMap, VecDeque};

/// Streams remembered; more than the longest page has.
const KEPT: usize = 20_000;

/// What the feed has to know of a notification.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) recipient: RecipientId,
    pub(super) sandbox: bool,
    pub(super) requested_position: Position,
    pub(super) requested_at: Millis,
}

impl Known {
    /// From a `Requested` event.
    pub(super) fn of(event: &Recorded) -> Option<Self> {
        match &event.fact {
            Fact::Notification(NotificationEvent::Requested(requested)) => {
                Some(Self { recipient: requested.recipient, sandbox: requested.sandbox, requested_position: event.position, requested_at: event.at })
            }
            _ => None,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<StreamNo, Known>,
    order: VecDeque<StreamNo>,
}

impl Recent {
    pub(super) fn get(&self, number: StreamNo) -> Option<&Known> {
        self.known.get(&number)
    }

    pub(super) fn keep(&mut self, number: StreamNo, known: Known) {
        if self.known.insert(number, known).is_none() {
            self.order.push_back(number);
        }
        while self.order.len() > KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}
