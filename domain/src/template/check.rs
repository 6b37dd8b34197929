//! What is wrong with a template before anything of it is rendered: its shape.

use super::refusal::{MAX_PARAMETERS, MAX_SOURCE_BYTES, TemplateRefusal};
use super::source::{Body, Localized, ParameterType, Source, TemplateKind};
use chrono::NaiveDate;
use serde_json::Value;

fn is_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn is_name(name: &str) -> bool {
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name != "bongsu"
}

impl ParameterType {
    /// What a value of it is, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Date => "a day such as \"2026-11-22\"",
            Self::DateTime => "a moment such as \"2026-11-22T09:30:00Z\", or milliseconds since the epoch",
            Self::Url => "an absolute URL with https:, http:, mailto: or tel:",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }

    /// Whether a value is of this type.
    pub fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::String, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::List, Value::Array(_))
            | (Self::Object, Value::Object(_)) => true,
            (Self::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
            (Self::Date, Value::String(text)) => NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
            (Self::DateTime, Value::Number(number)) => number.is_i64(),
            (Self::DateTime, Value::String(text)) => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            (Self::Url, Value::String(text)) => is_url(text),
            _ => false,
        }
    }
}

/// Of a scheme that runs nothing, and without what could end an attribute or a header.
fn is_url(text: &str) -> bool {
    let schemes = ["https://", "http://", "mailto:", "tel:"];
    let lower: String = text.chars().take(8).collect::<String>().to_ascii_lowercase();
    schemes.iter().any(|scheme| lower.starts_with(scheme) && text.len() > scheme.len())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"".contains(c))
}

impl Body {
    fn is_empty(&self) -> bool {
        [&self.title, &self.text, &self.html, &self.mjml, &self.data].iter().all(|field| field.as_ref().is_none_or(|text| text.trim().is_empty()))
    }
}

impl Source {
    /// Checks its shape; whether its texts can be rendered is another matter.
    pub fn check(&self) -> Result<(), TemplateRefusal> {
        let bytes = self.size();
        if bytes > MAX_SOURCE_BYTES {
            return Err(TemplateRefusal::TooLarge { bytes });
        }
        let tags = self.tags.len() <= 20 && self.tags.iter().all(|tag| !tag.is_empty() && is_text(tag, 40));
        if self.name.trim().is_empty() || !is_text(&self.name, 100) || !is_text(&self.description.replace('\n', " "), 1000) || !tags {
            return Err(TemplateRefusal::Text);
        }
        self.check_parameters()?;
        if let Some(experiment) = &self.experiment {
            if !experiment.is_sound() || self.kind != TemplateKind::Message {
                return Err(TemplateRefusal::Experiment);
            }
            experiment.variants.iter().try_for_each(|variant| check_locales(&variant.locales))?;
        }
        check_locales(&self.locales)?;
        let default = self.locales.iter().any(|localized| localized.locale == self.default_locale && !localized.bodies.is_empty());
        if default { Ok(()) } else { Err(TemplateRefusal::NoDefaultLocale(self.default_locale.clone())) }
    }

    fn check_parameters(&self) -> Result<(), TemplateRefusal> {
        if self.parameters.len() > MAX_PARAMETERS {
            return Err(TemplateRefusal::ParameterName);
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            if !is_name(&parameter.name) {
                return Err(TemplateRefusal::ParameterName);
            }
            if self.parameters.iter().take(index).any(|other| other.name == parameter.name) {
                return Err(TemplateRefusal::ParameterTwice(parameter.name.clone()));
            }
            for (what, value) in [("default", &parameter.default), ("example", &parameter.example)] {
                if value.as_ref().is_some_and(|value| !parameter.kind.fits(value)) {
                    return Err(TemplateRefusal::ParameterValue { what, name: parameter.name.clone(), kind: parameter.kind });
                }
            }
        }
        Ok(())
    }
}

fn check_locales(locales: &[Localized]) -> Result<(), TemplateRefusal> {
    for (index, localized) in locales.iter().enumerate() {
        let locale = &localized.locale;
        if locales.iter().take(index).any(|other| other.locale == *locale) {
            return Err(TemplateRefusal::LocaleTwice(locale.clone()));
        }
        for (index, body) in localized.bodies.iter().enumerate() {
            if localized.bodies.iter().take(index).any(|other| other.channel == body.channel) {
                return Err(TemplateRefusal::BodyTwice { locale: locale.clone(), channel: body.channel });
            }
            if body.is_empty() {
                return Err(TemplateRefusal::EmptyBody { locale: locale.clone(), channel: body.channel });
            }
            if body.html.is_some() && body.mjml.is_some() {
                return Err(TemplateRefusal::HtmlAndMjml(locale.clone()));
            }
        }
    }
    Ok(())
}
