//! Why a template says no.

use super::source::ParameterType;
use crate::values::{Channel, Locale};

/// Most bytes of a template with all its languages.
pub const MAX_SOURCE_BYTES: usize = 512 * 1024;
/// Most drafts of one template that are kept; each is a new event with all of it.
pub const MAX_REVISIONS: u32 = 5_000;
/// Most parameters.
pub const MAX_PARAMETERS: usize = 100;

/// Refusals of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateRefusal {
    /// There is none of that key.
    #[error("there is no template of this key; write a draft of it first")]
    NotFound,
    /// People have to find it.
    #[error("a template's name has 1 to 100 characters, its description at most 1000, each of at most 20 tags 1 to 40, all without control characters")]
    Text,
    /// See [`MAX_SOURCE_BYTES`].
    #[error("the template has {bytes} bytes, {MAX_SOURCE_BYTES} is the most; move what templates share into layouts and partials, and link to pictures")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// See [`MAX_REVISIONS`].
    #[error("the template was written {MAX_REVISIONS} times, which is the most; start a new one")]
    TooManyRevisions,
    /// Two of one.
    #[error("the language {0} is there twice")]
    LocaleTwice(Locale),
    /// The one that all others fall back to.
    #[error("there is nothing in the default language {0}; add it to `locales`, or choose another default")]
    NoDefaultLocale(Locale),
    /// Two bodies for the same.
    #[error("in {locale} there are two bodies for {}", channel.map_or("all other channels".to_owned(), |channel| channel.to_string()))]
    BodyTwice {
        /// The language.
        locale: Locale,
        /// The channel.
        channel: Option<Channel>,
    },
    /// Nothing to tell.
    #[error("in {locale} the body for {} is empty; give `text`, or `html` or `mjml` for e-mail", channel.map_or("all other channels".to_owned(), |channel| channel.to_string()))]
    EmptyBody {
        /// The language.
        locale: Locale,
        /// The channel.
        channel: Option<Channel>,
    },
    /// Which one is meant cannot be told.
    #[error("in {0} a body has both `html` and `mjml`; HTML is made from MJML, so give one of them")]
    HtmlAndMjml(Locale),
    /// Not a name.
    #[error("a parameter's name is a letter, then up to 63 letters, digits and `_`, and not `bongsu`; there are at most {MAX_PARAMETERS}")]
    ParameterName,
    /// Two of one.
    #[error("the parameter `{0}` is declared twice")]
    ParameterTwice(String),
    /// See [`Experiment`](super::Experiment).
    #[error(
        "an experiment of a message has a name and 1 to 10 variants of different names (a-z, 0-9, '-', '_', '.'; not `control`), each with bodies and a weight up to 10000, not all of them 0"
    )]
    Experiment,
    /// Nothing to end.
    #[error("the template has no experiment with a variant of this name")]
    NoSuchVariant,
    /// Not of its type.
    #[error("the {what} of the parameter `{name}` is not {}", kind.words())]
    ParameterValue {
        /// `default` or `example`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Its type.
        kind: ParameterType,
    },
    /// A layout is no message.
    #[error("a published template stays what it is (message, layout or partial); start a new one under another key")]
    KindChanged,
    /// Somebody wrote meanwhile.
    #[error("the draft is at revision {at}, not {expected}: somebody wrote it meanwhile; look at it and try again")]
    Stale {
        /// Where it is.
        at: u32,
        /// Where the caller thought it was.
        expected: u32,
    },
    /// It is published already.
    #[error("what was written last is published already, as version {version}; write a new draft first")]
    NothingNew {
        /// The current version.
        version: u32,
    },
    /// No such version.
    #[error("the template has no version {0}")]
    NoSuchVersion(u32),
    /// See [`super::TemplateArchived`].
    #[error("the template is archived; take it back with `unarchiveTemplate` first")]
    Archived,
    /// Too long.
    #[error("a note has at most 1000 characters, without control characters")]
    Note,
}
