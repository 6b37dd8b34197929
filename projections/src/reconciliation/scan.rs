//! Reading the log for it: from the first event of the time asked for, which is found by halving, up to
//! its end.

use super::theirs::Theirs;
use super::{Accounts, Reconciliation, Scope};
use commands::log::{LogError, LogReader, Position};
use domain::notification::NotificationEvent as E;
use domain::values::{Millis, NotificationId};
use domain::{AggregateKind, Fact, StreamId};

/// Events read at a time.
const PAGE: usize = 10_000;

/// Attempts that are looked at at once: about a gigabyte of memory.
pub const MOST_ATTEMPTS: usize = 5_000_000;

/// Streams that are read at once for their channels.
const STREAMS: usize = 1_000;

/// Why there are no books.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Too long a time.
    #[error("more than {0} attempts began in that time; ask for a shorter one, or for one provider")]
    TooMany(usize),
}

/// Computes the books; `progress` is told where it is and where it ends.
///
/// # Errors
/// The log does not answer, or there is too much. `most` bounds the attempts.
pub async fn scan(
    log: &dyn LogReader,
    scope: Scope,
    theirs: Option<&Theirs>,
    now: Millis,
    most: usize,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Reconciliation, ScanError> {
    let head = log.head().await?;
    let mut position = first_of(log, scope.from, head).await?;
    let mut accounts = Accounts::new(scope);
    while position < head {
        let page = log.read_after(position, PAGE, false).await?;
        let Some(last) = page.last() else { break };
        position = last.position;
        for event in &page {
            if let Fact::Notification(fact) = &event.fact {
                accounts.take(NotificationId(event.stream.id), event.at, fact);
            }
        }
        if accounts.len() > most {
            return Err(ScanError::TooMany(most));
        }
        progress(position.min(head), head);
    }
    // Those that were asked for before say their channels there.
    let missing: Vec<NotificationId> = accounts.without_channels().into_iter().collect();
    for some in missing.chunks(STREAMS) {
        let streams = some.iter().map(|notification| StreamId::new(AggregateKind::Notification, notification.0)).collect();
        for event in log.bare_streams(streams, false).await? {
            if let Fact::Notification(E::Queued(e)) = &event.fact {
                accounts.channel(NotificationId(event.stream.id), e.delivery, e.channel);
            }
        }
    }
    Ok(accounts.finish(now, theirs))
}

/// The position before the first event of a moment or later. Moments do not always rise with positions,
/// where clocks are set back, so it begins a little before.
async fn first_of(log: &dyn LogReader, from: Millis, head: Position) -> Result<Position, LogError> {
    const MARGIN: Millis = 60_000;
    let (mut low, mut high) = (0, head);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match log.read_after(middle, 1, false).await?.first() {
            Some(event) if event.at < from - MARGIN => low = middle,
            _ => high = middle,
        }
    }
    Ok(low)
}
