//! A template ready to be rendered: everything slow is behind it.

use super::email::squeezed;
use super::engine::{Engine, Failure};
use super::error::RenderError;
use super::limits::{MAX_HTML, MAX_OTHER};
use super::problem::Field;
use super::values::{Audience, Declared, Here, Root};
use crate::values::{Channel, Locale};
use minijinja::Value;
use serde_json::{Map, Value as Json};

/// A compiled template. It can be shared between threads, and rendering changes nothing in it.
#[derive(Clone)]
pub struct Compiled {
    pub(super) engine: Engine,
    pub(super) default_locale: Locale,
    pub(super) locales: Vec<InLocale>,
    pub(super) bodies: Vec<Fields>,
    pub(super) declared: Vec<Declared>,
    pub(super) bytes: usize,
}

/// The bodies of one language, as indices, by [`Channel::number`].
#[derive(Debug, Clone)]
pub(super) struct InLocale {
    pub locale: Locale,
    pub by_channel: [Option<usize>; Channel::ALL.len()],
}

/// The names of the engine's templates for a body's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub title: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub data: Option<String>,
    /// The text is made from the HTML.
    pub derived: bool,
}

/// What a notification says to somebody over a channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The language of the body that was taken.
    pub locale: Locale,
    /// Title of a push, subject of an e-mail: one line.
    pub title: Option<String>,
    /// The text.
    pub text: String,
    /// HTML of an e-mail.
    pub html: Option<String>,
    /// A JSON object.
    pub data: Option<String>,
}

/// Sizes only: what people are told belongs in no trace.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").field("locale", &self.locale).field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("locales", &self.locales.len()).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Compiled {
    /// Renders it for somebody.
    ///
    /// Parameters that are not given have their defaults; those that are not declared are ignored.
    ///
    /// # Errors
    /// What cannot be rendered with these values, or not within bounds. The same call gives the same result,
    /// always: nothing here is worth a second try.
    pub fn render(&self, audience: &Audience<'_>, parameters: &Map<String, Json>) -> Result<Rendered, RenderError> {
        self.try_render(audience, parameters).map_err(|(_, failure)| failure.error)
    }

    /// The language of those whose own it does not have.
    pub fn default_locale(&self) -> &Locale {
        &self.default_locale
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Renders; what fails comes with the name of the engine's template that did.
    pub(super) fn try_render(&self, audience: &Audience<'_>, parameters: &Map<String, Json>) -> Result<Rendered, (Option<&str>, Failure)> {
        let early = |error| (None, Failure { error, at: None });
        let (locale, fields) = self.body(audience.channel, audience.locale).ok_or_else(|| early(RenderError::NoBody))?;
        // Dates and numbers are written as the text is, and as the recipient's country does where that is its language.
        let written = if locale.language() == audience.locale.language() { audience.locale } else { locale };
        let here = Here::new(audience, written);
        let (root, size) = Root::new(&self.declared, parameters, here).map_err(early)?;
        let root = Value::from_object(root);
        let run = |name: &'_ Option<String>, field| match name {
            Some(name) => {
                // A text that is made from HTML may be as long.
                let long = field == Field::Html || field == Field::Text && fields.derived;
                self.engine.run(name, (field, if long { MAX_HTML } else { MAX_OTHER }), &root, size.bytes).map(Some)
            }
            None => Ok(None),
        };
        let failed = |name: &'_ Option<String>| {
            let name = self.name(name);
            move |failure| (name, failure)
        };
        Ok(Rendered {
            locale: locale.clone(),
            title: run(&fields.title, Field::Title).map_err(failed(&fields.title))?.map(one_line),
            text: run(&fields.text, Field::Text)
                .map_err(failed(&fields.text))?
                .map(|text| if fields.derived { squeezed(&text) } else { text })
                .unwrap_or_default(),
            html: run(&fields.html, Field::Html).map_err(failed(&fields.html))?,
            data: run(&fields.data, Field::Data).and_then(an_object).map_err(failed(&fields.data))?,
        })
    }

    /// As [`Source::body`](crate::template::Source::body) chooses.
    fn body(&self, channel: Channel, locale: &Locale) -> Option<(&Locale, &Fields)> {
        let tags = locale.chain().chain(self.default_locale.chain());
        tags.filter_map(|tag| self.locales.iter().find(|localized| localized.locale.as_str() == tag)).find_map(|localized| {
            let index = *localized.by_channel.get(usize::from(channel.number()))?;
            Some((&localized.locale, self.bodies.get(index?)?))
        })
    }

    fn name(&self, name: &Option<String>) -> Option<&str> {
        let name = name.as_deref()?;
        self.bodies.iter().flat_map(|body| [&body.title, &body.text, &body.html, &body.data]).filter_map(|own| own.as_deref()).find(|own| *own == name)
    }
}

/// Every expression is one value or within a string, so this fails by what the author wrote between them only.
fn an_object(data: Option<String>) -> Result<Option<String>, Failure> {
    let object = |text: &String| text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if data.as_ref().is_none_or(object) {
        return Ok(data);
    }
    let error = RenderError::Failed { expression: "data".to_owned(), reason: "it gives no JSON object", field: Field::Data };
    Err(Failure { error, at: None })
}

/// A subject that holds a line break would be several headers.
fn one_line(text: String) -> String {
    if !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return text;
    }
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}
