#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use domain::values::Channel;
use uuid::Uuid;

const RECIPIENT: RecipientId = RecipientId(Uuid::from_u128(1));
const NOW: Millis = 1_000;

fn orders() -> CategoryKey {
    CategoryKey::new("orders").unwrap()
}

fn category() -> Scope {
    Scope::Category(orders())
}

fn by_email() -> Scope {
    Scope::CategoryChannel { category: orders(), channel: Channel::Email }
}

fn consent(scope: Scope, subscribed: bool, at: Millis) -> Consent {
    Consent { recipient: RECIPIENT, scope, subscribed, evidence: Evidence { at: Some(at), ..Evidence::default() } }
}

/// What is asked for one after the other, each as what it turned.
fn decided(list: &[Consent]) -> Vec<Result<Vec<(Scope, bool)>, ConsentRefusal>> {
    let recipient = Recipient { exists: true, ..Recipient::default() };
    let mut person = Person { recipient, ..Person::default() };
    let mut known = Known::default();
    known.categories.insert(category_stream(&orders()), Category { exists: true, ..Category::default() });
    let turned = |event: &SubscriptionEvent| (scope_of(event).unwrap().clone(), matches!(event, SubscriptionEvent::Resubscribed(_)));
    list.iter().map(|consent| decide(&mut person, consent, &mut known, NOW).map(|events| events.iter().map(turned).collect())).collect()
}

#[test]
fn a_consent_to_one_channel_does_not_undo_that_the_category_was_left_after_it() {
    let answers = decided(&[consent(category(), false, 20), consent(by_email(), true, 10), consent(by_email(), true, 30)]);
    assert_eq!(answers, [Ok(vec![(category(), false)]), Err(ConsentRefusal::NewerChoice), Ok(vec![(by_email(), true)])]);
    let answers = decided(&[consent(Scope::All, false, 20), consent(category(), true, 10)]);
    assert_eq!(answers[1], Err(ConsentRefusal::NewerChoice));
    // One that was given before another consent is no contradiction.
    assert_eq!(decided(&[consent(category(), true, 20), consent(by_email(), true, 10)])[1], Ok(vec![(by_email(), true)]));
}

#[test]
fn a_category_that_was_left_takes_its_channels_along_but_not_those_asked_for_since() {
    let answers = decided(&[consent(by_email(), true, 10), consent(category(), false, 20)]);
    assert_eq!(answers[1], Ok(vec![(category(), false), (by_email(), false)]));
    let answers = decided(&[consent(by_email(), true, 30), consent(category(), false, 20)]);
    assert_eq!(answers[1], Ok(vec![(category(), false)]));
}
