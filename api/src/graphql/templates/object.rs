//! Templates as everybody sees them.

use super::input::{ParameterType, TemplateKind};
use crate::graphql::names::Channel;
use async_graphql::{Json, SimpleObject};
use chrono::{DateTime, Utc};
use commands::templates::{Change, Finding, Happened};
use domain::template::{Access, Body, Parameter, Source, Template};
use domain::values::Millis;
use serde_json::Value;

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn moment(at: Millis) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

/// A value that senders give.
#[derive(SimpleObject)]
#[graphql(name = "TemplateParameter")]
pub struct ParameterObject {
    name: String,
    #[graphql(name = "type")]
    kind: ParameterType,
    description: String,
    /// A request without it is refused.
    required: bool,
    default: Option<Json<Value>>,
    example: Option<Json<Value>>,
}

/// What is told over one channel, or over all that have no body of their own.
#[derive(SimpleObject)]
#[graphql(name = "TemplateBody")]
pub struct BodyObject {
    /// Absent: all that have no body of their own.
    channel: Option<Channel>,
    title: Option<String>,
    text: Option<String>,
    html: Option<String>,
    mjml: Option<String>,
    preheader: Option<String>,
    data: Option<String>,
}

/// Everything in one language.
#[derive(SimpleObject)]
#[graphql(name = "TemplateLocale")]
pub struct LocaleObject {
    locale: String,
    bodies: Vec<BodyObject>,
}

/// What a template does not have in a language; it falls back to the default one.
#[derive(SimpleObject)]
pub struct MissingTranslation {
    locale: String,
    /// Absent: the body for all other channels.
    channel: Option<Channel>,
    field: String,
}

/// Other words that are tried.
#[derive(SimpleObject)]
#[graphql(name = "TemplateVariant")]
pub struct VariantObject {
    name: String,
    /// How many get it, in proportion to the other weights.
    weight: i32,
    /// What it says otherwise.
    locales: Vec<LocaleObject>,
}

/// What is tried.
#[derive(SimpleObject)]
#[graphql(name = "TemplateExperiment")]
pub struct ExperimentObject {
    name: String,
    /// How many get the template as it is.
    control_weight: i32,
    variants: Vec<VariantObject>,
}

/// All that an author wrote.
#[derive(SimpleObject)]
#[graphql(name = "TemplateSource")]
pub struct SourceObject {
    name: String,
    description: String,
    tags: Vec<String>,
    kind: TemplateKind,
    default_locale: String,
    parameters: Vec<ParameterObject>,
    locales: Vec<LocaleObject>,
    /// Other words that are tried.
    experiment: Option<ExperimentObject>,
    /// What the default language has and others lack.
    missing_translations: Vec<MissingTranslation>,
}

impl From<&Parameter> for ParameterObject {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            kind: parameter.kind.into(),
            description: parameter.description.clone(),
            required: parameter.required,
            default: parameter.default.clone().map(Json),
            example: parameter.example.clone().map(Json),
        }
    }
}

impl From<&Body> for BodyObject {
    fn from(body: &Body) -> Self {
        let Body { channel, title, text, html, mjml, preheader, data } = body.clone();
        Self { channel: channel.map(Into::into), title, text, html, mjml, preheader, data }
    }
}

impl From<&Source> for SourceObject {
    fn from(source: &Source) -> Self {
        let locale = |localized: &domain::template::Localized| LocaleObject {
            locale: localized.locale.to_string(),
            bodies: localized.bodies.iter().map(Into::into).collect(),
        };
        let missing = domain::rendering::missing(source).into_iter();
        Self {
            name: source.name.clone(),
            description: source.description.clone(),
            tags: source.tags.clone(),
            kind: source.kind.into(),
            default_locale: source.default_locale.to_string(),
            parameters: source.parameters.iter().map(Into::into).collect(),
            locales: source.locales.iter().map(locale).collect(),
            experiment: source.experiment.as_ref().map(|experiment| ExperimentObject {
                name: experiment.name.clone(),
                control_weight: count(experiment.control_weight),
                variants: experiment
                    .variants
                    .iter()
                    .map(|variant| VariantObject {
                        name: variant.name.clone(),
                        weight: count(variant.weight),
                        locales: variant.locales.iter().map(locale).collect(),
                    })
                    .collect(),
            }),
            missing_translations: missing
                .map(|(locale, channel, field)| MissingTranslation {
                    locale: locale.to_string(),
                    channel: channel.map(Into::into),
                    field: field.name().to_owned(),
                })
                .collect(),
        }
    }
}

