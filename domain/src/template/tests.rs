#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::{Channel, Locale, TemplateKey};
use cqrs_es::test::TestFramework;
use serde_json::json;

type Test = TestFramework<Template>;

fn key() -> TemplateKey {
    TemplateKey::new("order-shipped").unwrap()
}

fn locale(tag: &str) -> Locale {
    Locale::new(tag).unwrap()
}

fn text(text: &str) -> Body {
    Body { text: Some(text.to_owned()), ..Body::default() }
}

pub fn source(words: &str) -> Source {
    Source {
        name: "Order shipped".to_owned(),
        description: String::new(),
        tags: vec!["orders".to_owned()],
        kind: TemplateKind::Message,
        default_locale: locale("en"),
        parameters: vec![Parameter {
            name: "order".to_owned(),
            kind: ParameterType::String,
            description: String::new(),
            required: true,
            default: None,
            example: Some(json!("1042")),
        }],
        locales: vec![Localized { locale: locale("en"), bodies: vec![text(words)] }],
        experiment: None,
    }
}

fn drafted(words: &str) -> TemplateEvent {
    TemplateEvent::TemplateDrafted(TemplateDrafted { key: key(), source: source(words) })
}

fn published(version: u32, revision: u32, restores: Option<u32>) -> TemplateEvent {
    TemplateEvent::TemplatePublished(TemplatePublished { key: key(), version, revision, pins: Pins::new(), restores, note: None })
}

fn draft(source: Source) -> TemplateCommand {
    TemplateCommand::Draft { key: key(), source: Box::new(source), expected: None }
}

fn publish(revision: u32) -> TemplateCommand {
    TemplateCommand::Publish { revision, pins: Pins::new(), note: None }
}

#[test]
fn a_draft_is_written_once_and_published_as_the_next_version() {
    Test::with(()).given_no_previous_events().when(draft(source("a"))).then_expect_events(vec![drafted("a")]);
    Test::with(()).given(vec![drafted("a")]).when(draft(source("a"))).then_expect_events(vec![]);
    Test::with(()).given(vec![drafted("a")]).when(publish(1)).then_expect_events(vec![published(1, 1, None)]);
    let twice = vec![drafted("a"), published(1, 1, None), drafted("b")];
    Test::with(()).given(twice).when(publish(2)).then_expect_events(vec![published(2, 2, None)]);
}

#[test]
fn what_is_sent_is_what_was_published_not_what_was_written_since() {
    let state = <Template as crate::aggregate::Aggregate>::replay(&[drafted("a"), published(1, 1, None), drafted("b")]);
    assert_eq!(state.current.unwrap().source, source("a"));
    assert_eq!(state.draft.unwrap(), source("b"));
}

#[test]
fn the_same_draft_is_a_new_version_on_newer_layouts_only() {
    let given = vec![drafted("a"), published(1, 1, None)];
    Test::with(()).given(given.clone()).when(publish(1)).then_expect_error(TemplateRefusal::NothingNew { version: 1 });
    let pins = Pins::from([(TemplateKey::new("base").unwrap(), 2)]);
    let newer = TemplateCommand::Publish { revision: 1, pins: pins.clone(), note: None };
    let event = TemplateEvent::TemplatePublished(TemplatePublished { key: key(), version: 2, revision: 1, pins, restores: None, note: None });
    Test::with(()).given(given).when(newer).then_expect_events(vec![event]);
}

#[test]
fn nobody_publishes_or_overwrites_what_they_have_not_seen() {
    Test::with(()).given(vec![drafted("a"), drafted("b")]).when(publish(1)).then_expect_error(TemplateRefusal::Stale { at: 2, expected: 1 });
    let blind = TemplateCommand::Draft { key: key(), source: Box::new(source("c")), expected: Some(1) };
    Test::with(()).given(vec![drafted("a"), drafted("b")]).when(blind).then_expect_error(TemplateRefusal::Stale { at: 2, expected: 1 });
    Test::with(()).given_no_previous_events().when(publish(0)).then_expect_error(TemplateRefusal::NotFound);
}

