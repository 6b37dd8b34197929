//! Providers: the third parties that deliver. A folder each (call, error map, settings), one
//! trait. How to add one: `docs/guides/adding-a-provider.md`.

pub mod apns;
pub mod callbacks;
pub mod fcm;
pub mod files;
pub mod http;
pub mod kakao_talk;
mod mail;
pub mod mailgun;
/// The example of the guide.
#[cfg(test)]
mod pigeon;
pub mod rotating;
pub mod sandbox;
pub mod sendgrid;
pub mod slack;
pub mod sms;
pub mod smtp;
#[cfg(test)]
mod testing;
pub mod twilio;
pub mod twilio_voice;
pub mod vonage;
pub mod web_push;
pub mod webhook;

use commands::links::Unsubscribe;
use domain::recipient::AddressDetails;
use domain::values::{Channel, Content, DeliveryNo, Millis, NotificationId, Outcome, Priority, SentAs};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a provider is asked to deliver: one attempt.
#[derive(Debug, Clone)]
pub struct Message {
    /// Our id, carried in every request so that both sides can be compared.
    pub notification: NotificationId,
    /// The delivery within it.
    pub delivery: DeliveryNo,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// How urgent.
    pub priority: Priority,
    /// What to tell.
    pub content: Arc<Content>,
    /// Where: device token, e-mail address, telephone number or URL, with a webhook's secret or a
    /// browser's keys.
    pub address: AddressDetails,
    /// Whom it comes from, where that is not as configured; checked, and allowed for this provider.
    pub from: Option<SentAs>,
    /// The files of an e-mail.
    pub files: Vec<files::File>,
    /// The ways out of its category, of an e-mail that has some.
    pub unsubscribe: Option<Unsubscribe>,
    /// Worth nothing after this moment.
    pub expires_at: Option<Millis>,
    /// When it was requested.
    pub requested_at: Millis,
    /// An earlier attempt may have reached the provider: where that can be looked up, it is.
    pub after_unknown: bool,
}

/// The future of one call.
pub type Call<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A third party that delivers on one channel.
///
/// `send` never panics and always answers with an [`Outcome`]: `Retry` where nothing was sent,
/// `Unknown` where bytes were sent and no verdict came. It bounds its own time.
pub trait Provider: Send + Sync + 'static {
    /// Its configured name, e.g. `fcm`.
    fn name(&self) -> &str;
    /// The channel it serves.
    fn channel(&self) -> Channel;
    /// Calls that may run at once.
    fn concurrency(&self) -> usize;
    /// Makes one attempt.
    fn send<'a>(&'a self, message: &'a Message) -> Call<'a>;
    /// Checks credentials and reachability without sending anything, for `bongsu check`.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}
