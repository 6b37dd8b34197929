//! The links of a mail that is tracked: to its picture, and in place of each of its own.
//!
//! Guarantee: they are the same on every attempt, so that the mail is, and they say where in which mail
//! they stand and not where they lead. They do not expire by themselves: a link in a mail has to lead on
//! for as long as its content is kept, and leads nowhere after that. Rejected: the target within the link,
//! which makes it longer, tells it to whoever reads a log, and asks for nothing but our key to make this
//! server send people anywhere.

use super::token::{self, Purpose};
use super::{Link, Links, Place};
use domain::values::{DeliveryNo, NotificationId, RecipientId};
use std::sync::Arc;

/// Makes the links of one mail.
#[derive(Clone)]
pub struct TrackedMail {
    links: Arc<Links>,
    base: String,
    recipient: RecipientId,
    notification: NotificationId,
    delivery: DeliveryNo,
    /// Whether it gets a picture.
    pub opens: bool,
    /// Whether its links lead through here.
    pub clicks: bool,
}

/// Who holds its links may use them: they do not belong into a trace.
impl std::fmt::Debug for TrackedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrackedMail").field("opens", &self.opens).field("clicks", &self.clicks).finish_non_exhaustive()
    }
}

impl TrackedMail {
    /// Of a delivery; none where the installation has no address for links or wants no tracking, and
    /// where nothing is asked for. `wanted` are opens and clicks.
    pub fn of(links: &Arc<Links>, recipient: RecipientId, notification: NotificationId, delivery: DeliveryNo, wanted: (bool, bool)) -> Option<Self> {
        let (opens, clicks) = wanted;
        if !links.settings.tracking || !(opens || clicks) {
            return None;
        }
        let base = links.settings.base_url.clone()?;
        Some(Self { links: Arc::clone(links), base, recipient, notification, delivery, opens, clicks })
    }

    /// The address of its picture.
    pub fn picture(&self) -> String {
        self.url(Purpose::Open, 0)
    }

    /// The address in place of its n-th link, from 0.
    pub fn link(&self, number: u16) -> String {
        self.url(Purpose::Click, number)
    }

    /// Whether an address is one of this server's pages for links: these stay as they are.
    pub fn is_ours(&self, url: &str) -> bool {
        [Purpose::Unsubscribe, Purpose::Preferences, Purpose::Click, Purpose::Open, Purpose::Attachment].iter().any(|purpose| {
            url.strip_prefix(&self.base).and_then(|rest| rest.strip_prefix('/')?.strip_prefix(purpose.path())).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    fn url(&self, purpose: Purpose, link: u16) -> String {
        let place = Some(Place { delivery: self.delivery, link });
        let (recipient, notification) = (self.recipient, Some(self.notification));
        let link = Link { purpose, recipient, category: None, notification, place, issued: 0, expires: u16::MAX };
        format!("{}/{}/{}", self.base, purpose.path(), token::write(&link, &self.links.key))
    }
}