#[test]
fn rolling_back_says_the_older_version_again() {
    let given = vec![drafted("a"), published(1, 1, None), drafted("b"), published(2, 2, None)];
    let back = |to| TemplateCommand::RollBack { to, source: Box::new(source("a")), pins: Pins::new(), note: None };
    Test::with(()).given(given.clone()).when(back(1)).then_expect_events(vec![drafted("a"), published(3, 3, Some(1))]);
    Test::with(()).given(given.clone()).when(back(2)).then_expect_error(TemplateRefusal::NothingNew { version: 2 });
    Test::with(()).given(given).when(back(7)).then_expect_error(TemplateRefusal::NoSuchVersion(7));
}

#[test]
fn an_archived_one_is_neither_written_nor_published() {
    let archived = TemplateEvent::TemplateArchived(TemplateArchived { key: key() });
    let given = vec![drafted("a"), archived];
    Test::with(()).given(given.clone()).when(draft(source("b"))).then_expect_error(TemplateRefusal::Archived);
    Test::with(()).given(given.clone()).when(publish(1)).then_expect_error(TemplateRefusal::Archived);
    let back = TemplateEvent::TemplateUnarchived(TemplateUnarchived { key: key() });
    Test::with(()).given(given).when(TemplateCommand::Unarchive).then_expect_events(vec![back]);
}

#[test]
fn a_message_does_not_become_a_layout() {
    let layout = Source { kind: TemplateKind::Layout, ..source("a") };
    Test::with(()).given(vec![drafted("a"), published(1, 1, None)]).when(draft(layout)).then_expect_error(TemplateRefusal::KindChanged);
}

#[test]
fn a_shape_that_cannot_be_meant_is_refused() {
    let plain = || source("a");
    let english = |bodies| Source { locales: vec![Localized { locale: locale("en"), bodies }], ..plain() };
    let wrong = |name: &str, kind, example| Source {
        parameters: vec![Parameter { name: name.to_owned(), kind, example: Some(example), ..plain().parameters.remove(0) }],
        ..plain()
    };
    let both = Body { html: Some("a".to_owned()), mjml: Some("b".to_owned()), ..Body::default() };
    let email = || Body { channel: Some(Channel::Email), ..text("a") };
    let cases = [
        (Source { name: " ".to_owned(), ..plain() }, TemplateRefusal::Text),
        (Source { tags: vec!["a\n".to_owned()], ..plain() }, TemplateRefusal::Text),
        (Source { default_locale: locale("ko"), ..plain() }, TemplateRefusal::NoDefaultLocale(locale("ko"))),
        (Source { locales: [plain().locales, plain().locales].concat(), ..plain() }, TemplateRefusal::LocaleTwice(locale("en"))),
        (english(vec![email(), email()]), TemplateRefusal::BodyTwice { locale: locale("en"), channel: Some(Channel::Email) }),
        (english(vec![text("  ")]), TemplateRefusal::EmptyBody { locale: locale("en"), channel: None }),
        (english(vec![both]), TemplateRefusal::HtmlAndMjml(locale("en"))),
        (wrong("1st", ParameterType::String, json!("a")), TemplateRefusal::ParameterName),
        (wrong("bongsu", ParameterType::String, json!("a")), TemplateRefusal::ParameterName),
        (
            wrong("n", ParameterType::Integer, json!(1.5)),
            TemplateRefusal::ParameterValue { what: "example", name: "n".to_owned(), kind: ParameterType::Integer },
        ),
        (
            wrong("u", ParameterType::Url, json!("javascript:alert(1)")),
            TemplateRefusal::ParameterValue { what: "example", name: "u".to_owned(), kind: ParameterType::Url },
        ),
    ];
    for (source, refusal) in cases {
        Test::with(()).given_no_previous_events().when(draft(source)).then_expect_error(refusal);
    }
    let large = Source { locales: vec![Localized { locale: locale("en"), bodies: vec![text(&"a".repeat(MAX_SOURCE_BYTES))] }], ..plain() };
    assert!(matches!(large.check(), Err(TemplateRefusal::TooLarge { .. })));
}
