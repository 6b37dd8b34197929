#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::judgement::problem;
use super::stories::{ALL, Ending, Story};
use super::{next, people, place, server};
use crate::cli::remote::operations;
use crate::graphql::schema::{Mutation, Query};
use async_graphql::{EmptySubscription, Request, Schema, Variables};
use serde_json::{Value, json};
use workers::simulators::Provider;

fn story(ending: Ending) -> Story {
    Story { provider: Some(Provider::Fcm), ending, ..ALL[0] }
}

fn events(kinds: &[&str]) -> Vec<Value> {
    kinds.iter().map(|kind| json!({ "type": kind, "payload": "{\"rule\":\"opted_out_of_channel\"}" })).collect()
}

#[test]
fn every_channel_a_retry_and_an_opt_out_are_shown() {
    for channel in ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "IN_APP", "WEBHOOK"] {
        assert!(ALL.iter().any(|story| story.channel == channel && matches!(story.ending, Ending::Sent { .. })), "{channel}");
    }
    assert!(ALL.iter().any(|story| matches!(story.ending, Ending::Sent { failures } if failures > 0)));
    assert!(ALL.iter().any(|story| matches!(story.ending, Ending::Suppressed { .. })));
}

#[test]
fn a_template_is_sent_with_parameters_that_can_be_read() {
    let parameters: Vec<Value> = ALL.iter().map(|story| story.input()["template"]["parameters"].clone()).filter(|given| !given.is_null()).collect();
    assert!(!parameters.is_empty() && parameters.iter().all(|given| given["name"].is_string()), "{parameters:?}");
}

#[test]
fn a_story_that_went_well_has_no_problem() {
    let sent = events(&["Requested", "Queued", "AttemptStarted", "Sent"]);
    assert_eq!(problem(&story(Ending::Sent { failures: 0 }), &sent, 1), None);
    let retried = events(&["Requested", "Queued", "AttemptStarted", "AttemptFailed", "RetryScheduled", "AttemptStarted", "Sent"]);
    assert_eq!(problem(&story(Ending::Sent { failures: 1 }), &retried, 1), None);
    let suppressed = events(&["Requested", "Suppressed"]);
    assert_eq!(problem(&story(Ending::Suppressed { rule: "opted_out_of_channel" }), &suppressed, 0), None);
}

#[test]
fn what_went_wrong_is_found() {
    let sent = events(&["Requested", "Queued", "AttemptStarted", "Sent"]);
    let wrong = |ending, events: &[Value], arrived| problem(&story(ending), events, arrived).unwrap();
    assert!(wrong(Ending::Sent { failures: 0 }, &sent, 2).contains("2 times"));
    assert!(wrong(Ending::Sent { failures: 0 }, &sent, 0).contains("0 times"));
    assert!(wrong(Ending::Sent { failures: 2 }, &sent, 1).contains("2 attempts were to fail"));
    assert!(wrong(Ending::Sent { failures: 0 }, &events(&["Requested", "Queued", "DeadLettered"]), 0).contains("0 times"));
    assert!(wrong(Ending::Suppressed { rule: "opted_out_of_channel" }, &sent, 0).contains("was not to be sent"));
    assert!(wrong(Ending::Suppressed { rule: "opted_out_of_all" }, &events(&["Requested", "Suppressed"]), 0).contains("opted_out_of_all"));
    assert!(wrong(Ending::Suppressed { rule: "opted_out_of_channel" }, &events(&["Requested", "Suppressed"]), 1).contains("1 times"));
}

#[tokio::test]
async fn every_document_fits_the_schema() {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription).finish();
    let mut all: Vec<(&str, Value)> =
        people::registrations("http://127.0.0.1:1/x", "whsec_AAAA").into_iter().map(|(_, document, input)| (document, input)).collect();
    all.extend(ALL.iter().map(|story| (operations::SEND, story.input())));
    for (document, input) in all {
        let request = Request::new(document).variables(Variables::from_json(json!({ "input": input })));
        // Errors without a path are the validator's; resolvers fail, for no server is behind them.
        let refused: Vec<_> = schema.execute(request).await.errors.into_iter().filter(|error| error.path.is_empty()).collect();
        assert!(refused.is_empty(), "{refused:?} in {document}");
    }
}

#[test]
fn only_loopback_is_listened_on() {
    assert_eq!(place::listen(Some("0.0.0.0:0".parse().unwrap())).unwrap_err().exit, crate::cli::Exit::Usage);
    assert_eq!(place::listen(Some("127.0.0.1:0".parse().unwrap())).unwrap().port(), 0);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(place::listen(Some(taken.local_addr().unwrap())).unwrap_err().exit, crate::cli::Exit::Conflict);
    assert!(place::listen(None).unwrap().ip().is_loopback());
}

#[test]
fn a_temporary_folder_goes_and_a_named_one_stays() {
    let temporary = place::Place::prepare(None).unwrap();
    let root = temporary.simulators();
    assert!(root.is_dir());
    drop(temporary);
    assert!(!root.exists());
    let parent = tempfile::tempdir().unwrap();
    let kept = place::Place::prepare(Some(&parent.path().join("kept"))).unwrap().simulators();
    assert!(kept.is_dir());
}

#[test]
fn a_ready_file_is_read_once_it_is_whole() {
    assert_eq!(server::address("{\"listen\":\"127.0.0.1:7\"}\n"), Some("127.0.0.1:7".parse().unwrap()));
    assert_eq!(server::address("{\"listen\":\"127.0."), None);
}

#[test]
fn what_is_printed_can_be_pasted() {
    assert_eq!(next::program(Some("target/release/bongsu".to_owned())), "target/release/bongsu");
    assert_eq!(next::program(None), "bongsu");
    assert_eq!(next::quoted("/tmp/a b"), "'/tmp/a b'");
    assert_eq!(next::quoted("it's"), r"'it'\''s'");
    let text = next::Next {
        base: "http://127.0.0.1:7",
        data: std::path::Path::new("/d"),
        admin: "127.0.0.1:8".parse().unwrap(),
        administrator_key: "A",
        sender_key: "S",
        id: Some("N"),
    }
    .text();
    for part in ["http://127.0.0.1:7/graphiql", "Bearer S'", "explain N --server http://127.0.0.1:7 --data /d", "Ctrl-C"] {
        assert!(text.contains(part), "{part}");
    }
}
