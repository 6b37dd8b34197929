//! Writing, publishing and putting away templates.

use super::input::{self, SaveTemplateInput, TemplateAccessInput};
use super::object::{TemplateFinding, TemplateObject};
use super::{Doing, may};
use crate::graphql::context::{administrator, for_real, metadata, services};
use crate::graphql::error::{bus_error, failure, log_error};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, Object, Result, SimpleObject, Union};
use commands::accept::template_stream;
use commands::bus::{Done, Refused as BusRefused};
use commands::templates::{Finding, NotPublished, Published};
use domain::template::{Template, TemplateCommand, TemplateRefusal};
use domain::values::TemplateKey;

/// Done.
#[derive(SimpleObject)]
pub struct TemplateChanged {
    template: TemplateObject,
    /// What its author should know.
    warnings: Vec<TemplateFinding>,
    /// From here on queries show it.
    position: Position,
}

/// It has mistakes; nothing was changed.
#[derive(SimpleObject)]
pub struct TemplateInvalid {
    /// Each with its place.
    problems: Vec<TemplateFinding>,
}

impl From<Vec<Finding>> for TemplateInvalid {
    fn from(problems: Vec<Finding>) -> Self {
        Self { problems: problems.iter().map(Into::into).collect() }
    }
}

/// Done, or refused with a reason.
#[derive(Union)]
#[allow(clippy::large_enum_variant, reason = "one of them a request, and it is nearly always the large one")]
pub enum TemplateResult {
    /// Done.
    Changed(TemplateChanged),
    /// It has mistakes; nothing was changed.
    Invalid(TemplateInvalid),
    /// Nothing was changed.
    Refused(Refused),
}

/// A refusal with its code.
pub fn refused(refusal: &TemplateRefusal) -> Refused {
    let (field, code) = match refusal {
        TemplateRefusal::NotFound => ("key", "NOT_FOUND"),
        TemplateRefusal::Text => ("source.name", "INVALID_TEMPLATE"),
        TemplateRefusal::TooLarge { .. } => ("source", "TOO_LARGE"),
        TemplateRefusal::TooManyRevisions => ("key", "TOO_MANY_REVISIONS"),
        TemplateRefusal::LocaleTwice(_) | TemplateRefusal::NoDefaultLocale(_) => ("source.locales", "INVALID_LOCALES"),
        TemplateRefusal::BodyTwice { .. } | TemplateRefusal::EmptyBody { .. } | TemplateRefusal::HtmlAndMjml(_) => ("source.locales", "INVALID_BODIES"),
        TemplateRefusal::ParameterName | TemplateRefusal::ParameterTwice(_) | TemplateRefusal::ParameterValue { .. } => {
            ("source.parameters", "INVALID_PARAMETERS")
        }
        TemplateRefusal::Experiment => ("source.experiment", "INVALID_EXPERIMENT"),
        TemplateRefusal::NoSuchVariant => ("variant", "NOT_FOUND"),
        TemplateRefusal::KindChanged => ("source.kind", "KIND_CHANGED"),
        TemplateRefusal::Stale { .. } => ("revision", "STALE"),
        TemplateRefusal::NothingNew { .. } => ("key", "NOTHING_NEW"),
        TemplateRefusal::NoSuchVersion(_) => ("version", "NOT_FOUND"),
        TemplateRefusal::Archived => ("key", "TEMPLATE_ARCHIVED"),
        TemplateRefusal::Note => ("note", "INVALID_NOTE"),
    };
    Refused::at(field, code, refusal.to_string())
}

/// Why nothing was published, as an answer or an error.
pub fn not_published(why: NotPublished) -> Result<std::result::Result<Vec<Finding>, Refused>> {
    match why {
        NotPublished::Problems(problems) => Ok(Ok(problems)),
        NotPublished::Untried(error @ commands::templates::ExaminerError::TooMuch) => Ok(Ok(vec![Finding::of("TEMPLATE_LIMIT", error.to_string())])),
        NotPublished::Untried(error) => Err(failure("UNAVAILABLE", error.to_string())),
        NotPublished::Refused(refusal) => Ok(Err(refused(&refusal))),
        NotPublished::Log(error) => Err(log_error(error)),
        NotPublished::Contended => Ok(Err(Refused::new("CONTENDED", "This template is being changed by others; try again."))),
    }
}

fn changed(done: &Done<Template>, warnings: &[Finding]) -> TemplateResult {
    TemplateResult::Changed(TemplateChanged {
        template: (&done.state).into(),
        warnings: warnings.iter().map(Into::into).collect(),
        position: Position(done.position),
    })
}

fn answered(done: std::result::Result<Published, NotPublished>) -> Result<TemplateResult> {
    match done {
        Ok(published) => Ok(changed(&published.done, &published.warnings)),
        Err(why) => Ok(match not_published(why)? {
            Ok(problems) => TemplateResult::Invalid(problems.into()),
            Err(refused) => TemplateResult::Refused(refused),
        }),
    }
}

/// The key of a template with which the caller may do this. What it may not know of does not exist; what it
/// may only look at is forbidden.
async fn mine(ctx: &Context<'_>, text: &str, doing: Doing) -> Result<std::result::Result<TemplateKey, Refused>> {
    for_real(ctx)?;
    let key = match input::key(text) {
        Ok(key) => key,
        Err(refused) => return Ok(Err(refused)),
    };
    let engine = &services(ctx)?.engine;
    let state = engine.bus.load::<Template>(template_stream(&key)).await.map_err(bus_error)?.state;
    if may(ctx, &state.access, doing)? {
        return Ok(Ok(key));
    }
    if state.revision == 0 || !may(ctx, &state.access, Doing::Look)? {
        return Ok(Err(refused(&TemplateRefusal::NotFound)));
    }
    Ok(Err(Refused::at("key", "FORBIDDEN", "This sender may not do this with this template; ask an administrator.")))
}

