//! Records what was seen of tracked mails, beside the answers to who was seen.
//!
//! Best effort, within bounds: what comes faster than it can be recorded, and what the log refuses, is
//! lost and counted. Waiting for the log before answering was rejected: a link in a mail has to lead on
//! while the log is down, and a picture is not worth anybody's time.

use super::visitor::is_too_soon;
use commands::bus::{Bus, Refused};
use commands::log::{LogError, Metadata};
use domain::notification::{Notification, NotificationCommand, NotificationEvent, NotificationRefusal, Receipt, Said};
use domain::values::{DeliveryNo, Millis, NotificationId, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What may wait to be recorded.
const MOST: usize = 4_096;
/// What is recorded at once, and so committed together.
const AT_ONCE: usize = 64;

/// Somebody, or something, asked for a picture or followed a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose mail it is.
    pub recipient: RecipientId,
    /// The notification.
    pub notification: NotificationId,
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The number of the link that was followed; none: it was opened.
    pub link: Option<u16>,
    /// A program, as far as the request tells.
    pub program: bool,
    /// When (ms since the epoch).
    pub at: Millis,
}

/// See the module.
pub struct Recorder {
    bus: Bus,
    seen: mpsc::Sender<Sighting>,
    waiting: Mutex<Option<mpsc::Receiver<Sighting>>>,
}

impl Recorder {
    /// One that records once it runs.
    pub fn new(bus: Bus) -> Self {
        let (seen, waiting) = mpsc::channel(MOST);
        Self { bus, seen, waiting: Mutex::new(Some(waiting)) }
    }

    /// Takes a sighting to be recorded, at once. Loses it where too many wait.
    pub fn note(&self, sighting: Sighting) {
        if self.seen.try_send(sighting).is_err() {
            lost("too_many");
        }
    }

    /// Records until told to stop, and then what waits. Does nothing the second time.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = taken else { return stop.cancelled().await };
        let mut batch = Vec::with_capacity(AT_ONCE);
        loop {
            tokio::select! {
                biased;
                taken = waiting.recv_many(&mut batch, AT_ONCE) => {
                    if taken == 0 {
                        return;
                    }
                    join_all(batch.drain(..).map(|sighting| self.record_or_lose(sighting))).await;
                }
                () = stop.cancelled() => return,
            }
        }
    }

    async fn record_or_lose(&self, sighting: Sighting) {
        match record(&self.bus, sighting).await {
            // Of who is erased nothing is kept, and of what is not there nothing can be.
            Ok(()) | Err(Refused::Erased | Refused::Refusal(_)) => {}
            Err(error) => {
                tracing::warn!(?error, "an open or a click could not be recorded");
                lost("log");
            }
        }
    }
}

fn lost(reason: &'static str) {
    metrics::counter!("bongsu_tracking_lost_total", "reason" => reason).increment(1);
}

/// Records a sighting. Says nothing new where one like it was recorded.
///
/// # Errors
/// The person is erased, or the log does not take it.
pub async fn record(bus: &Bus, sighting: Sighting) -> Result<(), Refused<NotificationRefusal>> {
    let stream = StreamId::new(AggregateKind::Notification, sighting.notification.0);
    let automatic = sighting.program || is_too_soon(sent_at(bus, stream, sighting.delivery).await?, sighting.at);
    let said = sighting.link.map_or(Said::Opened { automatic }, |link| Said::Clicked { link, automatic });
    let receipt = Receipt { delivery: sighting.delivery, attempt: None, provider_id: None, at: Some(sighting.at), said };
    let metadata = Arc::new(Metadata::of("tracking"));
    bus.execute_for::<Notification>(sighting.recipient, stream, &metadata, vec![NotificationCommand::Report { receipt }]).await?;
    Ok(())
}

/// When a delivery was last handed over, or began to be.
async fn sent_at(bus: &Bus, stream: StreamId, delivery: DeliveryNo) -> Result<Option<Millis>, LogError> {
    let events = bus.log().read_stream(stream, 0, false).await?;
    let handed_over = events.iter().rev().find(|event| {
        matches!(&event.fact, Fact::Notification(fact @ (NotificationEvent::AttemptStarted(_) | NotificationEvent::Sent(_))) if fact.delivery() == Some(delivery))
    });
    Ok(handed_over.map(|event| event.at))
}
