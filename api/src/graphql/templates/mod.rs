//! Templates: written, tried, published, found and shown.
//!
//! The read model finds them; what they say is read from the log. Administrators may everything; a sender what the
//! template's access says. What a caller may not know of is answered like what does not exist.

mod difference;
mod input;
mod mutation;
mod object;
mod preview;
mod query;
mod results;
mod trial;

pub use difference::TemplateDiffQuery;
pub use input::{TemplateContentInput, from_template};
pub use mutation::TemplateMutation;
pub use preview::TemplatePreviewQuery;
pub use query::TemplateQuery;
pub use trial::TemplateTrialMutation;

use crate::auth::Caller;
use crate::graphql::context::{forbidden, principal};
use async_graphql::{Context, Result};
use domain::template::Access;
use domain::values::SenderKey;

/// What somebody wants to do with a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Look at it.
    Look,
    /// Write it.
    Write,
    /// Publish it, roll it back or archive it.
    Publish,
}

/// Whether the caller may.
fn may(ctx: &Context<'_>, access: &Access, doing: Doing) -> Result<bool> {
    Ok(match principal(ctx)?.caller.as_ref() {
        Caller::Administrator { .. } => true,
        Caller::Sender { sender, .. } => match doing {
            Doing::Look => access.concerns(sender),
            Doing::Write => access.editors.contains(sender),
            Doing::Publish => access.publishers.contains(sender),
        },
        Caller::Recipient { .. } => return Err(forbidden("an API key")),
    })
}

/// The sender that asks; none for an administrator.
fn asking<'a>(ctx: &Context<'a>) -> Result<Option<&'a SenderKey>> {
    match principal(ctx)?.caller.as_ref() {
        Caller::Administrator { .. } => Ok(None),
        Caller::Sender { sender, .. } => Ok(Some(sender)),
        Caller::Recipient { .. } => Err(forbidden("an API key")),
    }
}
