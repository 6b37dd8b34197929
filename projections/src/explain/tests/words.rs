//! Words for everything: rules, moments, answers.

use crate::explain::words;
use domain::values::{Channel, Rule};
use std::collections::BTreeSet;

/// All rules, by the schema that is made of the type: a new one is in it.
fn rules() -> Vec<Rule> {
    let schema = serde_json::to_value(schemars::schema_for!(Rule)).unwrap();
    let names = schema["oneOf"].as_array().unwrap().iter().flat_map(|one| match one["const"].as_str() {
        Some(name) => vec![name.to_owned()],
        None => one["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
    });
    names.map(|name| serde_json::from_value(serde_json::Value::String(name)).unwrap()).collect()
}

#[test]
fn every_rule_has_words_of_its_own() {
    let all = rules();
    assert!(all.len() >= 27, "{all:?}");
    let said: BTreeSet<&str> = all.iter().map(|rule| words::rule(*rule)).collect();
    assert_eq!(said.len(), all.len());
    assert!(said.iter().all(|words| words.len() > 10 && !words.ends_with('.')), "{said:?}");
}

#[test]
fn lengths_are_told_to_their_two_largest_units() {
    for (millis, told) in [
        (0, "no time"),
        (7, "7 milliseconds"),
        (1_000, "1 second"),
        (1_500, "1 second"),
        (61_000, "1 minute 1 second"),
        (3_600_000, "1 hour"),
        (3_661_000, "1 hour 1 minute"),
        (2 * 86_400_000 + 5_000, "2 days"),
        (-5, "no time"),
    ] {
        assert_eq!(words::length(millis), told, "{millis}");
    }
    assert_eq!(words::moment(0), "1970-01-01 00:00:00 UTC");
    assert_eq!(words::moment(1_001), "1970-01-01 00:00:01 UTC");
}

#[test]
fn a_number_means_on_each_channel_what_it_means_there() {
    let told = |channel, code| words::answer(Some(channel), code).unwrap_or_default();
    assert_eq!(told(Channel::AndroidPush, "503 UNAVAILABLE"), "the provider is unavailable for now");
    assert_eq!(told(Channel::AndroidPush, "404 UNREGISTERED"), "the provider no longer knows this device");
    assert_eq!(told(Channel::Webhook, "410"), "the provider no longer knows the address");
    assert_eq!(told(Channel::Email, "550 5.1.1"), "the mailbox does not exist");
    assert_eq!(told(Channel::Email, "450 4.2.1"), "the mail server cannot take it for now");
    assert_eq!(told(Channel::Email, "no connection"), "the provider could not be reached");
    assert_eq!(words::answer(Some(Channel::Email), "something new"), None);
}
