//! Hours of the week, do not disturb, preferred channels.

use super::hours::{self, HoursInput};
use super::mutation::{change, changed_by, existing};
use super::object::SubscriptionResult;
use crate::graphql::context::{for_real, services};
use crate::graphql::names::Channel;
use crate::graphql::problem::Refused;
use async_graphql::{Context, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::subscription::{Source, SubscriptionCommand};

/// When somebody wants to be left alone. What was set before is replaced by both.
#[derive(InputObject)]
pub struct SetQuietHoursInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    /// Not within these.
    quiet_hours: Option<Vec<HoursInput>>,
    /// Only within these.
    allowed: Option<Vec<HoursInput>>,
}

/// Whose hours.
#[derive(InputObject)]
pub struct ClearQuietHoursInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
}

/// How long somebody wants to be left alone.
#[derive(InputObject)]
pub struct SetDoNotDisturbInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    /// Until when, at most 366 days; leave it out to be disturbed again.
    until: Option<DateTime<Utc>>,
}

/// Over which channels somebody would rather hear of things.
#[derive(InputObject)]
pub struct SetPreferredChannelsInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    /// The channels; none for no preference.
    channels: Vec<Channel>,
}

/// Mutations on what is no switch.
#[derive(Default)]
pub struct SettingsMutation;

#[Object]
impl SettingsMutation {
    /// Sets quiet hours and allowed hours, by the clock of the recipient's time zone. Once it is
    /// answered, no call that they forbid begins any more.
    async fn set_quiet_hours(&self, ctx: &Context<'_>, input: SetQuietHoursInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        if input.quiet_hours.is_none() && input.allowed.is_none() {
            return Ok(SubscriptionResult::Refused(Refused::at(
                "quietHours",
                "HOURS_INVALID",
                "Give `quietHours`, `allowed` or both; `clearQuietHours` takes both away.",
            )));
        }
        let read = |field, windows: Option<Vec<HoursInput>>| windows.map(|windows| hours::read(field, windows)).transpose();
        let known = existing(ctx, input.recipient.as_deref()).await?;
        match (read("quietHours", input.quiet_hours), read("allowed", input.allowed), known) {
            (Ok(quiet_hours), Ok(allowed), Ok((recipient, _))) => {
                let command = SubscriptionCommand::SetQuietHours { quiet_hours, allowed, by: changed_by(ctx)?, source: Source::Api };
                change(ctx, recipient, command, true).await
            }
            (Err(refused), ..) | (_, Err(refused), _) | (.., Err(refused)) => Ok(SubscriptionResult::Refused(refused)),
        }
    }

    /// Takes quiet hours and allowed hours away.
    async fn clear_quiet_hours(&self, ctx: &Context<'_>, input: ClearQuietHoursInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        let recipient = match existing(ctx, input.recipient.as_deref()).await? {
            Ok((recipient, _)) => recipient,
            Err(refused) => return Ok(SubscriptionResult::Refused(refused)),
        };
        let command = SubscriptionCommand::SetQuietHours { quiet_hours: None, allowed: None, by: changed_by(ctx)?, source: Source::Api };
        change(ctx, recipient, command, false).await
    }

    /// Leaves somebody alone until a moment, or not any more. Once it is answered, no call that it
    /// forbids begins any more.
    async fn set_do_not_disturb(&self, ctx: &Context<'_>, input: SetDoNotDisturbInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        let recipient = match existing(ctx, input.recipient.as_deref()).await? {
            Ok((recipient, _)) => recipient,
            Err(refused) => return Ok(SubscriptionResult::Refused(refused)),
        };
        let (until, now) = (input.until.map(|until| until.timestamp_millis()), services(ctx)?.engine.clock.now());
        let command = SubscriptionCommand::SetDoNotDisturb { until, now, by: changed_by(ctx)?, source: Source::Api };
        change(ctx, recipient, command, until.is_some()).await
    }

    /// Prefers some channels where a sender leaves the choice.
    async fn set_preferred_channels(&self, ctx: &Context<'_>, input: SetPreferredChannelsInput) -> Result<SubscriptionResult> {
        for_real(ctx)?;
        let recipient = match existing(ctx, input.recipient.as_deref()).await? {
            Ok((recipient, _)) => recipient,
            Err(refused) => return Ok(SubscriptionResult::Refused(refused)),
        };
        let channels = input.channels.into_iter().map(Into::into).collect();
        let command = SubscriptionCommand::SetPreferredChannels { channels, by: changed_by(ctx)?, source: Source::Api };
        change(ctx, recipient, command, false).await
    }
}
