//! Why a template could not be rendered for a notification.

use super::problem::Field;

/// What was too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Steps: loops over too much.
    Steps,
    /// Bytes that come out.
    Output,
    /// Bytes of the parameters.
    Parameters,
    /// Levels of lists and maps in the parameters.
    Levels,
}

impl Limit {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Output => "output",
            Self::Parameters => "parameters",
            Self::Levels => "levels",
        }
    }
}

/// Why nothing was rendered. Tells names of the template, never a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Nothing for the channel in any language that comes into question.
    #[error("the template has no body for this channel")]
    NoBody,
    /// A bound was reached.
    #[error("rendering reached the limit of {}{}", limit.name(), field.map(|field| format!(" in `{}`", field.name())).unwrap_or_default())]
    Limit {
        /// Which.
        limit: Limit,
        /// The field in which; none: before any.
        field: Option<Field>,
    },
    /// A value that was not given, and has no default.
    #[error("`{name}` has no value, in `{}`", field.name())]
    Undefined {
        /// The expression as the template has it.
        name: String,
        /// In which field.
        field: Field,
    },
    /// A parameter that is not of its type.
    #[error("the parameter `{0}` is not of its type")]
    Parameter(String),
    /// An operation that its values do not allow.
    #[error("`{expression}` cannot be worked out, in `{}`: {reason}", field.name())]
    Failed {
        /// The expression as the template has it.
        expression: String,
        /// Why, without values.
        reason: &'static str,
        /// In which field.
        field: Field,
    },
}

impl RenderError {
    /// A short stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoBody => "TEMPLATE_NO_BODY",
            Self::Limit { .. } => "TEMPLATE_LIMIT",
            Self::Undefined { .. } => "TEMPLATE_UNDEFINED",
            Self::Parameter(_) => "TEMPLATE_PARAMETER",
            Self::Failed { .. } => "TEMPLATE_FAILED",
        }
    }
}