/// Which senders may do what with a template, besides administrators.
#[derive(SimpleObject)]
#[graphql(name = "TemplateAccess")]
pub struct AccessObject {
    editors: Vec<String>,
    publishers: Vec<String>,
    /// Empty: all.
    users: Vec<String>,
}

impl From<&Access> for AccessObject {
    fn from(access: &Access) -> Self {
        let keys = |senders: &[domain::values::SenderKey]| senders.iter().map(ToString::to_string).collect();
        Self { editors: keys(&access.editors), publishers: keys(&access.publishers), users: keys(&access.users) }
    }
}

/// A layout or partial in the version that a template rests on.
#[derive(SimpleObject)]
pub struct PinnedPart {
    key: String,
    version: i32,
}

fn pins(pins: &domain::template::Pins) -> Vec<PinnedPart> {
    pins.iter().map(|(key, version)| PinnedPart { key: key.to_string(), version: count(*version) }).collect()
}

/// Texts with parameters, in languages, for channels.
#[derive(SimpleObject)]
#[graphql(name = "Template")]
pub struct TemplateObject {
    /// Its key.
    key: String,
    /// How often it was written.
    revision: i32,
    /// What was written last.
    draft: Option<SourceObject>,
    /// The version that is sent; 0: none yet.
    version: i32,
    /// Which of the drafts it is.
    published_revision: Option<i32>,
    /// What is sent.
    published: Option<SourceObject>,
    /// What it rests on.
    pins: Vec<PinnedPart>,
    /// New requests are refused.
    archived: bool,
    access: AccessObject,
}

impl From<&Template> for TemplateObject {
    fn from(state: &Template) -> Self {
        let current = state.current.as_ref();
        Self {
            key: state.key.to_string(),
            revision: count(state.revision),
            draft: state.draft.as_ref().map(Into::into),
            version: count(state.version()),
            published_revision: current.map(|current| count(current.revision)),
            published: current.map(|current| (&current.source).into()),
            pins: current.map(|current| pins(&current.pins)).unwrap_or_default(),
            archived: state.archived,
            access: (&state.access).into(),
        }
    }
}

/// What was done to a template, by whom and when.
#[derive(SimpleObject)]
pub struct TemplateChange {
    at: Option<DateTime<Utc>>,
    /// Who: `administrator:<key>` or `sender:<sender>:<key>`.
    by: String,
    /// `drafted`, `published`, `archived`, `unarchived` or `access_set`.
    what: &'static str,
    /// How often it had been written then.
    revision: Option<i32>,
    /// The version that was published.
    version: Option<i32>,
    /// The older version that it says again.
    restores: Option<i32>,
    /// Why, in the publisher's words.
    note: Option<String>,
    /// What it rests on.
    pins: Vec<PinnedPart>,
    /// What was written.
    source: Option<SourceObject>,
}

impl From<&Change> for TemplateChange {
    fn from(change: &Change) -> Self {
        let plain = |what| Self {
            at: moment(change.at),
            by: change.by.clone(),
            what,
            revision: None,
            version: None,
            restores: None,
            note: None,
            pins: Vec::new(),
            source: None,
        };
        match &change.what {
            Happened::Drafted { revision, source } => Self { revision: Some(count(*revision)), source: Some(source.as_ref().into()), ..plain("drafted") },
            Happened::Published { version, revision, pins: on, restores, note } => Self {
                revision: Some(count(*revision)),
                version: Some(count(*version)),
                restores: restores.map(count),
                note: note.clone(),
                pins: pins(on),
                ..plain("published")
            },
            Happened::Archived => plain("archived"),
            Happened::Unarchived => plain("unarchived"),
            Happened::AccessSet(_) => plain("access_set"),
        }
    }
}

/// A mistake in a template, or what else its author should know, and where it lies.
#[derive(SimpleObject)]
pub struct TemplateFinding {
    /// Stable.
    code: String,
    message: String,
    /// What to do instead.
    hint: Option<String>,
    /// The variant of an experiment that it is about.
    variant: Option<String>,
    locale: Option<String>,
    /// Absent: the body for all other channels, or the whole template.
    channel: Option<Channel>,
    field: Option<String>,
    /// The layout or partial in which it lies.
    part: Option<String>,
    /// From 1.
    line: Option<i32>,
    /// In characters, from 1.
    column: Option<i32>,
}

impl From<&Finding> for TemplateFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            variant: finding.variant.clone(),
            locale: finding.locale.as_ref().map(ToString::to_string),
            channel: finding.channel.map(Into::into),
            field: finding.field.clone(),
            part: finding.part.as_ref().map(ToString::to_string),
            line: finding.line.map(count),
            column: finding.column.map(count),
        }
    }
}
