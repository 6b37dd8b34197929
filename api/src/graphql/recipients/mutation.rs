//! Creating, changing, erasing recipients; devices; tokens.

use super::check;
use super::moving;
use super::object::RecipientObject;
use crate::app::services::Services;
use crate::auth::recipient_token::{DEFAULT_TTL, LONGEST_TTL};
use crate::graphql::context::{for_real, metadata, rehearses, services, staff, subject};
use crate::graphql::error::{bus_error, failure};
use crate::graphql::names::Channel;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::accept::recipient_stream;
use commands::bus::Refused as BusRefused;
use commands::recipients::{self, Registration};
use domain::recipient::{AddressDetails, Profile, ProfileDetails, Recipient, RecipientCommand, RecipientRefusal, RemovalReason};
use domain::values::{self, AddressId};
use workers::providers::webhook::check_url;

/// A URL of the recipient's that takes signed requests.
#[derive(InputObject)]
pub struct WebhookInput {
    url: String,
    /// `whsec_` and base64, shared with the receiver.
    secret: String,
}

/// A browser's subscription, from `PushSubscription.toJSON()`.
#[derive(InputObject)]
pub struct WebPushSubscriptionInput {
    /// `endpoint`.
    pub(super) endpoint: String,
    /// `keys.p256dh`: base64url of 65 bytes.
    #[graphql(name = "p256dh")]
    pub(super) p256dh: String,
    /// `keys.auth`: base64url of 16 bytes.
    pub(super) auth: String,
}

/// A recipient. A field that is left out stays as it is; null removes it.
#[derive(InputObject)]
pub struct UpsertRecipientInput {
    /// Your id of the recipient.
    id: String,
    email: MaybeUndefined<String>,
    /// Telephone number with `+` and country code, for `SMS`, `VOICE` and `KAKAO_TALK`.
    phone: MaybeUndefined<String>,
    /// URL of an incoming webhook of Slack, for `CHAT`.
    slack: MaybeUndefined<String>,
    webhook: MaybeUndefined<WebhookInput>,
    /// IANA time zone.
    time_zone: MaybeUndefined<String>,
    /// BCP 47 language tag.
    locale: MaybeUndefined<String>,
    /// A JSON object, as text.
    attributes: MaybeUndefined<String>,
}

/// A device that can be pushed to.
#[derive(InputObject)]
pub struct RegisterDeviceInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    /// `ANDROID_PUSH`, `IOS_PUSH` or `WEB_PUSH`.
    channel: Channel,
    /// What the push service gave the app; not for `WEB_PUSH`.
    token: Option<String>,
    /// The browser's subscription; for `WEB_PUSH` only.
    subscription: Option<WebPushSubscriptionInput>,
}

/// A device that is not to be pushed to any more.
#[derive(InputObject)]
pub struct RemoveDeviceInput {
    /// Your id of the recipient; not needed with a recipient's token.
    recipient: Option<String>,
    /// The device's id, or its token; of a browser its subscription's endpoint.
    device: String,
}

/// Whom to erase.
#[derive(InputObject)]
pub struct EraseRecipientInput {
    /// Your id of the recipient.
    recipient: String,
}

/// For whom a token is.
#[derive(InputObject)]
pub struct MintRecipientTokenInput {
    /// Your id of the recipient.
    recipient: String,
    /// Life of the token in seconds, at most a day.
    ttl_seconds: Option<i32>,
}

