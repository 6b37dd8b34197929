//! One pass over the log, a page at a time.
//!
//! A stream costs one slot in a dense table; a notification's deliveries are kept only until all
//! are over, and read back from its stream in the rare case that one moves again (a dead letter
//! is redriven).

use super::delivery::Stand;
use super::notification::Notification;
use super::report::Report;
use commands::log::{LogError, LogReader, Position, Recorded};
use domain::Fact;
use domain::notification::NotificationEvent as E;

/// Events read at a time.
const PAGE: usize = 10_000;

#[derive(Default)]
struct Stream {
    sequence: u64,
    open: Option<Box<Notification>>,
}

struct Walk<'a> {
    log: &'a dyn LogReader,
    streams: Vec<Stream>,
    /// Streams touched in this page, which may be over by its end.
    touched: Vec<usize>,
    report: Report,
    position: Position,
}

/// Reads the whole log up to where it ended when this began.
pub async fn audit(log: &dyn LogReader, mut progress: impl FnMut(Position, Position)) -> Result<Report, LogError> {
    let head = log.head().await?;
    let mut walk = Walk { log, streams: Vec::new(), touched: Vec::new(), report: Report::new(), position: 0 };
    loop {
        let page = log.read_after(walk.position, PAGE, false).await?;
        let mut ended = page.is_empty();
        for event in &page {
            if event.position > head {
                ended = true;
                break;
            }
            walk.event(event).await?;
        }
        walk.forget();
        progress(walk.position, head);
        if ended {
            break;
        }
    }
    Ok(walk.finish())
}

impl Walk<'_> {
    async fn event(&mut self, event: &Recorded) -> Result<(), LogError> {
        let at = event.position;
        self.report.events += 1;
        if at != self.position + 1 {
            let rule = format!("positions {} to {} are missing", self.position + 1, at - 1);
            self.violation(event, rule);
        }
        self.position = at;
        // Numbers are given in order of arrival without gaps, so the table stays dense; a number
        // out of all proportion is a fault, not a reason to reserve memory.
        let index = usize::try_from(event.number).unwrap_or(usize::MAX);
        if event.number > at {
            self.violation(event, "its stream's number is above its position".to_owned());
            return Ok(());
        }
        if self.streams.len() <= index {
            self.streams.resize_with(index + 1, Stream::default);
        }
        let before = self.streams[index].sequence;
        self.streams[index].sequence = event.sequence;
        if event.sequence != before + 1 {
            let rule = format!("sequence {} follows {before} in its stream", event.sequence);
            self.violation(event, rule);
        }
        let Fact::Notification(fact) = &event.fact else {
            return Ok(());
        };
        match fact {
            E::Requested(_) => self.report.accepted += 1,
            E::Deduplicated(_) => self.report.deduplicated += 1,
            E::Suppressed(e) => self.report.not_queued += u64::from(e.delivery.is_none()),
            _ => {}
        }
        let of_life = matches!(fact, E::Deduplicated(_) | E::Seen(_) | E::Read(_) | E::Archived(_));
        if self.streams[index].open.is_none() {
            if of_life && before > 0 {
                return Ok(());
            }
            let open = self.read_back(event).await?;
            self.streams[index].open = Some(Box::new(open));
        }
        let Some(notification) = self.streams[index].open.as_deref_mut() else {
            return Ok(());
        };
        let stepped = notification.step(fact);
        let channel = match fact {
            E::Queued(e) => Some(e.channel),
            other => other.delivery().and_then(|number| notification.deliveries.get(usize::from(number))).map(|delivery| delivery.channel),
        };
        if let Some(totals) = channel.and_then(|channel| self.report.of(channel)) {
            totals.count(fact);
        }
        if notification.is_over() {
            self.touched.push(index);
        }
        if let Err(rule) = stepped {
            self.violation(event, format!("{}: {rule}", event.fact.name()));
        }
        Ok(())
    }

    /// The notification as it stood before an event. What was wrong then has been told then.
    async fn read_back(&self, event: &Recorded) -> Result<Notification, LogError> {
        let mut notification = Notification::default();
        if event.sequence <= 1 {
            return Ok(notification);
        }
        for earlier in self.log.read_stream(event.stream, 0, false).await? {
            if earlier.position < event.position
                && let Fact::Notification(fact) = &earlier.fact
            {
                let _ = notification.step(fact);
            }
        }
        Ok(notification)
    }

    /// Lets go of what is over. Not earlier: the deliveries of one acceptance come one by one.
    fn forget(&mut self) {
        for index in self.touched.drain(..) {
            let stream = &mut self.streams[index];
            if stream.open.as_deref().is_some_and(Notification::is_over) {
                stream.open = None;
            }
        }
    }

    fn violation(&mut self, event: &Recorded, rule: String) {
        self.report.violation(event.position, event.stream.to_string(), rule);
    }

    fn finish(mut self) -> Report {
        for (number, stream) in self.streams.iter().enumerate() {
            let Some(open) = &stream.open else {
                continue;
            };
            let name = format!("stream number {number}");
            if open.is_undecided() {
                self.report.violation(self.position, name.clone(), "it was accepted, and nothing was decided about it".to_owned());
            }
            for delivery in &open.deliveries {
                if delivery.stand == Stand::Undecided {
                    self.report.violation(self.position, name.clone(), "an attempt came to nothing, and nothing was decided about it".to_owned());
                }
                if let Some(totals) = self.report.of(delivery.channel) {
                    totals.count_open(delivery.stand);
                }
            }
        }
        self.report.finish()
    }
}
