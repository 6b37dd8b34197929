//! Binding a request to the version of its template that is current. Pure.

use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::template::{ParameterRefusal, Published, Template, TemplateKind, TemplateUse, check_parameters, parse_parameters};
use domain::values::{Locale, RecipientId, SenderKey};

/// Why nothing can be made from a template; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// No such template, or nobody may know of it.
    #[error("there is no template of this key, or this sender may not use it")]
    Unknown,
    /// A layout or a partial.
    #[error("this template is a layout or partial, which others are made of; name one of the kind MESSAGE")]
    NotAMessage,
    /// Only drafts.
    #[error("this template was never published; publish it first")]
    Unpublished,
    /// Not to be used any more.
    #[error("this template is archived; use another one, or take it back")]
    Archived,
    /// See the parameters' rules.
    #[error(transparent)]
    Parameters(#[from] ParameterRefusal),
    /// Two answers to one question.
    #[error("give a template with parameters or the content itself, not both")]
    AndContent,
}

impl Unusable {
    /// A short stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "TEMPLATE_NOT_FOUND",
            Self::NotAMessage => "TEMPLATE_NOT_A_MESSAGE",
            Self::Unpublished => "TEMPLATE_UNPUBLISHED",
            Self::Archived => "TEMPLATE_ARCHIVED",
            Self::Parameters(_) => "TEMPLATE_PARAMETERS",
            Self::AndContent => "TEMPLATE_AND_CONTENT",
        }
    }
}

/// Whether a sender may have notifications made from it, of these parameters.
pub fn usable(template: &Template, sender: &SenderKey, parameters: &str) -> Result<(), Unusable> {
    let allowed = template.access.users.is_empty() || template.access.users.contains(sender);
    if !allowed {
        return Err(Unusable::Unknown);
    }
    Ok(check_parameters(&sendable(template)?.source.parameters, &parse_parameters(parameters)?)?)
}

/// What of a template is sent now, whoever asks.
pub(crate) fn sendable(template: &Template) -> Result<&Published, Unusable> {
    if template.revision == 0 {
        return Err(Unusable::Unknown);
    }
    let current = template.current.as_ref().ok_or(Unusable::Unpublished)?;
    if template.archived {
        return Err(Unusable::Archived);
    }
    if current.source.kind == TemplateKind::Message { Ok(current) } else { Err(Unusable::NotAMessage) }
}

/// The version that is current, for a person as they are now.
pub(crate) fn bound(template: &Template, id: RecipientId, recipient: &Recipient) -> Option<TemplateUse> {
    let current = template.current.as_ref()?;
    let assigned = current.source.experiment.as_ref().map(|experiment| experiment.assign(&template.key, id));
    let locale = recipient.locale.as_deref().and_then(Locale::of_person);
    let zone = recipient.time_zone.is_some().then(|| zone_of(recipient));
    Some(TemplateUse { key: template.key.clone(), version: current.version, assigned, locale, zone })
}
