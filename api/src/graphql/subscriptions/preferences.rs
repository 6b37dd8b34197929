//! What a recipient's choices come to: for each category and channel the verdict, and the rule that won.

use super::hours::{self, HoursObject};
use crate::graphql::administration::categories_of;
use crate::graphql::context::{services, subject};
use crate::graphql::error::{bus_error, failure, read_error};
use crate::graphql::names::{Channel, rule_name};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::accept::{recipient_stream, subscription_stream};
use domain::category::Category;
use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::subscription::{Subscription, Verdict};
use domain::values::{self, Rule};

/// What the switches say about a category on a channel.
#[derive(SimpleObject)]
pub struct ChannelPreference {
    channel: Channel,
    /// Whether it may go there.
    allowed: bool,
    /// The rule that says so, e.g. `opted_out_of_category_channel`.
    rule: String,
}

/// What the switches say about a category.
#[derive(SimpleObject)]
pub struct CategoryPreference {
    /// The category's key.
    category: String,
    /// Its name, for people.
    name: String,
    /// What it is about, for people.
    description: String,
    /// It cannot be switched off.
    required: bool,
    /// Whether it may go over any of its channels.
    allowed: bool,
    /// The rule that says so; `no_channel` where the channels are off for different reasons.
    rule: String,
    /// Each of its channels.
    channels: Vec<ChannelPreference>,
}

/// What a recipient's choices come to at this moment.
#[derive(SimpleObject)]
pub struct Preferences {
    /// The zone of the recipient's clock; UTC where none is known.
    time_zone: &'static str,
    /// Each category, by key.
    categories: Vec<CategoryPreference>,
    /// Nothing but critical notifications and the history in an app within these hours.
    quiet_hours: Vec<HoursObject>,
    /// Nothing but that outside of these hours, where there are any.
    allowed: Vec<HoursObject>,
    /// Nothing but that until then; none where that has passed.
    do_not_disturb_until: Option<DateTime<Utc>>,
    /// Over these, where the sender leaves the choice.
    preferred_channels: Vec<Channel>,
    /// Whether the recipient is left alone at this moment, and by which rule.
    quiet_by: Option<String>,
    /// Until when, where that is so.
    quiet_until: Option<DateTime<Utc>>,
}

fn of_category(subscription: &Subscription, category: &Category) -> CategoryPreference {
    let verdict = |channel: &values::Channel| match subscription.verdict(&category.key, category, *channel, None) {
        Verdict::Allowed(rule) => (*channel, true, rule),
        Verdict::Forbidden(rule) => (*channel, false, rule),
    };
    let verdicts: Vec<_> = category.default_channels.iter().map(verdict).collect();
    let open = verdicts.iter().find(|(_, allowed, _)| *allowed);
    // The one reason against all channels, where there is one.
    let against = verdicts.first().filter(|first| verdicts.iter().all(|(.., rule)| *rule == first.2));
    let rule = open.or(against).map_or(Rule::NoChannel, |(.., rule)| *rule);
    CategoryPreference {
        category: category.key.to_string(),
        name: category.name.clone(),
        description: category.description.clone(),
        required: category.required,
        allowed: open.is_some(),
        rule: rule_name(rule),
        channels: verdicts.into_iter().map(|(channel, allowed, rule)| ChannelPreference { channel: channel.into(), allowed, rule: rule_name(rule) }).collect(),
    }
}

/// Queries on what choices come to.
#[derive(Default)]
pub struct PreferencesQuery;

#[Object]
impl PreferencesQuery {
    /// What a recipient's choices come to: read from the log itself.
    #[graphql(complexity = "20 + child_complexity")]
    async fn preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your id of the recipient; not needed with a recipient's token.")] recipient: Option<String>,
    ) -> Result<Preferences> {
        let id = subject(ctx, recipient.as_deref())?;
        let services = services(ctx)?;
        let recipient = services.engine.bus.load::<Recipient>(recipient_stream(id)).await.map_err(bus_error)?.state;
        if !recipient.exists {
            return Err(failure("RECIPIENT_NOT_FOUND", "There is no recipient of this id; create it with upsertRecipient."));
        }
        let state = services.engine.bus.load::<Subscription>(subscription_stream(id)).await.map_err(bus_error)?.state;
        let keys = services.directory.search_categories("", None, usize::MAX).await.map_err(read_error)?;
        let categories = categories_of(ctx, &keys).await?;
        let now = services.engine.clock.now();
        let zone = zone_of(&recipient);
        let quiet = domain::policy::deciding::disturbed(&state, zone, now);
        Ok(Preferences {
            time_zone: zone.name(),
            categories: categories.iter().map(|category| of_category(&state, category)).collect(),
            quiet_hours: hours::shown(state.quiet_hours.as_ref()),
            allowed: hours::shown(state.allowed.as_ref()),
            do_not_disturb_until: state.do_not_disturb_until.filter(|until| *until > now).and_then(DateTime::from_timestamp_millis),
            preferred_channels: state.preferred_channels.iter().map(|channel| (*channel).into()).collect(),
            quiet_by: quiet.map(|(_, rule)| rule_name(rule)),
            quiet_until: quiet.and_then(|(until, _)| DateTime::from_timestamp_millis(until)),
        })
    }
}
