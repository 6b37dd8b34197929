//! `[links]`: pages that act for a person without a login.

use super::section::{Reader, section};
use commands::links::LinkSettings;
use url::{Host, Url};

section! {
    /// Links to the pages on which a person unsubscribes or sets preferences, without a login. See
    /// [unsubscribing](guides/unsubscribing.md).
    Links at "links" {
        /// The address under which people reach this server's `/u/`, `/p/`, `/c/`, `/o/` and `/attachments/`, such as
        /// `https://notify.example.com`. Without it, mails have no `List-Unsubscribe` and no links are made.
        base_url: Option<Url>,
        /// Days that the unsubscribe link of a mail works after it was sent.
        unsubscribe_days: usize = "180",
        /// Days that a link to the preference page works.
        preferences_days: usize = "30",
        /// A mailbox that mails name besides the link, for programs that can only write. Nobody reads it here:
        /// its owner posts the subject of each mail to `/u/`.
        mailbox: Option<String>,
        /// Whether opens and clicks of e-mails may be tracked, where a category asks for it. `false` stops it for
        /// the whole installation; links of mails that were sent go on leading to where they led.
        tracking: bool = "true",
        /// Requests a second from one address whose link is not valid; more are told to come later. 0 for
        /// any number. Valid links are bounded by `limits.recipient_requests`.
        invalid_requests: usize = "5",
    }
}

impl Links {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Some(url) = &self.base_url {
            let here = match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            };
            reader.require(
                url.scheme() == "https" || (url.scheme() == "http" && here),
                "links.base_url",
                "must begin with https://, which mail providers ask for; http:// is for trying it out on this machine",
            );
            let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
            reader.require(bare, "links.base_url", "must be an address without user, query or fragment");
            reader.require(url.as_str().len() <= 200, "links.base_url", "must have at most 200 characters");
        }
        reader.require(
            (60..=1_825).contains(&self.unsubscribe_days),
            "links.unsubscribe_days",
            "must be between 60 and 1825: laws ask for 30 at least, and people read late",
        );
        reader.require((1..=365).contains(&self.preferences_days), "links.preferences_days", "must be between 1 and 365");
        if let Some(mailbox) = &self.mailbox {
            let plain = mailbox.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte));
            reader.require(
                plain && email_address::EmailAddress::is_valid(mailbox),
                "links.mailbox",
                "must be a plain e-mail address, such as unsubscribe@example.com",
            );
        }
        reader.require(self.invalid_requests <= 1_000_000, "links.invalid_requests", "must be at most 1000000");
    }

    /// As links are made.
    pub fn settings(&self) -> LinkSettings {
        let days = |days: usize| u16::try_from(days).unwrap_or(u16::MAX);
        LinkSettings {
            base_url: self.base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
            unsubscribe_days: days(self.unsubscribe_days),
            preferences_days: days(self.preferences_days),
            mailbox: self.mailbox.clone(),
            tracking: self.tracking,
            ..LinkSettings::default()
        }
    }
}
