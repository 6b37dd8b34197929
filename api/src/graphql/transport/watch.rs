//! Watching the credential of an open connection.

use std::sync::Arc;
use std::time::Duration;

use super::authenticate::{AuthFailure, Authenticate, Principal};
use super::state::Transport;

/// Why a connection may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its time is over; a fresh credential may connect again.
    Expired,
    /// It was withdrawn.
    Refused(AuthFailure),
}

impl<E, A: Authenticate> Transport<E, A> {
    /// Waits until the principal may no longer be served. Looks at least every
    /// `settings.recheck`, and at the moment when the credential ends.
    pub async fn watch(self: &Arc<Self>, principal: &A::Principal) -> Ended {
        loop {
            let mut pause = self.settings.recheck;
            if let Some(expires_at) = principal.expires_at() {
                let left = expires_at.saturating_sub(self.auth.now_ms());
                let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                    return Ended::Expired;
                };
                pause = pause.min(Duration::from_millis(left));
            }
            self.auth.sleep(pause).await;
            match self.auth.recheck(principal).await {
                // The store being away is no reason to cut everybody off.
                Err(failure) if !failure.status.is_server_error() => {
                    return Ended::Refused(failure);
                }
                _ => {}
            }
        }
    }
}
