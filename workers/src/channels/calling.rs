//! What surrounds one call: the recipient's own links in what is told, and an outcome whatever becomes of it.

use crate::pending::Item;
use crate::providers::Call;
use commands::links::{Links, Unsubscribe};
use commands::templates::filled;
use domain::values::{Content, Millis, Outcome};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// What is told, with the recipient's own links where it asks for them. Who cannot leave a category may still look at
/// the preferences.
pub(super) fn with_links(links: &Links, item: &Item, unsubscribe: Option<&Unsubscribe>, content: Arc<Content>, now: Millis) -> Arc<Content> {
    let preferences = || links.preferences(item.recipient, now).map(|(url, _)| url);
    let link = |ends: bool| if ends { unsubscribe.map(|unsubscribe| unsubscribe.url.clone()).or_else(preferences) } else { preferences() };
    filled(&content, link).map_or(content, Arc::new)
}

/// A call's outcome, also of one that panics: nobody knows what it came to, and no other call is to suffer for it.
pub(super) async fn unbroken(call: Call<'_>) -> Outcome {
    // Nothing of a broken call is looked at again.
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a provider's call panicked; this is a fault of ours, and its outcome is taken as unknown");
        Outcome::Unknown { code: "the call broke off".to_owned() }
    })
}