/// Done.
#[derive(SimpleObject)]
pub struct RecipientChanged {
    recipient: RecipientObject,
    /// From here on queries show it.
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum RecipientResult {
    /// Done.
    Changed(RecipientChanged),
    /// Nothing was changed.
    Refused(Refused),
}

/// The person's key is destroyed.
#[derive(SimpleObject)]
pub struct RecipientErased {
    position: Position,
}

/// Erased, or refused with a reason.
#[derive(Union)]
pub enum EraseResult {
    /// Done.
    Erased(RecipientErased),
    /// Nothing was changed.
    Refused(Refused),
}

/// A token for a recipient's client app.
#[derive(SimpleObject)]
pub struct RecipientToken {
    /// Send it as `Authorization: Bearer <token>`.
    token: String,
    expires_at: Option<DateTime<Utc>>,
}

/// Minted, or refused with a reason.
#[derive(Union)]
pub enum MintResult {
    /// Done.
    Minted(RecipientToken),
    /// Nothing was changed.
    Refused(Refused),
}

/// Mutations on recipients.
#[derive(Default)]
pub struct RecipientMutation;

fn changed(result: Result<(Recipient, u64), BusRefused<RecipientRefusal>>) -> Result<RecipientResult> {
    match result {
        Ok((state, position)) => Ok(RecipientResult::Changed(RecipientChanged { recipient: RecipientObject::from(&state), position: Position(position) })),
        // Who may not is told so as everywhere, not by a problem with the input.
        Err(BusRefused::Refusal(refusal @ RecipientRefusal::Rehearsed)) => Err(failure("FORBIDDEN", refusal.to_string())),
        Err(BusRefused::Refusal(refusal)) => Ok(RecipientResult::Refused(refusal.into())),
        Err(error) => Err(bus_error(error)),
    }
}

/// A given value, what was before, or nothing.
fn merged(given: MaybeUndefined<String>, before: Option<String>) -> Option<String> {
    match given {
        MaybeUndefined::Undefined => before,
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(value) => Some(value),
    }
}

/// What an upsert says of an address: another one, none, or nothing.
fn stated<T>(given: MaybeUndefined<T>, details: impl FnOnce(T) -> AddressDetails) -> MaybeUndefined<AddressDetails> {
    match given {
        MaybeUndefined::Value(value) => MaybeUndefined::Value(details(value)),
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
    }
}

/// What an upsert says of the one address of each channel that has one.
fn addresses(input: &mut UpsertRecipientInput) -> [(values::Channel, MaybeUndefined<AddressDetails>); 6] {
    use values::Channel as C;
    let plain = |value| AddressDetails { value, secret: None };
    let phone = std::mem::take(&mut input.phone);
    let webhook = stated(std::mem::take(&mut input.webhook), |webhook| AddressDetails { value: webhook.url, secret: Some(webhook.secret) });
    [
        (C::Email, stated(std::mem::take(&mut input.email), plain)),
        (C::Webhook, webhook),
        (C::Sms, stated(phone.clone(), plain)),
        (C::Voice, stated(phone.clone(), plain)),
        (C::KakaoTalk, stated(phone, plain)),
        (C::Chat, stated(std::mem::take(&mut input.slack), plain)),
    ]
}

/// Checks it, and gives what is written in many ways its one spelling.
fn check_input(input: &mut UpsertRecipientInput, services: &Services) -> Result<(), Refused> {
    check::recipient_id(&input.id)?;
    if let MaybeUndefined::Value(email) = &input.email {
        check::email(email)?;
    }
    if let MaybeUndefined::Value(phone) = &mut input.phone {
        *phone = check::phone(phone)?;
    }
    if let MaybeUndefined::Value(slack) = &mut input.slack {
        *slack = check::slack(slack, &services.slack)?;
    }
    if let MaybeUndefined::Value(webhook) = &input.webhook {
        check_url(&webhook.url, &services.webhook_policy).map_err(|refused| Refused::at("webhook.url", refused.code(), refused.to_string()))?;
        check::webhook_secret(&webhook.secret)?;
    }
    if let MaybeUndefined::Value(zone) = &input.time_zone {
        check::time_zone(zone)?;
    }
    if let MaybeUndefined::Value(locale) = &input.locale {
        check::locale(locale)?;
    }
    if let MaybeUndefined::Value(attributes) = &input.attributes {
        check::attributes(attributes)?;
    }
    Ok(())
}

#[Object]
impl RecipientMutation {
    /// Creates a recipient, or changes it. A sandbox key only adds what is not there yet.
    async fn upsert_recipient(&self, ctx: &Context<'_>, mut input: UpsertRecipientInput) -> Result<RecipientResult> {
        staff(ctx)?;
        let services = services(ctx)?;
        let engine = &services.engine;
        if let Err(refused) = check_input(&mut input, services) {
            return Ok(RecipientResult::Refused(refused));
        }
        let id = engine.hashing.recipient(&input.id);
        let before = engine.bus.load::<Recipient>(recipient_stream(id)).await.map_err(bus_error)?;
        let zone_given = !input.time_zone.is_undefined();
        let addresses = addresses(&mut input);
        let attributes = merged(input.attributes, before.state.details.known().and_then(|details| details.attributes.clone()));
        let profile = Profile {
            time_zone: merged(input.time_zone, before.state.time_zone.clone()),
            locale: merged(input.locale, before.state.locale.clone()),
            details: ProfileDetails { external_id: input.id, attributes },
        };
        let now = engine.clock.now();
        let mut commands = vec![RecipientCommand::ChangeProfile { id, profile }];
        for (channel, given) in addresses {
            match given {
                MaybeUndefined::Value(details) => {
                    let address = engine.hashing.address(channel, &details.value);
                    commands.push(RecipientCommand::ChangeAddress { channel, address, details, now });
                }
                MaybeUndefined::Null => commands.push(RecipientCommand::RemoveAddress { channel, reason: RemovalReason::Requested }),
                MaybeUndefined::Undefined => {}
            }
        }
        if rehearses(ctx)? {
            commands = commands.into_iter().map(|command| RecipientCommand::Rehearse(Box::new(command))).collect();
        }
        let metadata = metadata(ctx)?;
        let done = engine.bus.execute_all::<Recipient>(recipient_stream(id), &metadata, commands).await;
        let Ok(mut done) = done else { return changed(done.map(|done| (done.state, done.position))) };
        if zone_given {
            let moved = (done.state.time_zone != before.state.time_zone).then_some(done.position);
            done.position = done.position.max(moving::follow(services, &metadata, id, &done.state, moved).await?.unwrap_or_default());
        }
        changed(Ok((done.state, done.position)))
    }

