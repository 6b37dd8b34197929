//! Templates as authors and senders hand them in.

use crate::graphql::names::Channel;
use crate::graphql::problem::Refused;
use async_graphql::{Enum, InputObject, Json};
use domain::template::{self, Access, Body, Experiment, Localized, Parameter, ParameterRefusal, Source, Variant};
use domain::values::{Content, Locale, SenderKey, TemplateKey};
use serde_json::Value;

/// What a template is for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "template::TemplateKind")]
pub enum TemplateKind {
    /// Notifications are made from it.
    Message,
    /// Others extend it: `{% extends "key" %}`.
    Layout,
    /// Others include it: `{% include "key" %}`.
    Partial,
}

/// The type of a parameter.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "template::ParameterType")]
pub enum ParameterType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A day, `2026-11-22`.
    Date,
    /// A moment: RFC 3339, or milliseconds since the epoch.
    DateTime,
    /// An absolute URL: `https:`, `http:`, `mailto:` or `tel:`.
    Url,
    /// A list of anything.
    List,
    /// A map of anything.
    Object,
}

/// A value that senders give.
#[derive(InputObject)]
pub struct ParameterInput {
    /// Its name in bodies: a letter, then letters, digits and `_`.
    name: String,
    /// Its type.
    #[graphql(name = "type")]
    kind: ParameterType,
    /// What it is, for who writes senders.
    #[graphql(default)]
    description: String,
    /// Whether a request without it is refused.
    #[graphql(default = false)]
    required: bool,
    /// What it is where a request does not give it.
    default: Option<Json<Value>>,
    /// What it is in previews, and when the template is tried.
    example: Option<Json<Value>>,
}

/// What is told over one channel, or over all that have no body of their own.
#[derive(InputObject)]
pub struct TemplateBodyInput {
    /// The channel; leave out for all that have no body of their own.
    channel: Option<Channel>,
    /// Title of a push, subject of an e-mail.
    title: Option<String>,
    /// The text; of an e-mail with HTML it may be left out and is made from that.
    text: Option<String>,
    /// HTML of an e-mail; not with `mjml`.
    html: Option<String>,
    /// MJML of an e-mail, from which its HTML is made.
    mjml: Option<String>,
    /// What mail programs show beside the subject.
    preheader: Option<String>,
    /// A JSON object for the app, as text, with expressions in the places of values.
    data: Option<String>,
}

/// Everything in one language.
#[derive(InputObject)]
pub struct TemplateLocaleInput {
    /// The language, such as `ko` or `pt-BR`.
    locale: String,
    /// At most one for each channel, and one for all others.
    bodies: Vec<TemplateBodyInput>,
}

/// Other words that are tried.
#[derive(InputObject)]
pub struct TemplateVariantInput {
    /// Its name.
    name: String,
    /// How many get it, in proportion to the other weights.
    weight: i32,
    /// What it says otherwise: bodies in place of those of the same language and channel.
    locales: Vec<TemplateLocaleInput>,
}

/// What is tried. Everybody keeps the variant that they got first, as long as the experiment has its name.
#[derive(InputObject)]
pub struct TemplateExperimentInput {
    /// Its name.
    name: String,
    /// How many get the template as it is.
    control_weight: i32,
    /// At most ten.
    variants: Vec<TemplateVariantInput>,
}

/// All that an author writes.
#[derive(InputObject)]
pub struct TemplateSourceInput {
    /// Its name, for people.
    name: String,
    /// What it is for, for people.
    #[graphql(default)]
    description: String,
    /// Words to find it by.
    #[graphql(default)]
    tags: Vec<String>,
    /// What it is for.
    #[graphql(default_with = "TemplateKind::Message")]
    kind: TemplateKind,
    /// The language of those whose own it does not have.
    #[graphql(default = "en")]
    default_locale: String,
    /// What senders give.
    #[graphql(default)]
    parameters: Vec<ParameterInput>,
    /// What is told, in each language.
    locales: Vec<TemplateLocaleInput>,
    /// Other words that are tried.
    experiment: Option<TemplateExperimentInput>,
}

/// A template to be, or to be written anew.
#[derive(InputObject)]
pub struct SaveTemplateInput {
    /// Its key, e.g. `order-shipped`: never changed.
    pub key: String,
    /// All of it.
    pub source: TemplateSourceInput,
    /// The revision that you saw: who has written meanwhile is not overwritten.
    pub expected_revision: Option<i32>,
}

