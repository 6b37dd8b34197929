//! What is wrong with a template, told so that its author finds and mends it.

use crate::values::{Channel, Locale, TemplateKey};

/// A field of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Title of a push, subject of an e-mail.
    Title,
    /// The text.
    Text,
    /// HTML of an e-mail.
    Html,
    /// MJML of an e-mail.
    Mjml,
    /// What mail programs show beside the subject.
    Preheader,
    /// JSON object for the receiving app or endpoint.
    Data,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Title, Self::Text, Self::Html, Self::Mjml, Self::Preheader, Self::Data];

    /// Its name in templates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Html => "html",
            Self::Mjml => "mjml",
            Self::Preheader => "preheader",
            Self::Data => "data",
        }
    }
}

/// The body and field that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Language of the body.
    pub locale: Locale,
    /// Channel of the body; absent: the body for all channels.
    pub channel: Option<Channel>,
    /// The field.
    pub field: Field,
}

/// A mistake that keeps a template from being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Body and field; absent where it is about the whole template.
    pub place: Option<Place>,
    /// The layout or partial in which it lies; absent: the template itself.
    pub key: Option<TemplateKey>,
    /// Line in that field's source, from 1.
    pub line: Option<usize>,
    /// Column in that line, in characters, from 1.
    pub column: Option<usize>,
    /// What kind of mistake, stable: programs may rely on it.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Problem {
    /// About the whole template until it is said where.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { place: None, key: None, line: None, column: None, code, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn at(mut self, origin: &Origin) -> Self {
        self.key = origin.key.clone();
        (self.line, self.column) = (Some(origin.line), Some(origin.column));
        self
    }

    pub(super) fn within(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }
}

/// Where in what an author wrote a piece of a field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The layout or partial; none: the template itself.
    pub key: Option<TemplateKey>,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Origin {
    /// Of the byte `offset` of `text`.
    pub fn of(key: Option<&TemplateKey>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { key: key.cloned(), line: before.matches('\n').count() + 1, column }
    }

    /// Behind a text that begins here.
    pub fn after(&self, text: &str) -> Self {
        let Self { line, column, .. } = Self::of(None, text, text.len());
        let column = if line > 1 { column } else { self.column + column - 1 };
        Self { key: self.key.clone(), line: self.line + line - 1, column }
    }
}