    /// Registers a device; one that another recipient had moves over. A sandbox key only registers
    /// the first of a channel, and none that another recipient has.
    async fn register_device(&self, ctx: &Context<'_>, input: RegisterDeviceInput) -> Result<RecipientResult> {
        let recipient = subject(ctx, input.recipient.as_deref())?;
        let services = services(ctx)?;
        let engine = &services.engine;
        let channel: values::Channel = input.channel.into();
        let details = match check::device(channel, input.token, input.subscription, &services.webhook_policy) {
            Ok(details) => details,
            Err(refused) => return Ok(RecipientResult::Refused(refused)),
        };
        let address = engine.hashing.address(channel, &details.value);
        let registration = Registration { recipient, channel, address, details, now: engine.clock.now(), rehearsal: rehearses(ctx)? };
        changed(recipients::register_device(&engine.bus, &metadata(ctx)?, registration).await)
    }

    /// Removes a device. Once this is answered, no call for it begins any more.
    async fn remove_device(&self, ctx: &Context<'_>, input: RemoveDeviceInput) -> Result<RecipientResult> {
        for_real(ctx)?;
        let recipient = subject(ctx, input.recipient.as_deref())?;
        let engine = &services(ctx)?.engine;
        let named: Option<AddressId> = input.device.parse().ok();
        let candidates = match named {
            Some(id) => vec![id],
            None => {
                let devices = values::Channel::ALL.into_iter().filter(|channel| channel.is_device());
                devices.map(|channel| engine.hashing.address(channel, &input.device)).collect()
            }
        };
        let loaded = engine.bus.load::<Recipient>(recipient_stream(recipient)).await.map_err(bus_error)?;
        let address = candidates.iter().find(|id| loaded.state.address(**id).is_some()).or(candidates.first()).copied().unwrap_or_default();
        let done = recipients::remove_device(&engine.bus, &metadata(ctx)?, recipient, address, RemovalReason::Requested, None).await;
        engine.barrier.settled(recipient).await;
        changed(done)
    }

    /// Erases a person: destroys the key that everything personal about them is sealed with.
    async fn erase_recipient(&self, ctx: &Context<'_>, input: EraseRecipientInput) -> Result<EraseResult> {
        staff(ctx)?;
        for_real(ctx)?;
        let engine = &services(ctx)?.engine;
        let recipient = engine.hashing.recipient(&input.recipient);
        match recipients::erase(&engine.bus, &engine.keys, &metadata(ctx)?, recipient).await {
            Ok(position) => {
                engine.barrier.settled(recipient).await;
                Ok(EraseResult::Erased(RecipientErased { position: Position(position) }))
            }
            Err(BusRefused::Refusal(refusal)) => Ok(EraseResult::Refused(refusal.into())),
            Err(error) => Err(bus_error(error)),
        }
    }

    /// Mints a short-lived token for a recipient's client app.
    async fn mint_recipient_token(&self, ctx: &Context<'_>, input: MintRecipientTokenInput) -> Result<MintResult> {
        staff(ctx)?;
        for_real(ctx)?;
        let services = services(ctx)?;
        let engine = &services.engine;
        let ttl = input.ttl_seconds.map_or(DEFAULT_TTL, i64::from);
        if !(1..=LONGEST_TTL).contains(&ttl) {
            return Ok(MintResult::Refused(Refused::at("ttlSeconds", "INVALID_TTL", "A token lives between one second and a day.")));
        }
        let recipient = engine.hashing.recipient(&input.recipient);
        let loaded = engine.bus.load::<Recipient>(recipient_stream(recipient)).await.map_err(bus_error)?;
        if !loaded.state.exists || loaded.state.erased {
            return Ok(MintResult::Refused(RecipientRefusal::NotFound.into()));
        }
        let now = engine.clock.now();
        let token = services.tokens.mint(recipient, ttl, now).ok_or_else(|| failure("INTERNAL", "The token could not be signed."))?;
        Ok(MintResult::Minted(RecipientToken { token, expires_at: DateTime::from_timestamp_millis(now + ttl * 1_000) }))
    }
}
