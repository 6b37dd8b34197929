//! What a template would say, without sending anything and without a trace in the log.

use super::asking;
use super::input::{TemplateSourceInput, key};
use super::mutation::{not_published, refused};
use super::object::TemplateFinding;
use super::query::visible;
use crate::graphql::context::{administrator, services};
use crate::graphql::error::log_error;
use crate::graphql::names::Channel;
use crate::graphql::problem::Refused;
use async_graphql::{Context, InputObject, Json, Object, Result, SimpleObject, Union};
use commands::templates::{Finding, placeholders};
use domain::calendar::TimeZone;
use domain::rendering::{Audience, Parts, Rendered, compile};
use domain::template::{CONTROL, Source, TemplateRefusal};
use domain::values::Locale;
use serde_json::{Map, Value};

/// What is to be shown.
#[derive(InputObject)]
pub struct PreviewTemplateInput {
    /// A template's key; or give `source`.
    key: Option<String>,
    /// A template that is not saved; for administrators.
    source: Option<TemplateSourceInput>,
    /// A version that was published; leave out for what was written last.
    version: Option<i32>,
    /// A variant of its experiment; leave out for what it says without one.
    variant: Option<String>,
    /// Over which channel.
    channel: Channel,
    /// In which language; leave out for the template's default.
    locale: Option<String>,
    /// The IANA zone in which moments are shown; leave out for UTC.
    time_zone: Option<String>,
    /// The parameters; leave out for the examples.
    parameters: Option<Json<Value>>,
}

/// What it says.
#[derive(SimpleObject)]
pub struct TemplatePreview {
    /// The language that was taken.
    locale: String,
    title: Option<String>,
    text: String,
    html: Option<String>,
    data: Option<String>,
    /// Bytes of the HTML; mail programs cut off after 102 KB.
    html_bytes: Option<i32>,
    /// What its author should know.
    warnings: Vec<TemplateFinding>,
}

/// It cannot be shown.
#[derive(SimpleObject)]
pub struct TemplatePreviewFailed {
    /// Why, each with its place.
    problems: Vec<TemplateFinding>,
}

/// What it says, or why it says nothing.
#[derive(Union)]
pub enum TemplatePreviewResult {
    /// What it says.
    Preview(TemplatePreview),
    /// It cannot be rendered.
    Failed(TemplatePreviewFailed),
    /// The question is wrong.
    Refused(Refused),
}

/// Who reads it.
pub struct Reader {
    channel: domain::values::Channel,
    locale: Locale,
    zone: TimeZone,
    parameters: Map<String, Value>,
}

fn failed(problems: &[Finding]) -> TemplatePreviewResult {
    TemplatePreviewResult::Failed(TemplatePreviewFailed { problems: problems.iter().map(Into::into).collect() })
}

