//! What a schedule is to be, as senders write it.

use crate::graphql::context::SenderScope;
use crate::graphql::names::{Channel, Priority};
use crate::graphql::problem::Refused;
use crate::graphql::sending::{ContentInput, category_in, told};
use crate::graphql::templates::TemplateContentInput;
use async_graphql::{ID, InputObject, OneofObject};
use chrono::{DateTime, Utc};
use domain::calendar::{CalendarError, Cron, LocalDateTime, TimeZone};
use domain::schedule::{Terms, Trigger};
use domain::values::{Content, TopicKey};

/// Again and again, by a wall clock.
#[derive(InputObject)]
pub struct CronInput {
    /// Minute, hour, day of month, month, day of week: `30 9 * * MON-FRI`.
    expression: String,
    /// Of this IANA time zone; leave out for the recipient's, wherever they are then.
    time_zone: Option<String>,
}

/// When a schedule fires.
#[derive(OneofObject)]
pub enum TriggerInput {
    /// Once, at a moment.
    At(DateTime<Utc>),
    /// Once, when the recipient's clock shows a date and time, such as `2027-03-28T09:00`.
    LocalTime(String),
    /// Again and again.
    Cron(CronInput),
}

/// What a schedule asks for each time that it fires, and when.
#[derive(InputObject)]
pub struct ScheduleTermsInput {
    /// When it fires.
    trigger: TriggerInput,
    /// Key of the category.
    #[graphql(default = "general")]
    category: String,
    /// Over which channels; leave out for the category's.
    channels: Option<Vec<Channel>>,
    /// How urgent; leave out for the category's.
    priority: Option<Priority>,
    /// What it is about, for those who switch topics off.
    topic: Option<String>,
    /// What to tell; or give `template`.
    content: Option<ContentInput>,
    /// The template that says it, and its parameters. Its version that is current when it fires counts.
    template: Option<TemplateContentInput>,
    /// Your own notes as a JSON object; returned in queries, never delivered.
    metadata: Option<String>,
    /// Not before this moment.
    starts: Option<DateTime<Utc>>,
    /// Not after this moment.
    ends: Option<DateTime<Utc>>,
    /// An occurrence that is late by more than this, after an outage or a pause, is missed: up to seven days.
    #[graphql(default = 3600)]
    catch_up_seconds: i32,
}

/// A schedule to be.
#[derive(InputObject)]
pub struct CreateScheduleInput {
    /// Your id of the recipient.
    pub recipient: String,
    /// Makes repeats harmless: the same key is one schedule.
    pub idempotency_key: Option<String>,
    /// What and when.
    pub terms: ScheduleTermsInput,
}

/// What a schedule is to be from now on.
#[derive(InputObject)]
pub struct ChangeScheduleInput {
    /// The schedule.
    pub id: ID,
    /// What and when, all of it.
    pub terms: ScheduleTermsInput,
}

/// Which schedule.
#[derive(InputObject)]
pub struct ScheduleIdInput {
    /// The schedule.
    pub id: ID,
}

fn trigger(input: TriggerInput) -> Result<Trigger, Refused> {
    Ok(match input {
        TriggerInput::At(at) => Trigger::Once { at: at.timestamp_millis() },
        TriggerInput::LocalTime(text) => {
            Trigger::OnceLocal { at: LocalDateTime::new(&text).map_err(|error| Refused::at("terms.trigger.localTime", "TIME_INVALID", error.to_string()))? }
        }
        TriggerInput::Cron(CronInput { expression, time_zone }) => {
            let cron = Cron::new(&expression).map_err(|error| {
                let code = if matches!(error, CalendarError::CronNeverFires { .. }) { "NEVER_FIRES" } else { "CRON_INVALID" };
                Refused::at("terms.trigger.cron.expression", code, error.to_string())
            })?;
            let zone = time_zone.map(|name| TimeZone::new(&name)).transpose();
            let zone = zone.map_err(|error| Refused::at("terms.trigger.cron.timeZone", "INVALID_TIME_ZONE", error.to_string()))?;
            Trigger::Recurring { cron, zone }
        }
    })
}

impl ScheduleTermsInput {
    /// As the domain wants it, and what is to be told.
    pub fn read(self, scope: &SenderScope<'_>) -> Result<(Terms, Content), Refused> {
        let category = category_in(&self.category, scope)?;
        let content = told(self.content, self.template, self.metadata)?;
        content.check().map_err(|error| Refused::from(commands::accept::Refusal::Content(error)))?;
        let topic = self.topic.map(|key| TopicKey::new(&key)).transpose();
        let terms = Terms {
            sender: scope.sender.clone(),
            category,
            channels: self.channels.map(|channels| channels.into_iter().map(Into::into).collect()),
            priority: self.priority.map(Into::into),
            topic: topic.map_err(|error| Refused::at("topic", "TOPIC_INVALID", error.to_string()))?,
            trigger: trigger(self.trigger)?,
            starts: self.starts.map(|at| at.timestamp_millis()),
            ends: self.ends.map(|at| at.timestamp_millis()),
            catch_up: i64::from(self.catch_up_seconds) * 1_000,
            sandbox: scope.sandbox,
        };
        Ok((terms, content))
    }
}
