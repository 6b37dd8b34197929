//! Expected refusals as data: nothing was changed, and the message says what to do.

use async_graphql::{Interface, SimpleObject};
use commands::accept::{Refusal, Unusable};
use commands::attachments::Unattachable;
use domain::notification::NotificationRefusal;
use domain::recipient::RecipientRefusal;
use domain::values::ContentError;

/// Why the request was not carried out. Nothing was changed.
#[derive(SimpleObject, Debug, Clone)]
pub struct Refused {
    /// Stable code.
    pub code: &'static str,
    /// What to do.
    pub message: String,
    /// The input field that is meant, where it is one.
    pub field: Option<&'static str>,
}

/// A refusal of any kind.
#[derive(Interface)]
#[graphql(field(name = "code", ty = "&&'static str", desc = "Stable code."), field(name = "message", ty = "&String", desc = "What to do."))]
pub enum Problem {
    /// See there.
    Refused(Refused),
}

impl Refused {
    /// With a code and what to do.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// About an input field.
    pub fn at(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Some(field) }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (code, field) = match &refusal {
            Refusal::Content(ContentError::TooLarge { .. }) => ("TOO_LARGE", "content"),
            Refusal::Content(ContentError::ControlInTitle) => ("INVALID_HEADER", "content.title"),
            Refusal::Content(ContentError::TooDeep { .. }) => ("TOO_DEEP", "content"),
            Refusal::Content(ContentError::Attachment(_)) => ("ATTACHMENT_INVALID", "attachments"),
            Refusal::Content(_) => ("CONTENT_INVALID", "content"),
            Refusal::Attachment(unattachable) => (of_attachment(unattachable), "attachments"),
            Refusal::IdempotencyKey => ("IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
            Refusal::IdempotencyConflict => ("IDEMPOTENCY_CONFLICT", "idempotencyKey"),
            Refusal::UnknownRecipient => ("RECIPIENT_NOT_FOUND", "recipient"),
            Refusal::ErasedRecipient => ("RECIPIENT_ERASED", "recipient"),
            Refusal::UnknownCategory => ("CATEGORY_NOT_FOUND", "category"),
            Refusal::NoChannels => ("NO_CHANNELS", "channels"),
            Refusal::Expired => ("EXPIRED", "expiresAt"),
            Refusal::PlanAndChannels => ("PLAN_AND_CHANNELS", "plan"),
            Refusal::Plan(error) => return super::plan::refused(*error),
            Refusal::TwoTimes => ("TWO_TIMES", "localTime"),
            Refusal::TooFarAhead => ("TOO_FAR_AHEAD", "sendAt"),
            Refusal::ExpiresTooEarly => ("EXPIRES_TOO_EARLY", "expiresAt"),
            Refusal::DigestKey => ("DIGEST_KEY_INVALID", "digestKey"),
            Refusal::Template(unusable) => of_template(unusable),
            Refusal::Contended => return Self::new("CONTENDED", refusal.to_string()),
        };
        Self::at(field, code, refusal.to_string())
    }
}

const fn of_attachment(unattachable: &Unattachable) -> &'static str {
    match unattachable {
        Unattachable::Off => "ATTACHMENTS_OFF",
        Unattachable::NotFound { .. } => "ATTACHMENT_NOT_FOUND",
        Unattachable::Type => "ATTACHMENT_TYPE",
        Unattachable::TooLarge { .. } => "ATTACHMENT_TOO_LARGE",
        Unattachable::Unavailable => "ATTACHMENTS_UNAVAILABLE",
    }
}

const fn of_template(unusable: &Unusable) -> (&'static str, &'static str) {
    let field = match unusable {
        Unusable::Unknown | Unusable::NotAMessage | Unusable::Unpublished | Unusable::Archived => "template.key",
        Unusable::Parameters(_) => "template.parameters",
        Unusable::AndContent => "template",
    };
    (unusable.code(), field)
}

impl From<RecipientRefusal> for Refused {
    fn from(refusal: RecipientRefusal) -> Self {
        let code = match refusal {
            RecipientRefusal::NotFound => "RECIPIENT_NOT_FOUND",
            RecipientRefusal::Erased => "RECIPIENT_ERASED",
            RecipientRefusal::TooManyDevices => "TOO_MANY_DEVICES",
            RecipientRefusal::NoSuchDevice => "NOT_FOUND",
            RecipientRefusal::Rehearsed => "FORBIDDEN",
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<NotificationRefusal> for Refused {
    fn from(refusal: NotificationRefusal) -> Self {
        let code = match refusal {
            NotificationRefusal::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            NotificationRefusal::NotFound | NotificationRefusal::NoSuchDelivery => "NOT_FOUND",
            NotificationRefusal::NotADeadLetter => "NOT_A_DEAD_LETTER",
        };
        Self::new(code, refusal.to_string())
    }
}
