#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{LinkError, LinkSettings, Links, Place, Purpose, TrackedMail};
use crate::log::MasterKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::values::{CategoryKey, DAY_MS, NotificationId, RecipientId};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const NOW: i64 = 20_000 * DAY_MS + 12_345;
const PURPOSES: [Purpose; 2] = [Purpose::Unsubscribe, Purpose::Preferences];

fn links() -> Links {
    let settings = LinkSettings { base_url: Some("https://acme.test/n".to_owned()), mailbox: Some("leave@acme.test".to_owned()), ..LinkSettings::default() };
    Links::new(&MasterKey::new([7; 32]), settings)
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop::sample::select(PURPOSES.to_vec())
}

fn token(links: &Links, purpose: Purpose, recipient: u128, category: &str) -> String {
    let category = (!category.is_empty()).then(|| CategoryKey::new(category).unwrap());
    links.token(purpose, RecipientId(Uuid::from_u128(recipient)), category, Some(NotificationId(Uuid::from_u128(9))), NOW)
}

proptest! {
    #[test]
    fn what_was_written_is_read(purpose in purpose(), recipient: u128, category in "[a-z]{0,20}", notification in 1u128..) {
        let key = (!category.is_empty()).then(|| CategoryKey::new(&category).unwrap());
        let (recipient, notification) = (RecipientId(Uuid::from_u128(recipient)), NotificationId(Uuid::from_u128(notification)));
        let token = links().token(purpose, recipient, key.clone(), Some(notification), NOW);
        let link = links().read(purpose, &token, NOW).unwrap();
        prop_assert_eq!((link.purpose, link.recipient, link.category, link.notification), (purpose, recipient, key, Some(notification)));
        prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    }

    #[test]
    fn any_altered_byte_is_refused(purpose in purpose(), recipient: u128, category in "[a-z]{0,20}", at: prop::sample::Index, change in 1u8..) {
        let mut bytes = URL_SAFE_NO_PAD.decode(token(&links(), purpose, recipient, &category)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        for asked in PURPOSES {
            prop_assert_eq!(links().read(asked, &URL_SAFE_NO_PAD.encode(&bytes), NOW), Err(LinkError::Invalid));
        }
    }

    #[test]
    fn any_altered_character_is_refused(recipient: u128, category in "[a-z]{0,20}", at: prop::sample::Index, other in any::<char>()) {
        let token = token(&links(), Purpose::Unsubscribe, recipient, &category);
        let at = at.index(token.len());
        prop_assume!(!token[at..].starts_with(other));
        let altered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(links().read(Purpose::Unsubscribe, &altered, NOW), Err(LinkError::Invalid));
    }

    #[test]
    fn a_part_or_a_longer_one_is_refused(recipient: u128, cut: prop::sample::Index, tail in "[A-Za-z0-9_=-]{1,8}") {
        let token = token(&links(), Purpose::Unsubscribe, recipient, "news");
        prop_assert_eq!(links().read(Purpose::Unsubscribe, &token[..cut.index(token.len())], NOW), Err(LinkError::Invalid));
        prop_assert_eq!(links().read(Purpose::Unsubscribe, &format!("{token}{tail}"), NOW), Err(LinkError::Invalid));
    }

    #[test]
    fn anything_else_is_refused(text in ".{0,600}") {
        prop_assert_eq!(links().read(Purpose::Unsubscribe, &text, NOW), Err(LinkError::Invalid));
    }

    #[test]
    fn it_works_until_the_end_of_its_last_day_and_no_longer(days in 1u16..400, offset in 0i64..DAY_MS) {
        let settings = LinkSettings { unsubscribe_days: days, ..LinkSettings::default() };
        let links = Links::new(&MasterKey::new([7; 32]), settings);
        let token = token(&links, Purpose::Unsubscribe, 1, "news");
        let last = (20_000 + i64::from(days)) * DAY_MS + offset;
        prop_assert!(links.read(Purpose::Unsubscribe, &token, last).is_ok());
        prop_assert_eq!(links.read(Purpose::Unsubscribe, &token, last + DAY_MS), Err(LinkError::Expired));
    }
}

#[test]
fn a_link_of_one_purpose_is_none_of_another() {
    for (made, used) in [(Purpose::Unsubscribe, Purpose::Preferences), (Purpose::Preferences, Purpose::Unsubscribe)] {
        let token = token(&links(), made, 1, "");
        assert_eq!(links().read(used, &token, NOW), Err(LinkError::OtherPurpose));
        assert!(links().read(made, &token, NOW).is_ok());
    }
}

#[test]
fn another_installation_s_link_is_refused() {
    let other = Links::new(&MasterKey::new([8; 32]), LinkSettings::default());
    let token = token(&other, Purpose::Unsubscribe, 1, "news");
    assert_eq!(links().read(Purpose::Unsubscribe, &token, NOW), Err(LinkError::Invalid));
}

#[test]
fn urls_are_made_where_there_is_a_base_only_and_are_not_shown() {
    let (recipient, category, notification) = (RecipientId(Uuid::from_u128(1)), CategoryKey::new("news").unwrap(), NotificationId(Uuid::from_u128(2)));
    let made = links().unsubscribe(recipient, &category, notification, NOW).unwrap();
    let token = made.url.strip_prefix("https://acme.test/n/u/").unwrap();
    assert_eq!(links().read(Purpose::Unsubscribe, token, NOW).unwrap().category, Some(category.clone()));
    assert_eq!(made.mailto.clone().unwrap(), format!("mailto:leave@acme.test?subject={token}"));
    assert!(!format!("{made:?}").contains(token));
    let (url, until) = links().preferences(recipient, NOW).unwrap();
    let token = url.strip_prefix("https://acme.test/n/p/").unwrap();
    assert!(links().read(Purpose::Preferences, token, until - 1).is_ok());
    assert_eq!(links().read(Purpose::Preferences, token, until), Err(LinkError::Expired));
    let without = Links::new(&MasterKey::new([7; 32]), LinkSettings::default());
    assert_eq!(without.unsubscribe(recipient, &category, notification, NOW), None);
    assert_eq!(without.preferences(recipient, NOW), None);
}

const TRACKED: [Purpose; 2] = [Purpose::Click, Purpose::Open];

fn tracked(settings: LinkSettings, recipient: u128, notification: u128, delivery: u16) -> Option<(Arc<Links>, TrackedMail)> {
    let links = Arc::new(Links::new(&MasterKey::new([7; 32]), settings));
    let mail = TrackedMail::of(&links, RecipientId(Uuid::from_u128(recipient)), NotificationId(Uuid::from_u128(notification)), delivery, (true, true))?;
    Some((links, mail))
}

fn with_base() -> LinkSettings {
    LinkSettings { base_url: Some("https://acme.test/n".to_owned()), ..LinkSettings::default() }
}

proptest! {
    #[test]
    fn a_tracked_link_says_where_it_stands_and_is_of_no_other_purpose(recipient: u128, notification in 1u128.., delivery: u16, number: u16, day in 0i64..60_000) {
        let (links, mail) = tracked(with_base(), recipient, notification, delivery).unwrap();
        let click = mail.link(number).strip_prefix("https://acme.test/n/c/").unwrap().to_owned();
        let open = mail.picture().strip_prefix("https://acme.test/n/o/").unwrap().to_owned();
        // The same on every attempt, and for as long as there is something to lead to.
        prop_assert_eq!(mail.link(number), mail.clone().link(number));
        let read = links.read(Purpose::Click, &click, day * DAY_MS).unwrap();
        prop_assert_eq!((read.recipient.0.as_u128(), read.notification.unwrap().0.as_u128()), (recipient, notification));
        prop_assert_eq!(read.place, Some(Place { delivery, link: number }));
        prop_assert_eq!(links.read(Purpose::Open, &open, NOW).unwrap().place, Some(Place { delivery, link: 0 }));
        for (token, made) in [(&click, Purpose::Click), (&open, Purpose::Open)] {
            for other in PURPOSES.into_iter().chain(TRACKED).filter(|other| *other != made) {
                prop_assert_eq!(links.read(other, token, NOW), Err(LinkError::OtherPurpose));
            }
        }
    }

    #[test]
    fn an_altered_tracked_link_is_refused(number: u16, at: prop::sample::Index, change in 1u8..) {
        let (links, mail) = tracked(with_base(), 1, 2, 3).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(mail.link(number).rsplit('/').next().unwrap()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert_eq!(links.read(Purpose::Click, &URL_SAFE_NO_PAD.encode(&bytes), NOW), Err(LinkError::Invalid));
    }
}

#[test]
fn nothing_is_tracked_where_it_is_not_wanted_or_cannot_be() {
    assert!(tracked(with_base(), 1, 2, 3).is_some());
    assert!(tracked(LinkSettings { tracking: false, ..with_base() }, 1, 2, 3).is_none());
    assert!(tracked(LinkSettings::default(), 1, 2, 3).is_none());
    let (links, mail) = tracked(with_base(), 1, 2, 3).unwrap();
    assert!(TrackedMail::of(&links, RecipientId(Uuid::nil()), NotificationId(Uuid::nil()), 0, (false, false)).is_none());
    assert!(!format!("{mail:?}").contains("acme"));
}

#[test]
fn our_own_pages_are_known_and_no_others() {
    let (_, mail) = tracked(with_base(), 1, 2, 3).unwrap();
    assert!(mail.is_ours("https://acme.test/n/u/abc") && mail.is_ours("https://acme.test/n/p/abc") && mail.is_ours(&mail.link(0)));
    for other in ["https://acme.test/n/unsubscribe/1", "https://acme.test/u/abc", "https://acme.test/n/u", "https://acme.test.evil.test/n/u/abc"] {
        assert!(!mail.is_ours(other), "{other}");
    }
}