/// The source that is meant.
async fn source(
    ctx: &Context<'_>,
    key_text: Option<&str>,
    given: Option<TemplateSourceInput>,
    version: Option<i32>,
) -> Result<std::result::Result<Source, Refused>> {
    let not_found = || refused(&TemplateRefusal::NotFound);
    match (key_text, given) {
        (None, Some(source)) => {
            administrator(ctx)?;
            Ok(source.read())
        }
        (Some(text), None) => {
            asking(ctx)?;
            let key = match key(text) {
                Ok(key) => key,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(state) = visible(ctx, &key).await? else { return Ok(Err(not_found())) };
            let Some(version) = version else { return Ok(state.draft.clone().ok_or_else(not_found)) };
            let number = u32::try_from(version).unwrap_or(0);
            let found = commands::templates::version(&services(ctx)?.engine.bus, &key, number).await.map_err(log_error)?;
            Ok(found.map(|version| version.source).ok_or_else(|| refused(&TemplateRefusal::NoSuchVersion(number))))
        }
        _ => Ok(Err(Refused::at("key", "BAD_USER_INPUT", "Give `key` or `source`, one of them."))),
    }
}

impl Reader {
    /// Who reads a template over a channel; what is not given is as the template has it, or UTC.
    pub fn new(
        channel: Channel,
        locale: Option<&str>,
        zone: Option<&str>,
        parameters: Option<&Json<Value>>,
        source: &Source,
    ) -> std::result::Result<Self, Refused> {
        let locale = locale.map(Locale::new).transpose();
        let zone = zone.map(TimeZone::new).transpose();
        let parameters = match parameters {
            None => source.examples(),
            Some(Json(Value::Object(given))) => given.clone(),
            Some(_) => return Err(Refused::at("parameters", "TEMPLATE_PARAMETERS", "Parameters are a JSON object.")),
        };
        domain::template::check_parameters(&source.parameters, &parameters)
            .map_err(|error| Refused::at("parameters", "TEMPLATE_PARAMETERS", error.to_string()))?;
        Ok(Self {
            channel: channel.into(),
            locale: locale.map_err(|error| Refused::at("locale", "INVALID_LOCALE", error.to_string()))?.unwrap_or_else(|| source.default_locale.clone()),
            zone: zone.map_err(|error| Refused::at("timeZone", "INVALID_TIME_ZONE", error.to_string()))?.unwrap_or_default(),
            parameters,
        })
    }
}

/// Compiling takes milliseconds, which belong to no worker of the runtime.
pub async fn rendered(source: Source, parts: Parts, reader: Reader) -> std::result::Result<Rendered, Vec<Finding>> {
    let done = tokio::task::spawn_blocking(move || {
        let compiled = compile(&source, &parts).map_err(|problems| problems.iter().map(Finding::from).collect::<Vec<_>>())?;
        let audience = Audience { channel: reader.channel, locale: &reader.locale, zone: reader.zone, variant: None, links: placeholders(true) };
        compiled.render(&audience, &reader.parameters).map_err(|error| vec![Finding::of(error.code(), error.to_string())])
    });
    done.await.unwrap_or_else(|_| Err(vec![Finding::of("TEMPLATE_FAILED", "rendering ended unexpectedly")]))
}

/// Previews of templates.
#[derive(Default)]
pub struct TemplatePreviewQuery;

#[Object]
impl TemplatePreviewQuery {
    /// What a template says over a channel in a language, with its examples or with parameters of yours. It is tried
    /// first, as it is when it is published, and tells what its author should know.
    #[graphql(complexity = "50 + child_complexity")]
    async fn preview_template(&self, ctx: &Context<'_>, mut input: PreviewTemplateInput) -> Result<TemplatePreviewResult> {
        let source = match source(ctx, input.key.as_deref(), input.source.take(), input.version).await? {
            Ok(source) => source,
            Err(refused) => return Ok(TemplatePreviewResult::Refused(refused)),
        };
        let reader = Reader::new(input.channel, input.locale.as_deref(), input.time_zone.as_deref(), input.parameters.as_ref(), &source);
        let reader = match reader {
            Ok(reader) => reader,
            Err(refused) => return Ok(TemplatePreviewResult::Refused(refused)),
        };
        let (resolved, examined) = match services(ctx)?.engine.publisher.examine(&source).await {
            Ok(examined) => examined,
            Err(why) => {
                return Ok(match not_published(why)? {
                    Ok(problems) => failed(&problems),
                    Err(refused) => TemplatePreviewResult::Refused(refused),
                });
            }
        };
        if !examined.problems.is_empty() {
            return Ok(failed(&examined.problems));
        }
        let Some(source) = source.as_variant(input.variant.as_deref().unwrap_or(CONTROL)) else {
            return Ok(TemplatePreviewResult::Refused(refused(&TemplateRefusal::NoSuchVariant)));
        };
        Ok(match rendered(source, resolved.parts, reader).await {
            Ok(told) => TemplatePreviewResult::Preview(TemplatePreview {
                locale: told.locale.to_string(),
                html_bytes: told.html.as_ref().and_then(|html| i32::try_from(html.len()).ok()),
                title: told.title,
                text: told.text,
                html: told.html,
                data: told.data,
                warnings: examined.warnings.iter().map(Into::into).collect(),
            }),
            Err(problems) => failed(&problems),
        })
    }
}
