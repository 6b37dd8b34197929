//! Finding templates, and what they were at any time.

use super::object::{TemplateChange, TemplateObject};
use super::results::{ExperimentResults, results};
use super::{Doing, asking, input, may};
use crate::graphql::context::services;
use crate::graphql::error::{bus_error, failure, log_error, read_error};
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::accept::template_stream;
use commands::templates::history;
use domain::template::Template;
use domain::values::TemplateKey;
use projections::templates::Found;

/// Templates on one page.
const PAGE: usize = 50;

/// A template as it is found.
#[derive(SimpleObject)]
pub struct FoundTemplate {
    key: String,
    name: String,
    /// How often it was written.
    revision: i32,
    /// The version that is sent; 0: none yet.
    version: i32,
    /// New requests are refused.
    archived: bool,
    updated_at: Option<DateTime<Utc>>,
    /// For `after`.
    cursor: String,
}

impl From<&Found> for FoundTemplate {
    fn from(found: &Found) -> Self {
        let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            key: found.row.key.to_string(),
            name: found.row.name.clone(),
            revision: count(found.row.revision),
            version: count(found.row.version),
            archived: found.row.archived,
            updated_at: DateTime::from_timestamp_millis(found.row.updated_at),
            cursor: format!("{}:{}", found.rank, found.row.key),
        }
    }
}

fn cursor(text: &str) -> Result<(u8, &str)> {
    let parsed = text.split_once(':').and_then(|(rank, key)| Some((rank.parse().ok()?, key)));
    parsed.ok_or_else(|| failure("BAD_USER_INPUT", "`after` is a cursor that `templates` gave."))
}

/// A template that the caller may look at.
pub async fn visible(ctx: &Context<'_>, key: &TemplateKey) -> Result<Option<std::sync::Arc<Template>>> {
    let state = services(ctx)?.engine.bus.load::<Template>(template_stream(key)).await.map_err(bus_error)?.state;
    Ok(if state.revision > 0 && may(ctx, &state.access, Doing::Look)? { Some(state) } else { None })
}

/// Queries on templates.
#[derive(Default)]
pub struct TemplateQuery;

#[Object]
impl TemplateQuery {
    /// A template: what was written last, and what is sent.
    async fn template(&self, ctx: &Context<'_>, key: String) -> Result<Option<TemplateObject>> {
        asking(ctx)?;
        let Ok(key) = input::key(&key) else { return Ok(None) };
        Ok(visible(ctx, &key).await?.map(|state| state.as_ref().into()))
    }

    /// Templates by key, or, with a search, first those whose key, name or tags have all of its words.
    #[graphql(complexity = "5 + child_complexity")]
    async fn templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Words, or parts of words, that occur in key, name, tags, description or texts, in upper or lower case.")] search: Option<String>,
        #[graphql(desc = "At most so many, up to 50.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
        at_least_position: Option<Position>,
    ) -> Result<Vec<FoundTemplate>> {
        let sender = asking(ctx)?;
        let first = match first.map(usize::try_from) {
            None => PAGE,
            Some(Ok(first)) if (1..=PAGE).contains(&first) => first,
            Some(_) => return Err(failure("BAD_USER_INPUT", "`first` is 1 to 50.")),
        };
        let after = after.as_deref().map(cursor).transpose()?;
        let templates = &services(ctx)?.templates;
        at_least(templates.projection(), at_least_position).await?;
        let found = templates.search(search.as_deref().unwrap_or_default(), sender, after, first).await.map_err(read_error)?;
        Ok(found.iter().map(Into::into).collect())
    }

    /// What came of a template's experiments so far. It may be looked at any time: the comparison allows for that.
    #[graphql(complexity = "10 + child_complexity")]
    async fn experiment_results(&self, ctx: &Context<'_>, key: String, at_least_position: Option<Position>) -> Result<Vec<ExperimentResults>> {
        asking(ctx)?;
        let Ok(key) = input::key(&key) else { return Ok(Vec::new()) };
        if visible(ctx, &key).await?.is_none() {
            return Ok(Vec::new());
        }
        let experiments = &services(ctx)?.experiments;
        at_least(experiments.projection(), at_least_position).await?;
        Ok(results(&experiments.of_template(&key).await.map_err(read_error)?))
    }

    /// Everything that was done to a template, the newest first: who wrote, published and put it away, and when.
    #[graphql(complexity = "10 + child_complexity")]
    async fn template_history(
        &self,
        ctx: &Context<'_>,
        key: String,
        #[graphql(desc = "At most so many, up to 50.")] first: Option<i32>,
    ) -> Result<Vec<TemplateChange>> {
        asking(ctx)?;
        let Ok(key) = input::key(&key) else { return Ok(Vec::new()) };
        if visible(ctx, &key).await?.is_none() {
            return Ok(Vec::new());
        }
        let first = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(PAGE).min(PAGE);
        let changes = history(&services(ctx)?.engine.bus, &key).await.map_err(log_error)?;
        Ok(changes.iter().rev().take(first).map(Into::into).collect())
    }
}
