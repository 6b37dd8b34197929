//! Names to addresses for webhooks and browsers' push services, with the policy in between.
//!
//! Guarantee: the client connects to exactly the addresses that were checked here; there is no second
//! lookup that could answer differently (DNS rebinding). Rejected: checking before the call and letting
//! the client resolve again.

use super::destination::WebhookPolicy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

/// The name leads to no address that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("DESTINATION_BLOCKED: the name leads to no allowed address")]
pub(super) struct Blocked;

/// Whether a call failed because of [`Blocked`]: it sits somewhere below the client's own errors.
pub(in crate::providers) fn is_blocked(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<Blocked>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// See the module.
pub(in crate::providers) struct GuardedResolver {
    policy: Arc<WebhookPolicy>,
}

impl GuardedResolver {
    pub(in crate::providers) fn new(policy: Arc<WebhookPolicy>) -> Self {
        Self { policy }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            // An error of the lookup fails the call: it must never fall back to another way.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| policy.permits(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
