//! Categories.
//!
//! The read model finds them; what they say is read from the log, so that a page shows what the next
//! request is decided under. Copying the rules into the read model was rejected: a second home of them.

mod object;
mod rules;

use super::sent_from::{SentFromInput, not_allowed};
use crate::graphql::context::{administrator, metadata, principal, services};
use crate::graphql::error::{bus_error, failure, log_error, read_error};
use crate::graphql::names::{Channel, Priority};
use crate::graphql::plan::{self, PlanInput};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use commands::accept::{Unusable, category_stream, template_stream};
use commands::bus::Refused as BusRefused;
use commands::due::says_summaries;
use domain::Fact;
use domain::aggregate::Aggregate as _;
use domain::category::{Category, CategoryRefusal, DefineCategory};
use domain::template::Template;
use domain::values::{self, CategoryKey};
use object::CategoryObject;
use rules::{DigestInput, LimitInput, OverLimit, QuietBehaviour, TrackingInput};
use std::collections::HashMap;

/// A category to be. Whatever is left out is at its default, also when it is defined anew.
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
    /// The channels of a request that names none. Leave it out for `IN_APP`, `ANDROID_PUSH`, `IOS_PUSH`,
    /// `EMAIL` and `WEBHOOK`; the others go out only where they are named.
    default_channels: Option<Vec<Channel>>,
    /// The priority of a request that names none.
    #[graphql(default_with = "Priority::Normal")]
    priority: Priority,
    /// Whether it reaches who has said nothing about it (opt-out), or those only who asked for it (opt-in).
    #[graphql(default = true)]
    subscribed_by_default: bool,
    /// The channel plan of a request that names neither plan nor channels.
    plan: Option<PlanInput>,
    /// For so long the same content is not told twice to the same recipient: up to seven days.
    dedup_window_seconds: Option<i32>,
    /// How many of it a recipient may get; at most five limits.
    #[graphql(default)]
    limits: Vec<LimitInput>,
    /// What becomes of those over a limit.
    #[graphql(default_with = "OverLimit::Hold")]
    over_limit: OverLimit,
    /// What becomes of those in quiet hours.
    #[graphql(default_with = "QuietBehaviour::Defer")]
    quiet_hours: QuietBehaviour,
    /// How digests are made: of what is over a limit with `overLimit: DIGEST`, else of everything.
    digest: Option<DigestInput>,
    /// For so long it is worth sending, where a request does not say: up to 366 days.
    time_to_live_seconds: Option<i32>,
    /// Whether what becomes of its e-mails is watched: off, unless it is asked for here.
    tracking: Option<TrackingInput>,
    /// Whom its messages come from, where that is neither as its sender says nor as configured for the provider.
    from: Option<SentFromInput>,
}

impl DefineCategoryInput {
    fn command(self) -> Result<DefineCategory, Refused> {
        let key = CategoryKey::new(&self.key).map_err(|error| Refused::at("key", "INVALID_KEY", error.to_string()))?;
        let channels = self.default_channels.map_or_else(|| values::Channel::UNNAMED.to_vec(), |channels| channels.into_iter().map(Into::into).collect());
        let millis = |seconds: i32| i64::from(seconds) * 1_000;
        Ok(DefineCategory {
            subscribed_by_default: self.subscribed_by_default,
            plan: self.plan.map(Into::into),
            dedup_window: self.dedup_window_seconds.map(millis),
            limits: self.limits.into_iter().map(Into::into).collect(),
            over_limit: self.over_limit.into(),
            quiet_hours: self.quiet_hours.into(),
            digest: self.digest.map(DigestInput::settings).transpose()?,
            time_to_live: self.time_to_live_seconds.map(millis),
            tracking: self.tracking.map(Into::into).unwrap_or_default(),
            from: self.from.map(Into::into).unwrap_or_default(),
            ..DefineCategory::plain(key, self.name, self.description, self.required, channels, self.priority.into())
        })
    }
}

