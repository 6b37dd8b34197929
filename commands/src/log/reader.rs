//! Port for reading the log.

use super::append::LogError;
use super::attempts;
use super::recorded::{Bare, Position, Recorded, Sequence, StreamNo};
use domain::StreamId;
use domain::values::RecipientId;
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Events that are looked through at once.
const PAGE: usize = 2_000;

/// The future of one read.
pub type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

/// Reads committed events. `open` says whether personal parts are decrypted: projections leave
/// them closed, which is faster and keeps personal data out of read models.
pub trait LogReader: Send + Sync + 'static {
    /// Events after a position in order, at most `limit`.
    fn read_after(&self, after: Position, limit: usize, open: bool) -> Reading<'_, Vec<Arc<Recorded>>>;
    /// Events of a stream after a sequence.
    fn read_stream(&self, stream: StreamId, after: Sequence, open: bool) -> Reading<'_, Vec<Arc<Recorded>>>;
    /// Events at these positions, in the order of the log; absent ones are left out.
    fn read_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Arc<Recorded>>>;
    /// The same without their commits, which halves the reading.
    fn bare_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move { Ok(self.read_at(positions, open).await?.into_iter().map(Bare::from).collect()) })
    }
    /// All events of several streams without their commits, in one read where the store can: those of
    /// one stream in order, the streams in any.
    fn bare_streams(&self, streams: Vec<StreamId>, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move {
            let mut events = Vec::new();
            for stream in streams {
                events.extend(self.read_stream(stream, 0, open).await?.into_iter().map(Bare::from));
            }
            Ok(events)
        })
    }
    /// The last events of a stream without their commits, in order, at most `last`: for streams that
    /// grow for ever and whose state rests on their end.
    fn bare_tail(&self, stream: StreamId, last: usize, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move {
            let events = self.read_stream(stream, 0, open).await?;
            let before = events.len().saturating_sub(last);
            Ok(events.into_iter().skip(before).map(Bare::from).collect())
        })
    }
    /// Positions, after one and up to another, of attempts at deliveries to one of these recipients that
    /// have no outcome yet.
    fn open_attempts(&self, recipients: Vec<RecipientId>, after: Position, upto: Position) -> Reading<'_, Vec<Position>> {
        Box::pin(async move {
            let (mut streams, mut from) = (HashSet::new(), after);
            while from < upto {
                let page = self.read_after(from, PAGE, false).await?;
                let Some(last) = page.last() else { break };
                from = last.position;
                streams.extend(page.iter().filter(|event| event.position <= upto && attempts::begins(&event.fact)).map(|event| event.stream));
            }
            let events = self.bare_streams(streams.into_iter().collect(), false).await?;
            Ok(attempts::open(&events, &recipients, after, upto))
        })
    }
    /// The number of a stream, if it exists.
    fn stream_number(&self, stream: StreamId) -> Reading<'_, Option<StreamNo>>;
    /// The newest position.
    fn head(&self) -> Reading<'_, Position>;
}
