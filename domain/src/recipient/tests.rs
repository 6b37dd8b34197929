#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::event::Personal;
use crate::values::{AddressId, Channel, RecipientId};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

type Test = TestFramework<Recipient>;

const DAY: i64 = 86_400_000;

fn id() -> RecipientId {
    RecipientId(Uuid::from_u128(1))
}

fn token() -> AddressId {
    AddressId(Uuid::from_u128(7))
}

fn details(value: &str) -> AddressDetails {
    AddressDetails { value: value.to_owned(), secret: None }
}

fn known() -> RecipientEvent {
    RecipientEvent::ProfileChanged(ProfileChanged { recipient: id(), time_zone: None, locale: None, personal: Personal::from(ProfileDetails::default()) })
}

fn registered(at: i64) -> RecipientEvent {
    RecipientEvent::DeviceRegistered(DeviceRegistered {
        recipient: id(),
        channel: Channel::AndroidPush,
        address: token(),
        registered_at: at,
        personal: Personal::from(details("t")),
    })
}

fn register(now: i64) -> RecipientCommand {
    RecipientCommand::RegisterDevice { channel: Channel::AndroidPush, address: token(), details: details("t"), now }
}

fn reported_dead(as_of: Option<i64>) -> RecipientCommand {
    RecipientCommand::RemoveDevice { address: token(), reason: RemovalReason::ReportedDead, as_of }
}

#[test]
fn a_device_needs_a_recipient() {
    Test::with(()).given_no_previous_events().when(register(5)).then_expect_error(RecipientRefusal::NotFound);
}

#[test]
fn registering_again_is_recorded_once_a_day() {
    Test::with(()).given(vec![known()]).when(register(5)).then_expect_events(vec![registered(5)]);
    Test::with(()).given(vec![known(), registered(5)]).when(register(6)).then_expect_events(vec![]);
    Test::with(()).given(vec![known(), registered(5)]).when(register(5 + DAY)).then_expect_events(vec![registered(5 + DAY)]);
}

#[test]
fn a_report_of_death_removes_only_an_older_registration() {
    let removed = RecipientEvent::DeviceRemoved(DeviceRemoved { channel: Channel::AndroidPush, address: token(), reason: RemovalReason::ReportedDead });
    Test::with(()).given(vec![known(), registered(5)]).when(reported_dead(Some(6))).then_expect_events(vec![removed.clone()]);
    Test::with(()).given(vec![known(), registered(5)]).when(reported_dead(None)).then_expect_events(vec![removed]);
    Test::with(()).given(vec![known(), registered(5)]).when(reported_dead(Some(5))).then_expect_events(vec![]);
}

#[test]
fn a_channel_with_one_address_replaces_it() {
    use crate::aggregate::Aggregate;
    let email = |n, value: &str| {
        RecipientEvent::AddressChanged(AddressChanged {
            recipient: id(),
            channel: Channel::Email,
            address: AddressId(Uuid::from_u128(n)),
            registered_at: 1,
            personal: Personal::from(details(value)),
        })
    };
    let state = Recipient::replay(&[known(), email(1, "a@example.com"), registered(2), email(2, "b@example.com")]);
    let mails: Vec<_> = state.addresses_on(Channel::Email).map(|address| address.id.0.as_u128()).collect();
    assert_eq!(mails, [2]);
    assert_eq!(state.addresses_on(Channel::AndroidPush).count(), 1);
}

#[test]
fn an_erased_recipient_takes_up_nothing_again() {
    let erased = RecipientEvent::Erased(Erased { recipient: id() });
    Test::with(()).given(vec![known()]).when(RecipientCommand::Erase { id: id() }).then_expect_events(vec![erased.clone()]);
    Test::with(()).given(vec![known(), erased.clone()]).when(RecipientCommand::Erase { id: id() }).then_expect_events(vec![]);
    Test::with(()).given(vec![known(), erased]).when(register(9)).then_expect_error(RecipientRefusal::Erased);
}

#[test]
fn the_fifty_first_device_is_refused() {
    let mut given = vec![known()];
    for n in 0..MAX_DEVICES_OF_TEST {
        given.push(RecipientEvent::DeviceRegistered(DeviceRegistered {
            recipient: id(),
            channel: Channel::IosPush,
            address: AddressId(Uuid::from_u128(100 + n)),
            registered_at: 1,
            personal: Personal::Erased,
        }));
    }
    Test::with(()).given(given).when(register(9)).then_expect_error(RecipientRefusal::TooManyDevices);
}

const MAX_DEVICES_OF_TEST: u128 = 50;

#[test]
fn a_rehearsal_adds_and_repeats_but_changes_nothing() {
    let rehearse = |command| RecipientCommand::Rehearse(Box::new(command));
    let profile = |zone: Option<&str>| Profile { time_zone: zone.map(ToOwned::to_owned), ..Profile::default() };
    let change = |zone| RecipientCommand::ChangeProfile { id: id(), profile: profile(zone) };
    let email = |n, value| RecipientCommand::ChangeAddress { channel: Channel::Email, address: AddressId(Uuid::from_u128(n)), details: details(value), now: 5 };
    let emailed = RecipientEvent::AddressChanged(AddressChanged {
        recipient: id(),
        channel: Channel::Email,
        address: AddressId(Uuid::from_u128(8)),
        registered_at: 5,
        personal: Personal::from(details("e")),
    });
    let there = || vec![known(), emailed.clone(), registered(5)];

    Test::with(()).given_no_previous_events().when(rehearse(change(None))).then_expect_events(vec![known()]);
    Test::with(()).given_no_previous_events().when(rehearse(register(5))).then_expect_error(RecipientRefusal::NotFound);
    Test::with(()).given(vec![known()]).when(rehearse(register(5))).then_expect_events(vec![registered(5)]);
    Test::with(()).given(vec![known(), registered(5)]).when(rehearse(email(8, "e"))).then_expect_events(vec![emailed.clone()]);
    for repeated in [change(None), email(8, "e"), register(5 + 2 * DAY), reported_dead(Some(1))] {
        Test::with(()).given(there()).when(rehearse(repeated)).then_expect_events(vec![]);
    }
    let second = RecipientCommand::RegisterDevice { channel: Channel::AndroidPush, address: AddressId(Uuid::from_u128(9)), details: details("other"), now: 5 };
    let gone = RecipientCommand::RemoveAddress { channel: Channel::Email, reason: RemovalReason::Requested };
    for refused in [change(Some("Asia/Seoul")), email(8, "changed"), email(9, "e2"), second, gone, reported_dead(None), RecipientCommand::Erase { id: id() }] {
        Test::with(()).given(there()).when(rehearse(refused)).then_expect_error(RecipientRefusal::Rehearsed);
    }
}

#[test]
fn what_is_personal_is_in_no_debug_output() {
    let profile = ProfileDetails { external_id: "alice@example.com".to_owned(), attributes: Some("{\"plan\":\"gold\"}".to_owned()) };
    let address = AddressDetails { value: "+82-10-1234".to_owned(), secret: Some("whsec_abc".to_owned()) };
    let content = crate::values::Content { title: Some("Diagnosis".to_owned()), body: "positive".to_owned(), ..Default::default() };
    let printed = format!("{:?} {:#?} {:?}", Personal::from(profile), Personal::from(address), Personal::from(content));
    for secret in ["alice", "gold", "1234", "whsec", "Diagnosis", "positive"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
