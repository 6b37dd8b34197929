//! Categories.

use crate::graphql::context::{administrator, metadata, principal, services};
use crate::graphql::error::{bus_error, read_error};
use crate::graphql::names::{Channel, Priority};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use commands::accept::category_stream;
use commands::bus::Refused as BusRefused;
use domain::category::{Category, CategoryRefusal, DefineCategory};
use domain::values::{self, CategoryKey};

/// A category to be.
#[derive(InputObject)]
pub struct DefineCategoryInput {
    /// Its key, e.g. `orders`: never changed.
    key: String,
    /// Its name, for people.
    name: String,
    /// What it is about, for people.
    #[graphql(default)]
    description: String,
    /// Security or legal: cannot be switched off.
    #[graphql(default = false)]
    required: bool,
    /// The channels of a request that names none; leave out for all.
    default_channels: Option<Vec<Channel>>,
    /// The priority of a request that names none.
    #[graphql(default_with = "Priority::Normal")]
    priority: Priority,
}

/// A kind of notification that a person can switch off.
#[derive(SimpleObject)]
#[graphql(name = "Category")]
pub struct CategoryObject {
    key: String,
    name: String,
    description: String,
    required: bool,
    default_channels: Vec<Channel>,
    priority: Priority,
}

/// Done.
#[derive(SimpleObject)]
pub struct CategoryChanged {
    category: CategoryObject,
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum CategoryResult {
    /// Done.
    Changed(CategoryChanged),
    /// Nothing was changed.
    Refused(Refused),
}

fn object(key: &CategoryKey, name: String, description: String, required: bool, channels: &[values::Channel], priority: values::Priority) -> CategoryObject {
    CategoryObject {
        key: key.to_string(),
        name,
        description,
        required,
        default_channels: channels.iter().map(|channel| (*channel).into()).collect(),
        priority: priority.into(),
    }
}

/// Mutations on categories.
#[derive(Default)]
pub struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Defines a category, or defines it anew.
    async fn define_category(&self, ctx: &Context<'_>, input: DefineCategoryInput) -> Result<CategoryResult> {
        administrator(ctx)?;
        let key = match CategoryKey::new(&input.key) {
            Ok(key) => key,
            Err(error) => return Ok(CategoryResult::Refused(Refused::at("key", "INVALID_KEY", error.to_string()))),
        };
        let channels = input.default_channels.map_or_else(|| values::Channel::ALL.to_vec(), |channels| channels.into_iter().map(Into::into).collect());
        let define = DefineCategory::plain(key.clone(), input.name, input.description, input.required, channels, input.priority.into());
        match services(ctx)?.engine.bus.execute::<Category>(category_stream(&key), &metadata(ctx)?, define).await {
            Ok(done) => {
                let state = done.state;
                let category = object(&state.key, state.name, state.description, state.required, &state.default_channels, state.priority);
                Ok(CategoryResult::Changed(CategoryChanged { category, position: Position(done.position) }))
            }
            Err(BusRefused::Refusal(refusal)) => {
                let field = if refusal == CategoryRefusal::NoChannels { "defaultChannels" } else { "name" };
                Ok(CategoryResult::Refused(Refused::at(field, "INVALID_CATEGORY", refusal.to_string())))
            }
            Err(error) => Err(bus_error(error)),
        }
    }
}

/// Queries on categories.
#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// All categories, by key; for preference screens too.
    async fn categories(&self, ctx: &Context<'_>, at_least_position: Option<Position>) -> Result<Vec<CategoryObject>> {
        principal(ctx)?;
        let directory = &services(ctx)?.directory;
        at_least(directory.projection(), at_least_position).await?;
        let rows = directory.categories().await.map_err(read_error)?;
        Ok(rows.into_iter().map(|row| object(&row.key, row.name, row.description, row.required, &row.default_channels, row.priority)).collect())
    }
}