/// Done.
#[derive(SimpleObject)]
pub struct CategoryChanged {
    category: CategoryObject,
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
#[allow(clippy::large_enum_variant, reason = "one of them a request, and it is nearly always the large one")]
pub enum CategoryResult {
    /// Done.
    Changed(CategoryChanged),
    /// Nothing was changed.
    Refused(Refused),
}

fn refused(refusal: CategoryRefusal) -> Refused {
    let (field, code) = match refusal {
        CategoryRefusal::Text => ("name", "INVALID_CATEGORY"),
        CategoryRefusal::NoChannels => ("defaultChannels", "INVALID_CATEGORY"),
        CategoryRefusal::RequiredOptIn => ("subscribedByDefault", "REQUIRED_CATEGORY"),
        CategoryRefusal::Plan(error) => return plan::refused(error),
        CategoryRefusal::Limit(_) => ("limits", "LIMIT_INVALID"),
        CategoryRefusal::Digest(_) => ("digest", "DIGEST_INVALID"),
        CategoryRefusal::NoDigest => ("digest", "DIGEST_MISSING"),
        CategoryRefusal::DedupWindow => ("dedupWindowSeconds", "DEDUP_WINDOW_INVALID"),
        CategoryRefusal::From(_) => ("from", "FROM_INVALID"),
        CategoryRefusal::TimeToLive => ("timeToLiveSeconds", "TIME_TO_LIVE_INVALID"),
    };
    Refused::at(field, code, refusal.to_string())
}

/// Why the template that it names could not say the summary of a digest.
async fn no_summary(ctx: &Context<'_>, define: &DefineCategory) -> Result<Option<Refused>> {
    let Some(key) = define.digest.as_ref().and_then(|digest| digest.template.as_ref()) else { return Ok(None) };
    let template = services(ctx)?.engine.bus.load::<Template>(template_stream(key)).await.map_err(bus_error)?.state;
    Ok(says_summaries(&template).err().map(|unusable| {
        let message = match &unusable {
            Unusable::Unknown => format!("there is no template {key}; write and publish it first"),
            Unusable::Parameters(refusal) => format!("{refusal}; a digest gives `count`, `items`, `more` and `category`, so let all others have defaults"),
            _ => unusable.to_string(),
        };
        Refused::at("digest.template", unusable.code(), message)
    }))
}

/// Mutations on categories.
#[derive(Default)]
pub struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Defines a category, or defines it anew: a new version for what is accepted from then on.
    async fn define_category(&self, ctx: &Context<'_>, input: DefineCategoryInput) -> Result<CategoryResult> {
        administrator(ctx)?;
        let define = match input.command() {
            Ok(define) => define,
            Err(refused) => return Ok(CategoryResult::Refused(refused)),
        };
        if let Some(refused) = not_allowed(&define.from, &services(ctx)?.also_from) {
            return Ok(CategoryResult::Refused(refused));
        }
        if let Some(refused) = no_summary(ctx, &define).await? {
            return Ok(CategoryResult::Refused(refused));
        }
        match services(ctx)?.engine.bus.execute::<Category>(category_stream(&define.key), &metadata(ctx)?, define).await {
            Ok(done) => Ok(CategoryResult::Changed(CategoryChanged { category: (&done.state).into(), position: Position(done.position) })),
            Err(BusRefused::Refusal(refusal)) => Ok(CategoryResult::Refused(refused(refusal))),
            Err(error) => Err(bus_error(error)),
        }
    }
}

/// Categories of these keys as they stand in the log, in the order of the keys given.
pub async fn categories_of(ctx: &Context<'_>, keys: &[CategoryKey]) -> Result<Vec<Category>> {
    let streams = keys.iter().map(category_stream).collect();
    let mut states: HashMap<domain::StreamId, Category> = HashMap::new();
    for event in services(ctx)?.engine.log.bare_streams(streams, false).await.map_err(log_error)? {
        if let Fact::Category(fact) = &event.fact {
            states.entry(event.stream).or_default().evolve(fact);
        }
    }
    Ok(keys.iter().filter_map(|key| states.remove(&category_stream(key))).collect())
}

/// Queries on categories.
#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// Categories by key; for preference screens too. Without arguments all of them.
    #[graphql(complexity = "5 + child_complexity")]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those with this text in key, name or description, in upper or lower case.")] search: Option<String>,
        #[graphql(desc = "At most so many.")] first: Option<i32>,
        #[graphql(desc = "The key of the last one seen; those after it follow.")] after: Option<String>,
        at_least_position: Option<Position>,
    ) -> Result<Vec<CategoryObject>> {
        principal(ctx)?;
        let first = match first.map(usize::try_from) {
            None => usize::MAX,
            Some(Ok(first)) if first > 0 => first,
            Some(_) => return Err(failure("BAD_USER_INPUT", "`first` is at least 1; leave it out for all.")),
        };
        let directory = &services(ctx)?.directory;
        at_least(directory.projection(), at_least_position).await?;
        let keys = directory.search_categories(search.as_deref().unwrap_or_default(), after.as_deref(), first).await.map_err(read_error)?;
        Ok(categories_of(ctx, &keys).await?.iter().map(Into::into).collect())
    }
}
