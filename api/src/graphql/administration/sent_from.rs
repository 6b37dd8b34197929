//! Whom messages come from, as administrators write and read it.
//!
//! Guarantee: what no provider may send from is refused when it is written, and not found out when a message
//! has gone out from another address. What a provider may send from can change later; the worker asks again.

use crate::graphql::problem::Refused;
use async_graphql::{InputObject, SimpleObject};
use domain::policy::sent_from::is_allowed;
use domain::values::{Channel, MailAuthor, SentFrom};
use std::collections::HashMap;

/// The author of e-mails.
#[derive(InputObject, Debug, Clone)]
pub struct MailAuthorInput {
    /// The address, such as `orders@example.com`.
    address: String,
    /// The name that is shown in its place.
    name: Option<String>,
}

/// Whom messages come from. A channel that is left out is as configured for its provider. A category's word goes
/// before a sender's.
#[derive(InputObject, Debug, Clone)]
pub struct SentFromInput {
    /// E-mails.
    email: Option<MailAuthorInput>,
    /// Text messages: a number such as `+821023456789`, a short code, or up to eleven letters and digits.
    sms: Option<String>,
    /// Calls: a number such as `+821023456789`.
    voice: Option<String>,
}

impl From<SentFromInput> for SentFrom {
    fn from(input: SentFromInput) -> Self {
        let email = input.email.map(|MailAuthorInput { address, name }| MailAuthor { address, name });
        Self { email, sms: input.sms, voice: input.voice }
    }
}

/// The author of e-mails.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "MailAuthor")]
pub struct MailAuthorObject {
    /// The address.
    address: String,
    /// The name that is shown in its place.
    name: Option<String>,
}

/// Whom messages come from; what is null is as configured for the provider.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "SentFrom")]
pub struct SentFromObject {
    /// E-mails.
    email: Option<MailAuthorObject>,
    /// Text messages.
    sms: Option<String>,
    /// Calls.
    voice: Option<String>,
}

impl From<&SentFrom> for SentFromObject {
    fn from(from: &SentFrom) -> Self {
        let email = from.email.clone().map(|MailAuthor { address, name }| MailAuthorObject { address, name });
        Self { email, sms: from.sms.clone(), voice: from.voice.clone() }
    }
}

/// The refusal where one is of the right form and no provider of its channel may send from it.
pub fn not_allowed(from: &SentFrom, also_from: &HashMap<&'static str, (Channel, Vec<String>)>) -> Option<Refused> {
    from.check().ok()?;
    Channel::ALL.into_iter().find_map(|channel| {
        let from = from.over(channel)?;
        let allowed = also_from.values().any(|(of, list)| *of == channel && is_allowed(&from, list));
        (!allowed).then(|| {
            Refused::at(
                "from",
                "FROM_NOT_ALLOWED",
                format!("no provider of {channel} may send from {from}; whoever runs the server allows it by also_from in the provider's settings"),
            )
        })
    })
}
