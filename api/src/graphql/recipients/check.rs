//! Checks of what senders and apps say about recipients. Nothing invalid enters the log.

use super::mutation::WebPushSubscriptionInput;
use crate::graphql::problem::Refused;
use domain::recipient::AddressDetails;
use domain::values::{Channel, MAX_JSON_LEVELS, PhoneNumber, json_levels};
use workers::providers::web_push::{Keys, KeysRefused};
use workers::providers::webhook::{WebhookPolicy, check_url};

fn plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// An id that a sender uses for a recipient.
pub fn recipient_id(id: &str) -> Result<(), Refused> {
    if (1..=commands::accept::LONGEST_KEY).contains(&id.len()) && plain(id) {
        return Ok(());
    }
    Err(Refused::at("id", "INVALID_ID", "A recipient's id has 1 to 255 bytes without control characters."))
}

/// One e-mail address (RFC 5321): no list, no display name, no control characters.
pub fn email(address: &str) -> Result<(), Refused> {
    let options = email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
    if address.len() <= 254 && plain(address) && email_address::EmailAddress::parse_with_options(address, options).is_ok() {
        return Ok(());
    }
    Err(Refused::at("email", "INVALID_EMAIL", "This is not one e-mail address; give it as name@example.com."))
}

/// A telephone number; gives it in its one spelling.
pub fn phone(number: &str) -> Result<String, Refused> {
    match PhoneNumber::parse(number) {
        Ok(number) => Ok(number.as_str().to_owned()),
        Err(error) => Err(Refused::at("phone", "INVALID_PHONE", sentence(&error))),
    }
}

/// The URL of an incoming webhook of Slack; gives it in its one spelling.
pub fn slack(url: &str, place: &str) -> Result<String, Refused> {
    match workers::providers::slack::check_url(url, place) {
        Ok(url) => Ok(url.into()),
        Err(error) => Err(Refused::at("slack", "INVALID_SLACK_URL", sentence(&error))),
    }
}

/// With a capital and a full stop.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn not_a_device() -> Refused {
    Refused::at("channel", "NOT_A_DEVICE_CHANNEL", "A device is registered on ANDROID_PUSH, IOS_PUSH or WEB_PUSH; set other addresses with upsertRecipient.")
}

/// A device: its token, or its browser's subscription.
pub fn device(
    channel: Channel,
    token: Option<String>,
    subscription: Option<WebPushSubscriptionInput>,
    policy: &WebhookPolicy,
) -> Result<AddressDetails, Refused> {
    match (channel, token, subscription) {
        (Channel::WebPush, None, Some(subscription)) => self::subscription(&subscription, policy),
        (Channel::WebPush, _, _) => Err(Refused::at(
            "subscription",
            "SUBSCRIPTION_NEEDED",
            "A browser is registered by its subscription, without a token; give endpoint, p256dh and auth.",
        )),
        (channel, _, _) if !channel.is_device() => Err(not_a_device()),
        (channel, Some(token), None) => {
            self::token(channel, &token)?;
            Ok(AddressDetails { value: token, secret: None })
        }
        (_, _, _) => {
            Err(Refused::at("token", "TOKEN_NEEDED", "An app is registered by its token, without a subscription; hand on what the push service gave it."))
        }
    }
}

/// A browser's subscription: its endpoint is called as a webhook is, so it may lead where those may.
fn subscription(given: &WebPushSubscriptionInput, policy: &WebhookPolicy) -> Result<AddressDetails, Refused> {
    if given.endpoint.len() > LONGEST_ENDPOINT {
        return Err(Refused::at("subscription.endpoint", "INVALID_URL", format!("An endpoint has at most {LONGEST_ENDPOINT} bytes.")));
    }
    let endpoint = check_url(&given.endpoint, policy).map_err(|refused| Refused::at("subscription.endpoint", refused.code(), refused.to_string()))?;
    let keys = Keys::read(&given.p256dh, &given.auth).map_err(|refused| {
        let field = if refused == KeysRefused::Auth { "subscription.auth" } else { "subscription.p256dh" };
        Refused::at(field, "INVALID_KEY", sentence(&refused))
    })?;
    Ok(AddressDetails { value: endpoint.into(), secret: Some(keys.secret()) })
}

/// Longest endpoint; those of the push services have a few hundred bytes.
const LONGEST_ENDPOINT: usize = 2_048;

/// A device token of the shape that the channel's provider issues.
pub fn token(channel: Channel, token: &str) -> Result<(), Refused> {
    let fits = match channel {
        // APNs: hexadecimal, of variable length since 2016.
        Channel::IosPush => (64..=200).contains(&token.len()) && token.len().is_multiple_of(2) && token.bytes().all(|byte| byte.is_ascii_hexdigit()),
        Channel::AndroidPush => (1..=4_096).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte)),
        _ => return Err(not_a_device()),
    };
    if fits {
        return Ok(());
    }
    Err(Refused::at("token", "INVALID_TOKEN", "This is not a device token of this channel; hand on what the push service gave the app."))
}

/// An IANA time zone.
pub fn time_zone(name: &str) -> Result<(), Refused> {
    if name.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(());
    }
    Err(Refused::at("timeZone", "INVALID_TIME_ZONE", "This is not an IANA time zone; give one such as Asia/Seoul."))
}

/// A BCP 47 language tag, by its shape.
pub fn locale(tag: &str) -> Result<(), Refused> {
    let mut parts = tag.split('-');
    let language = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if tag.len() <= 35 && language && rest {
        return Ok(());
    }
    Err(Refused::at("locale", "INVALID_LOCALE", "This is not a language tag; give one such as ko-KR."))
}

/// A JSON object of bounded size and depth.
pub fn attributes(json: &str) -> Result<(), Refused> {
    if json_levels(json) > MAX_JSON_LEVELS {
        return Err(Refused::at("attributes", "TOO_DEEP", format!("Attributes nest at most {MAX_JSON_LEVELS} levels; make them flatter.")));
    }
    if json.len() <= 16_384 && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json).is_ok() {
        return Ok(());
    }
    Err(Refused::at("attributes", "INVALID_ATTRIBUTES", "Attributes are a JSON object of at most 16 KiB, as text."))
}

/// A webhook's signing secret as Standard Webhooks wants it: `whsec_` and base64 of 24 to 64 bytes.
pub fn webhook_secret(secret: &str) -> Result<(), Refused> {
    use base64::Engine as _;
    let key = secret.strip_prefix("whsec_").and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    if key.is_some_and(|key| (24..=64).contains(&key.len())) {
        return Ok(());
    }
    Err(Refused::at("webhook.secret", "INVALID_SECRET", "A signing secret is `whsec_` followed by the base64 of 24 to 64 random bytes."))
}
