//! The close codes, as `docs/graphql-transport.md` lists them.

use std::borrow::Cow;

use axum::extract::ws::CloseFrame;
use axum::http::StatusCode;

use crate::graphql::transport::authenticate::AuthFailure;
use crate::graphql::transport::watch::Ended;

/// A close code with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub code: u16,
    pub reason: Cow<'static, str>,
}

const fn close(code: u16, reason: &'static str) -> Close {
    Close { code, reason: Cow::Borrowed(reason) }
}

pub(super) const NORMAL: Close = close(1000, "Bye");
pub(super) const GOING_AWAY: Close = close(1001, "Server is shutting down");
pub(super) const BROKEN: Close = close(1002, "WebSocket protocol error");
pub(super) const TOO_BIG: Close = close(1009, "Message too big");
/// Clients of this protocol try again after 1013, unlike after 4429, which means a second
/// `connection_init`.
pub(super) const SLOW: Close = close(1013, "Client reads too slowly");
pub(super) const BUSY: Close = close(1013, "Try again later");
pub(super) const SILENT: Close = close(1013, "Client is silent");
pub(super) const UNAUTHORIZED: Close = close(4401, "Unauthorized");
pub(super) const EXPIRED: Close = close(4403, "Forbidden: credential expired");
pub(super) const SUBPROTOCOL: Close = close(4406, "Subprotocol not acceptable");
pub(super) const INIT_TIMEOUT: Close = close(4408, "Connection initialisation timeout");
pub(super) const SECOND_INIT: Close = close(4429, "Too many initialisation requests");

/// A message that is not of the protocol.
pub(super) const fn invalid(reason: &'static str) -> Close {
    close(4400, reason)
}

/// Two operations of one id.
pub(super) fn duplicate(id: &str) -> Close {
    Close { code: 4409, reason: format!("Subscriber for {id} already exists").into() }
}

/// A `connection_init` that is turned down.
pub(super) fn refused(failure: &AuthFailure) -> Close {
    match failure.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => BUSY,
        _ => Close { code: 4403, reason: format!("Forbidden: {}", failure.code).into() },
    }
}

/// An open connection whose credential no longer counts. Clients connect again after 4403, and
/// should when a fresh credential could help; they give up after 4401.
pub(super) fn ended(ended: &Ended) -> Close {
    match ended {
        Ended::Expired => EXPIRED,
        Ended::Refused(failure) if failure.status == StatusCode::UNAUTHORIZED => Close { code: 4401, reason: format!("Unauthorized: {}", failure.code).into() },
        Ended::Refused(failure) => refused(failure),
    }
}

impl From<Close> for CloseFrame {
    fn from(close: Close) -> Self {
        // A control frame holds 125 bytes, two of them the code.
        let mut end = close.reason.len().min(123);
        while !close.reason.is_char_boundary(end) {
            end -= 1;
        }
        Self { code: close.code, reason: close.reason[..end].into() }
    }
}
