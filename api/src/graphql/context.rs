//! Caller and services of a request, and the guards: deny by default, one line a field.

use super::error::failure;
use crate::app::services::Services;
use crate::auth::{Caller, Principal};
use async_graphql::{Context, Result};
use commands::log::Metadata;
use domain::values::{CategoryKey, KeyId, RecipientId, SenderKey};
use std::sync::Arc;

/// The services.
pub fn services<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Services>> {
    ctx.data::<Arc<Services>>()
}

/// The caller.
pub fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal> {
    ctx.data::<Principal>().map_err(|_| failure("UNAUTHENTICATED", "Send a valid credential as `Authorization: Bearer <key>`."))
}

/// Refused: it needs somebody else.
pub fn forbidden(who: &str) -> async_graphql::Error {
    failure("FORBIDDEN", format!("This needs {who}; ask an administrator."))
}

/// Metadata of what this caller commits.
pub fn metadata(ctx: &Context<'_>) -> Result<Arc<Metadata>> {
    Ok(Services::metadata(principal(ctx)?.actor()))
}

/// A sender with its scope.
#[derive(Debug, Clone)]
pub struct SenderScope<'a> {
    /// The sender.
    pub sender: &'a SenderKey,
    /// Only these categories; all where empty.
    pub categories: &'a [CategoryKey],
    /// Everything but the provider call.
    pub sandbox: bool,
}

/// Only a sender.
pub fn sender<'a>(ctx: &Context<'a>) -> Result<SenderScope<'a>> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Sender { sender, categories, sandbox, .. } => Ok(SenderScope { sender, categories, sandbox: *sandbox }),
        _ => Err(forbidden("a sender's API key")),
    }
}

/// Only an administrator.
pub fn administrator(ctx: &Context<'_>) -> Result<KeyId> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Administrator { key } => Ok(*key),
        _ => Err(forbidden("an administrator's API key")),
    }
}

/// Only a recipient.
pub fn recipient(ctx: &Context<'_>) -> Result<RecipientId> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Recipient { id } => Ok(*id),
        _ => Err(forbidden("a recipient's token")),
    }
}

/// A sender or an administrator, who manage recipients.
pub fn staff(ctx: &Context<'_>) -> Result<()> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Administrator { .. } | Caller::Sender { .. } => Ok(()),
        Caller::Recipient { .. } => Err(forbidden("an API key")),
    }
}

/// Nobody who only rehearses: what this guards would reach real people.
pub fn for_real(ctx: &Context<'_>) -> Result<()> {
    if rehearses(ctx)? {
        return Err(failure("FORBIDDEN", "A sandbox key cannot do this, since it would take effect; use a key without `sandbox`."));
    }
    Ok(())
}

/// Whether the caller only rehearses.
pub fn rehearses(ctx: &Context<'_>) -> Result<bool> {
    Ok(matches!(principal(ctx)?.caller.as_ref(), Caller::Sender { sandbox: true, .. }))
}

/// Whose data are meant: a recipient's own, or those that staff name.
pub fn subject(ctx: &Context<'_>, named: Option<&str>) -> Result<RecipientId> {
    let hashing = &services(ctx)?.engine.hashing;
    match (principal(ctx)?.caller.as_ref(), named) {
        (Caller::Recipient { id }, None) => Ok(*id),
        (Caller::Recipient { id }, Some(name)) if hashing.recipient(name) == *id => Ok(*id),
        (Caller::Recipient { .. }, Some(_)) => Err(forbidden("an API key; a recipient's token reaches its own data only")),
        (_, Some(name)) => Ok(hashing.recipient(name)),
        (_, None) => Err(failure("BAD_USER_INPUT", "Name the recipient.")),
    }
}

/// Whose data are meant where those of all senders come together and cannot be told apart: a
/// recipient's own, or those that an administrator names.
pub fn subject_of_all_senders(ctx: &Context<'_>, named: Option<&str>) -> Result<RecipientId> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Sender { .. } => Err(forbidden("a recipient's token or an administrator's API key")),
        Caller::Administrator { .. } | Caller::Recipient { .. } => subject(ctx, named),
    }
}
