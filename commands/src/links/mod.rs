//! Links that act for a person without a login: what a link is for is signed into it.
//!
//! Guarantee: a link works for the purpose, the recipient and the category that it was made for and
//! until its last day, and for nothing else; nobody who lacks the installation's master key makes one.
//! Nothing is stored: a link is read from itself, on any replica, also after the notification is gone.
//! Rejected: random tokens in a table, a row for each mail and a second thing to erase; JWTs, twice as
//! long in a header that mail programs cut at odd places.

#[cfg(test)]
mod tests;
mod token;
mod tracked;
mod upload;

pub use token::{LinkError, Purpose};
pub use tracked::TrackedMail;
pub use upload::{UPLOAD_MS, UploadGrant};

use crate::log::MasterKey;
use aws_lc_rs::hmac;
use domain::values::{CategoryKey, DAY_MS, DeliveryNo, Millis, NotificationId, RecipientId};

/// How links are made.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    /// Where the pages are reached, without a slash at the end; none: no links are made, while those
    /// that were made go on working.
    pub base_url: Option<String>,
    /// Days that an unsubscribe link works.
    pub unsubscribe_days: u16,
    /// Days that a link to the preference page works.
    pub preferences_days: u16,
    /// Days that a link to a file works.
    pub attachment_days: u16,
    /// A mailbox that takes requests to unsubscribe as well; its owner passes them on.
    pub mailbox: Option<String>,
    /// Whether mails may be tracked at all.
    pub tracking: bool,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self { base_url: None, unsubscribe_days: 180, preferences_days: 30, attachment_days: 7, mailbox: None, tracking: true }
    }
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// For whom it acts.
    pub recipient: RecipientId,
    /// The category that it is about.
    pub category: Option<CategoryKey>,
    /// The notification that it came with.
    pub notification: Option<NotificationId>,
    /// The place in a tracked mail.
    pub place: Option<Place>,
    /// The day that it was made (days since the epoch, UTC).
    pub issued: u16,
    /// The last day on which it works.
    pub expires: u16,
}

/// A place in a mail of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The link's number, from 0; of the picture 0.
    pub link: u16,
}

/// The ways out that an e-mail names (RFC 2369, RFC 8058).
#[derive(Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The page, and the target of one click.
    pub url: String,
    /// A `mailto:` URL, where there is a mailbox for it.
    pub mailto: Option<String>,
}

/// Who holds a link may use it: it does not belong into a trace.
impl std::fmt::Debug for Unsubscribe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsubscribe").finish_non_exhaustive()
    }
}

/// Makes links and reads them.
#[derive(Debug, Clone)]
pub struct Links {
    /// Of version 1, the only one so far.
    key: hmac::Key,
    settings: LinkSettings,
}

impl Links {
    /// With a key of the master key's.
    pub fn new(master: &MasterKey, settings: LinkSettings) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, master.derive("bongsu/links/1").as_ref()), settings }
    }

    /// The ways out of a category for the mail of a notification; none without a base URL.
    pub fn unsubscribe(&self, recipient: RecipientId, category: &CategoryKey, notification: NotificationId, now: Millis) -> Option<Unsubscribe> {
        let base = self.settings.base_url.as_deref()?;
        let token = self.token(Purpose::Unsubscribe, recipient, Some(category.clone()), Some(notification), now);
        let mailto = self.settings.mailbox.as_ref().map(|mailbox| format!("mailto:{mailbox}?subject={token}"));
        Some(Unsubscribe { url: format!("{base}/{}/{token}", Purpose::Unsubscribe.path()), mailto })
    }

    /// The address of a recipient's preference page, and from when on it works no more; none without a
    /// base URL.
    pub fn preferences(&self, recipient: RecipientId, now: Millis) -> Option<(String, Millis)> {
        let base = self.settings.base_url.as_deref()?;
        let token = self.token(Purpose::Preferences, recipient, None, None, now);
        let last = day(now).saturating_add(self.settings.preferences_days);
        Some((format!("{base}/{}/{token}", Purpose::Preferences.path()), (Millis::from(last) + 1) * DAY_MS))
    }

    /// The address of a file of a notification, by its number from 0; none without a base URL.
    pub fn attachment(&self, recipient: RecipientId, notification: NotificationId, number: u16, now: Millis) -> Option<String> {
        let base = self.settings.base_url.as_deref()?;
        let (purpose, issued) = (Purpose::Attachment, day(now));
        let place = Some(Place { delivery: 0, link: number });
        let expires = issued.saturating_add(self.settings.attachment_days);
        let link = Link { purpose, recipient, category: None, notification: Some(notification), place, issued, expires };
        Some(format!("{base}/{}/{}", purpose.path(), token::write(&link, &self.key)))
    }

    /// Whether links can be made: there is a base URL.
    pub const fn at_hand(&self) -> bool {
        self.settings.base_url.is_some()
    }

    /// Whether mails may be tracked at all.
    pub const fn tracks(&self) -> bool {
        self.settings.tracking
    }

    /// The token of a link, as it stands in the URL.
    pub fn token(&self, purpose: Purpose, recipient: RecipientId, category: Option<CategoryKey>, notification: Option<NotificationId>, now: Millis) -> String {
        let issued = day(now);
        let life = match purpose {
            Purpose::Unsubscribe => self.settings.unsubscribe_days,
            Purpose::Preferences => self.settings.preferences_days,
            Purpose::Attachment => self.settings.attachment_days,
            Purpose::Click | Purpose::Open => u16::MAX,
        };
        token::write(&Link { purpose, recipient, category, notification, place: None, issued, expires: issued.saturating_add(life) }, &self.key)
    }

    /// Reads the token of a link that was used for a purpose.
    ///
    /// # Errors
    /// It was not made here, or was changed; it is for another purpose; its last day has passed. In this
    /// order: of what was not made here nothing is said.
    pub fn read(&self, purpose: Purpose, token: &str, now: Millis) -> Result<Link, LinkError> {
        let link = token::read(token, &self.key)?;
        if link.purpose != purpose {
            return Err(LinkError::OtherPurpose);
        }
        if link.expires < day(now) { Err(LinkError::Expired) } else { Ok(link) }
    }
}

/// Days since the epoch; they suffice until 2149.
fn day(now: Millis) -> u16 {
    u16::try_from((now / DAY_MS).max(0)).unwrap_or(u16::MAX)
}
