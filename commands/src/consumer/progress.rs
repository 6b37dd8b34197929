//! How far a consumer has come, for those who wait for it and for those who watch it.

use crate::log::Position;
use tokio::sync::watch;

/// A consumer's place in the log.
#[derive(Debug, Clone)]
pub struct Progress {
    position: watch::Sender<Position>,
    wanted: watch::Sender<Position>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { position: watch::Sender::new(0), wanted: watch::Sender::new(0) }
    }
}

impl Progress {
    /// The last event whose effect is visible.
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Waits until it has come this far; the consumer is told to hurry.
    pub async fn reached(&self, position: Position) {
        if self.position() >= position {
            return;
        }
        self.wanted.send_if_modified(|wanted| {
            let more = position > *wanted;
            *wanted = position.max(*wanted);
            more
        });
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.position.subscribe().wait_for(|reached| *reached >= position).await;
    }

    /// Whoever moves the consumer elsewhere has brought it this far; what is known already stays.
    pub fn learn(&self, position: Position) {
        self.position.send_if_modified(|known| {
            let more = position > *known;
            *known = position.max(*known);
            more
        });
    }

    /// Everything up to there is visible. For who follows the log by himself.
    pub fn advance(&self, to: Position) {
        self.position.send_replace(to);
    }

    /// The newest position that somebody waits for, or has waited for.
    pub fn wanted(&self) -> watch::Receiver<Position> {
        self.wanted.subscribe()
    }
}
