//! A reader that fetches the next page while the present one is being written: decoding and
//! writing each keep a thread busy.

use commands::log::{Bare, LogError, LogReader, Position, Recorded, Sequence, StreamNo};
use domain::StreamId;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

type Events = Vec<Arc<Recorded>>;
type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

struct Ahead {
    after: Position,
    limit: usize,
    open: bool,
    page: JoinHandle<Result<Events, LogError>>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.page.abort();
    }
}

/// See the module.
pub(super) struct ReadAhead {
    log: Arc<dyn LogReader>,
    ahead: Mutex<Option<Ahead>>,
}

impl ReadAhead {
    pub(super) const fn new(log: Arc<dyn LogReader>) -> Self {
        Self { log, ahead: Mutex::new(None) }
    }

    fn take(&self) -> Option<Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn begin(&self, after: Position, limit: usize, open: bool) {
        let log = Arc::clone(&self.log);
        let page = tokio::spawn(async move { log.read_after(after, limit, open).await });
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ahead { after, limit, open, page });
    }
}

impl LogReader for ReadAhead {
    fn read_after(&self, after: Position, limit: usize, open: bool) -> Reading<'_, Events> {
        Box::pin(async move {
            let fetched = match self.take() {
                Some(mut ahead) if ahead.after == after && ahead.limit == limit && ahead.open == open => {
                    // A broken-off read is simply done again.
                    (&mut ahead.page).await.ok()
                }
                _ => None,
            };
            let page = match fetched {
                // An empty page was true when it was read; it may not be any more.
                Some(page) if !matches!(&page, Ok(events) if events.is_empty()) => page?,
                _ => self.log.read_after(after, limit, open).await?,
            };
            if let Some(last) = page.last() {
                self.begin(last.position, limit, open);
            }
            Ok(page)
        })
    }

    fn read_stream(&self, stream: StreamId, after: Sequence, open: bool) -> Reading<'_, Events> {
        self.log.read_stream(stream, after, open)
    }

    fn read_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Events> {
        self.log.read_at(positions, open)
    }

    fn bare_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Bare>> {
        self.log.bare_at(positions, open)
    }

    fn bare_streams(&self, streams: Vec<StreamId>, open: bool) -> Reading<'_, Vec<Bare>> {
        self.log.bare_streams(streams, open)
    }

    fn bare_tail(&self, stream: StreamId, last: usize, open: bool) -> Reading<'_, Vec<Bare>> {
        self.log.bare_tail(stream, last, open)
    }

    fn stream_number(&self, stream: StreamId) -> Reading<'_, Option<StreamNo>> {
        self.log.stream_number(stream)
    }

    fn head(&self) -> Reading<'_, Position> {
        self.log.head()
    }
}
