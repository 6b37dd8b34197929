//! What providers tell us on their own account: receipts of deliveries, and replies of people.
//!
//! A provider that calls back has a reader: pure, from the request as it came to what it says. Where a request proves
//! nothing, it says only what to ask the provider for. It
//! checks who speaks before it looks at what is said. Guarantee: nothing is believed that is not signed
//! as that provider signs, with the installation's own secret.

use super::Message;
use domain::address::ReplyWord;
use domain::notification::Receipt;
use domain::values::{Channel, DeliveryNo, Millis, NotificationId};
use reqwest::header::HeaderMap;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use url::Url;

/// A request at `/callbacks/{provider}`, as it came.
#[derive(Debug)]
pub struct CallbackRequest<'a> {
    /// What follows the `?`, undecoded; empty where there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, undecoded.
    pub body: &'a [u8],
    /// The time (ms since the epoch).
    pub now: Millis,
}

impl CallbackRequest<'_> {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The fields of the query; of one that comes twice, the last.
    pub fn query_fields(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

/// One thing that a provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// What became of a delivery.
    Receipt {
        /// Of this notification.
        notification: NotificationId,
        /// See there.
        receipt: Receipt,
    },
    /// Something became of a message; what, the request does not prove, and the provider has to be asked.
    Named {
        /// The provider's id for it.
        id: String,
    },
    /// Somebody answered.
    Reply {
        /// The channel that the address belongs to.
        channel: Channel,
        /// The address that answered.
        from: String,
        /// What it comes to.
        word: ReplyWord,
        /// The provider's id for the answer.
        id: String,
    },
}

/// What was named could not be asked of the provider now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider cannot be asked for what it reports")]
pub struct Unconfirmed;

/// The answer to what was named.
pub type Confirming<'a> = Pin<Box<dyn Future<Output = Result<Vec<Told>, Unconfirmed>> + Send + 'a>>;

/// Why a callback is not believed or not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// Not signed, or not by the provider, or too long ago.
    #[error("the signature is missing, wrong or too old; check the secret in the provider's section of the configuration, and links.base_url")]
    Signature,
    /// Signed, and not of the form that the provider documents.
    #[error("the request is not of the form that the provider documents")]
    Form,
}

/// Reads one provider's callbacks.
pub trait Callbacks: Send + Sync + 'static {
    /// The provider's configured name: the last part of the path.
    fn name(&self) -> &'static str;
    /// What a request says; nothing, where it says what nobody needs to know.
    ///
    /// # Errors
    /// It is not believed, or not understood.
    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused>;

    /// What the provider says when it is asked for what was [`Told::Named`]; nothing, where requests are proven.
    fn confirm(&self, _named: Vec<String>) -> Confirming<'_> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// Our own ids, as they travel with a message and come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OurIds {
    /// The notification.
    pub notification: NotificationId,
    /// The delivery within it.
    pub delivery: DeliveryNo,
    /// The attempt.
    pub attempt: Option<u32>,
}

impl OurIds {
    /// Of what is sent.
    pub(crate) const fn of(message: &Message) -> Self {
        Self { notification: message.notification, delivery: message.delivery, attempt: Some(message.attempt) }
    }

    /// The address that a provider is told to call, with these in its query.
    pub(crate) fn in_query_of(self, address: &Url) -> Url {
        let mut address = address.clone();
        address.query_pairs_mut().append_pair("nid", &self.notification.0.to_string()).append_pair("delivery", &self.delivery.to_string());
        if let Some(attempt) = self.attempt {
            address.query_pairs_mut().append_pair("attempt", &attempt.to_string());
        }
        address
    }

    /// From the three texts `nid`, `delivery` and `attempt`; none where they are not ours.
    pub fn read<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            notification: field("nid")?.parse().ok()?,
            delivery: field("delivery")?.parse().ok()?,
            attempt: field("attempt").and_then(|attempt| attempt.parse().ok()),
        })
    }
}