async fn execute(ctx: &Context<'_>, key: &TemplateKey, command: TemplateCommand) -> Result<TemplateResult> {
    match services(ctx)?.engine.bus.execute::<Template>(template_stream(key), &metadata(ctx)?, command).await {
        Ok(done) => Ok(changed(&done, &[])),
        Err(BusRefused::Refusal(refusal)) => Ok(TemplateResult::Refused(refused(&refusal))),
        Err(error) => Err(bus_error(error)),
    }
}

fn number(given: i32, field: &'static str) -> std::result::Result<u32, Refused> {
    u32::try_from(given).map_err(|_| Refused::at(field, "BAD_USER_INPUT", format!("`{field}` is a number from 0.")))
}

/// Mutations on templates.
#[derive(Default)]
pub struct TemplateMutation;

#[Object]
impl TemplateMutation {
    /// Writes a draft: all of a template. Nobody is sent it before it is published.
    async fn save_template(&self, ctx: &Context<'_>, input: SaveTemplateInput) -> Result<TemplateResult> {
        let key = match mine(ctx, &input.key, Doing::Write).await? {
            Ok(key) => key,
            Err(refused) => return Ok(TemplateResult::Refused(refused)),
        };
        let expected = input.expected_revision.map(|given| number(given, "expectedRevision")).transpose();
        match (input.source.read(), expected) {
            (Ok(source), Ok(expected)) => execute(ctx, &key, TemplateCommand::Draft { key: key.clone(), source: Box::new(source), expected }).await,
            (Err(refused), _) | (_, Err(refused)) => Ok(TemplateResult::Refused(refused)),
        }
    }

    /// Publishes what was written last, on the layouts and partials that are current now, after all of its examples
    /// were rendered.
    async fn publish_template(
        &self,
        ctx: &Context<'_>,
        key: String,
        #[graphql(desc = "The revision that you saw; leave it out for whatever was written last.")] revision: Option<i32>,
        #[graphql(desc = "Why, for the history.")] note: Option<String>,
    ) -> Result<TemplateResult> {
        let key = match mine(ctx, &key, Doing::Publish).await? {
            Ok(key) => key,
            Err(refused) => return Ok(TemplateResult::Refused(refused)),
        };
        let revision = match revision.map(|given| number(given, "revision")).transpose() {
            Ok(revision) => revision,
            Err(refused) => return Ok(TemplateResult::Refused(refused)),
        };
        answered(services(ctx)?.engine.publisher.publish(&key, revision, note, &metadata(ctx)?).await)
    }

    /// Publishes an older version again, as a new one.
    async fn roll_back_template(&self, ctx: &Context<'_>, key: String, to_version: i32, note: Option<String>) -> Result<TemplateResult> {
        let key = match mine(ctx, &key, Doing::Publish).await? {
            Ok(key) => key,
            Err(refused) => return Ok(TemplateResult::Refused(refused)),
        };
        match number(to_version, "toVersion") {
            Ok(to) => answered(services(ctx)?.engine.publisher.roll_back(&key, to, note, &metadata(ctx)?).await),
            Err(refused) => Ok(TemplateResult::Refused(refused)),
        }
    }

    /// Ends the experiment that is out: what the winner says is published as what the template says.
    async fn promote_variant(
        &self,
        ctx: &Context<'_>,
        key: String,
        #[graphql(desc = "The variant's name, or `control`.")] variant: String,
        note: Option<String>,
    ) -> Result<TemplateResult> {
        match mine(ctx, &key, Doing::Publish).await? {
            Ok(key) => answered(services(ctx)?.engine.publisher.promote(&key, &variant, note, &metadata(ctx)?).await),
            Err(refused) => Ok(TemplateResult::Refused(refused)),
        }
    }

    /// Refuses new requests for it; what was accepted is sent.
    async fn archive_template(&self, ctx: &Context<'_>, key: String) -> Result<TemplateResult> {
        match mine(ctx, &key, Doing::Publish).await? {
            Ok(key) => execute(ctx, &key, TemplateCommand::Archive).await,
            Err(refused) => Ok(TemplateResult::Refused(refused)),
        }
    }

    /// Takes requests for it again.
    async fn unarchive_template(&self, ctx: &Context<'_>, key: String) -> Result<TemplateResult> {
        match mine(ctx, &key, Doing::Publish).await? {
            Ok(key) => execute(ctx, &key, TemplateCommand::Unarchive).await,
            Err(refused) => Ok(TemplateResult::Refused(refused)),
        }
    }

    /// Says which senders may do what with it.
    async fn set_template_access(&self, ctx: &Context<'_>, key: String, access: TemplateAccessInput) -> Result<TemplateResult> {
        administrator(ctx)?;
        match (mine(ctx, &key, Doing::Publish).await?, access.read()) {
            (Ok(key), Ok(access)) => execute(ctx, &key, TemplateCommand::SetAccess(access)).await,
            (Err(refused), _) | (_, Err(refused)) => Ok(TemplateResult::Refused(refused)),
        }
    }
}
