//! The port by which the transport knows its callers.
//!
//! Guarantee: without a principal no body is read and nothing is executed; on a long-lived
//! connection the principal is judged again and again, so that a revoked key stops receiving.
//! The clock is the implementation's, so that tests can turn it.

use std::any::Any;
use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};

/// Who calls. Inserted into the request's data under its own type.
pub trait Principal: Any + Clone + Send + Sync {
    /// When the credential ends, in milliseconds since the Unix epoch.
    fn expires_at(&self) -> Option<i64> {
        None
    }

    /// True for callers without a credential, where the implementation lets them in at all. They
    /// get no introspection and no validation messages that would name parts of the schema.
    fn is_anonymous(&self) -> bool {
        false
    }
}

/// Why a caller is not let in. All of it is shown to the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AuthFailure {
    /// 401 when another credential could help, 403 when it could not; 429 or 503 when the same
    /// credential may be tried again later.
    pub status: StatusCode,
    /// Stable `extensions.code`.
    pub code: &'static str,
    /// What to do next, for the caller.
    pub message: &'static str,
}

impl AuthFailure {
    /// No credential was sent.
    pub const UNAUTHENTICATED: Self =
        Self { status: StatusCode::UNAUTHORIZED, code: "UNAUTHENTICATED", message: "Send a valid credential as `Authorization: Bearer <key>`." };
    /// The credential is known, but no longer valid.
    pub const KEY_REVOKED: Self =
        Self { status: StatusCode::UNAUTHORIZED, code: "KEY_REVOKED", message: "This credential was revoked or has expired; use another one." };
    /// The credential is valid and used too often.
    pub const RATE_LIMITED: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "RATE_LIMITED",
        message: "Too many requests with this credential; wait a second, and send lists in place of single notifications.",
    };
    /// The credential is valid, but not for this.
    pub const FORBIDDEN: Self =
        Self { status: StatusCode::FORBIDDEN, code: "FORBIDDEN", message: "This credential does not permit that; ask its owner for a wider scope." };
}

/// Turns credentials into a principal.
pub trait Authenticate: Send + Sync + 'static {
    /// What resolvers find in their context.
    type Principal: Principal;

    /// Judges a request by its headers; for a WebSocket also by the payload of `connection_init`,
    /// since browsers cannot set headers there.
    fn authenticate(&self, headers: &HeaderMap, init: Option<&serde_json::Value>) -> impl Future<Output = Result<Self::Principal, AuthFailure>> + Send;

    /// The time by which `expires_at` is judged, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Waits, by the same clock.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Whether this caller may make one more request now.
    fn admit(&self, principal: &Self::Principal) -> Result<(), AuthFailure> {
        let _ = principal;
        Ok(())
    }

    /// Judges the principal of an open connection again: is the key revoked meanwhile? Expiry is
    /// the transport's own check.
    fn recheck(&self, principal: &Self::Principal) -> impl Future<Output = Result<(), AuthFailure>> + Send {
        let _ = principal;
        std::future::ready(Ok(()))
    }
}