/// Which senders may do what with a template, besides administrators, who may everything.
#[derive(InputObject)]
pub struct TemplateAccessInput {
    /// Senders that may write drafts.
    #[graphql(default)]
    editors: Vec<String>,
    /// Senders that may publish, roll back and archive.
    #[graphql(default)]
    publishers: Vec<String>,
    /// Senders that may send it; leave empty for all.
    #[graphql(default)]
    users: Vec<String>,
}

/// A template and its parameters, in place of the content itself.
#[derive(InputObject)]
pub struct TemplateContentInput {
    /// The template's key. Its version that is current when the request is accepted counts.
    key: String,
    /// Its parameters, as it declares them.
    parameters: Option<Json<Value>>,
    /// Later notifications with this key replace earlier ones on the device.
    collapse_key: Option<String>,
}

/// A template's key.
pub fn key(text: &str) -> Result<TemplateKey, Refused> {
    TemplateKey::new(text).map_err(|error| Refused::at("key", "INVALID_KEY", error.to_string()))
}

fn locale(text: &str) -> Result<Locale, Refused> {
    Locale::new(text).map_err(|error| Refused::at("locale", "INVALID_LOCALE", error.to_string()))
}

/// The content of a notification that is made from a template.
pub fn from_template(input: TemplateContentInput, metadata: Option<String>) -> Result<Content, Refused> {
    let template = TemplateKey::new(&input.key).map_err(|error| Refused::at("template.key", "TEMPLATE_NOT_FOUND", error.to_string()))?;
    let parameters = match input.parameters {
        None => "{}".to_owned(),
        Some(Json(Value::Object(given))) => Value::Object(given).to_string(),
        Some(_) => return Err(Refused::at("template.parameters", "TEMPLATE_PARAMETERS", ParameterRefusal::NotAnObject.to_string())),
    };
    Ok(Content { template: Some(template), parameters: Some(parameters), collapse_key: input.collapse_key, metadata, ..Content::default() })
}

fn localized(input: TemplateLocaleInput) -> Result<Localized, Refused> {
    let body = |body: TemplateBodyInput| Body {
        channel: body.channel.map(Into::into),
        title: body.title,
        text: body.text,
        html: body.html,
        mjml: body.mjml,
        preheader: body.preheader,
        data: body.data,
    };
    Ok(Localized { locale: locale(&input.locale)?, bodies: input.bodies.into_iter().map(body).collect() })
}

fn experiment(input: TemplateExperimentInput) -> Result<Experiment, Refused> {
    let weight = |given: i32| u32::try_from(given).map_err(|_| Refused::at("source.experiment", "INVALID_EXPERIMENT", "A weight is a number from 0."));
    let variant = |input: TemplateVariantInput| -> Result<Variant, Refused> {
        let locales = input.locales.into_iter().map(localized).collect::<Result<_, _>>()?;
        Ok(Variant { name: input.name, weight: weight(input.weight)?, locales })
    };
    let variants = input.variants.into_iter().map(variant).collect::<Result<_, _>>()?;
    Ok(Experiment { name: input.name, control_weight: weight(input.control_weight)?, variants })
}

impl TemplateSourceInput {
    /// As the domain wants it.
    pub fn read(self) -> Result<Source, Refused> {
        let parameter = |input: ParameterInput| Parameter {
            name: input.name,
            kind: input.kind.into(),
            description: input.description,
            required: input.required,
            default: input.default.map(|Json(value)| value),
            example: input.example.map(|Json(value)| value),
        };
        Ok(Source {
            name: self.name,
            description: self.description,
            tags: self.tags,
            kind: self.kind.into(),
            default_locale: locale(&self.default_locale)?,
            parameters: self.parameters.into_iter().map(parameter).collect(),
            locales: self.locales.into_iter().map(localized).collect::<Result<_, _>>()?,
            experiment: self.experiment.map(experiment).transpose()?,
        })
    }
}

impl TemplateAccessInput {
    /// As the domain wants it.
    pub fn read(self) -> Result<Access, Refused> {
        let senders = |keys: Vec<String>| -> Result<Vec<SenderKey>, Refused> {
            keys.iter().map(|key| SenderKey::new(key).map_err(|error| Refused::at("access", "INVALID_KEY", error.to_string()))).collect()
        };
        Ok(Access { editors: senders(self.editors)?, publishers: senders(self.publishers)?, users: senders(self.users)? })
    }
}
