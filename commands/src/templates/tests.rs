#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::*;
use crate::accept::tests::{Fixture, fixture, meta, request};
use crate::accept::{Refusal, SendRequest, Unusable, template_stream};
use crate::log::LogError;
use domain::Fact;
use domain::notification::NotificationEvent;
use domain::template::{Access, Body, Localized, Parameter, ParameterType, Source, Template, TemplateCommand, TemplateKind, TemplateRefusal};
use domain::values::{Locale, SenderKey};
use serde_json::json;
use std::future::Future;
use std::pin::Pin;

pub(crate) fn key(text: &str) -> TemplateKey {
    TemplateKey::new(text).unwrap()
}

pub(crate) fn source(kind: TemplateKind, text: &str) -> Source {
    let parameter = Parameter {
        name: "who".to_owned(),
        kind: ParameterType::String,
        description: String::new(),
        required: true,
        default: None,
        example: Some(json!("Bongsu")),
    };
    Source {
        name: "Greeting".to_owned(),
        description: String::new(),
        tags: Vec::new(),
        kind,
        default_locale: Locale::english(),
        parameters: if kind == TemplateKind::Message { vec![parameter] } else { Vec::new() },
        locales: vec![Localized { locale: Locale::english(), bodies: vec![Body { text: Some(text.to_owned()), ..Body::default() }] }],
        experiment: None,
    }
}

async fn draft(bus: &Bus, of: &str, source: Source) {
    let command = TemplateCommand::Draft { key: key(of), source: Box::new(source), expected: None };
    bus.execute::<Template>(template_stream(&key(of)), &meta(), command).await.unwrap();
}

fn publisher(bus: &Bus) -> Publisher {
    Publisher::new(bus.clone(), Arc::new(InProcess))
}

pub(crate) async fn publish(bus: &Bus, of: &str, source: Source) -> Published {
    draft(bus, of, source).await;
    publisher(bus).publish(&key(of), None, None, &meta()).await.unwrap()
}

fn asked(of: &str, parameters: &str) -> SendRequest {
    let plain = request(None, "");
    let content = Content { template: Some(key(of)), parameters: Some(parameters.to_owned()), ..Content::default() };
    SendRequest { content, ..plain }
}

/// Accepts one, and gives the event that records it.
async fn accepted(fixture: &Fixture, request: SendRequest) -> Result<Requested, Refusal> {
    let accepted = fixture.acceptor.accept(&meta(), vec![request]).await.unwrap().remove(0)?;
    let events = fixture.bus.log().read_stream(crate::accept::stream_of(accepted.id), 0, true).await.unwrap();
    match &events[0].fact {
        Fact::Notification(NotificationEvent::Requested(requested)) => Ok(requested.clone()),
        other => panic!("{other:?}"),
    }
}

async fn told(templates: &Templates, requested: &Requested) -> Content {
    templates.content(requested, Channel::AndroidPush, Links::default()).await.unwrap().unwrap().unwrap()
}

#[tokio::test]
async fn a_notification_keeps_its_parameters_and_says_what_its_version_says() {
    let fixture = fixture().await;
    publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    let first = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    assert_eq!((first.template.as_ref().unwrap().version, first.template.as_ref().unwrap().key.as_str()), (1, "greeting"));
    let stored = first.personal.known().unwrap();
    assert_eq!((stored.body.as_str(), stored.template.as_ref(), stored.parameters.as_deref()), ("", None, Some(r#"{"who":"Alice"}"#)));
    publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Dear {{ who }}")).await;
    let second = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    let templates = Templates::new(fixture.bus.clone());
    assert_eq!(told(&templates, &first).await.body, "Hello Alice");
    assert_eq!(told(&templates, &second).await.body, "Dear Alice");
    // The older version again, as a new one; and again from what is kept.
    publisher(&fixture.bus).roll_back(&key("greeting"), 1, None, &meta()).await.unwrap();
    let third = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    assert_eq!((third.template.as_ref().unwrap().version, told(&templates, &third).await.body.as_str()), (3, "Hello Alice"));
    assert_eq!(told(&templates, &second).await.body, "Dear Alice");
}

#[tokio::test]
async fn layouts_and_partials_are_pinned_when_it_is_published() {
    let fixture = fixture().await;
    publish(&fixture.bus, "sign", source(TemplateKind::Partial, "Yours, Shop")).await;
    let published = publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}. {% include \"sign\" %}")).await;
    assert_eq!(published.done.state.current.as_ref().unwrap().pins, [(key("sign"), 1)].into());
    let requested = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    publish(&fixture.bus, "sign", source(TemplateKind::Partial, "Bye")).await;
    assert_eq!(told(&Templates::new(fixture.bus.clone()), &requested).await.body, "Hello Alice. Yours, Shop");
    // The same draft on the newer partial is a new version.
    publisher(&fixture.bus).publish(&key("greeting"), None, None, &meta()).await.unwrap();
    let requested = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    assert_eq!(told(&Templates::new(fixture.bus.clone()), &requested).await.body, "Hello Alice. Bye");
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_and_a_mistake_is_not_published() {
    let fixture = fixture().await;
    draft(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ nobody }}")).await;
    let wrong = publisher(&fixture.bus).publish(&key("greeting"), None, None, &meta()).await.unwrap_err();
    assert!(matches!(&wrong, NotPublished::Problems(problems) if problems[0].line == Some(1)), "{wrong:?}");
    assert!(matches!(
        publisher(&fixture.bus).publish(&key("nobody"), None, None, &meta()).await.unwrap_err(),
        NotPublished::Refused(TemplateRefusal::NotFound)
    ));
    let refused = async |of: &str, parameters: &str| match accepted(&fixture, asked(of, parameters)).await {
        Err(Refusal::Template(unusable)) => unusable,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("nobody", "{}").await, Unusable::Unknown);
    assert_eq!(refused("greeting", "{}").await, Unusable::Unpublished);
    publish(&fixture.bus, "sign", source(TemplateKind::Partial, "Bye")).await;
    assert_eq!(refused("sign", "{}").await, Unusable::NotAMessage);
    publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    assert!(matches!(refused("greeting", "{}").await, Unusable::Parameters(_)));
    let set = TemplateCommand::SetAccess(Access { users: vec![SenderKey::new("bank").unwrap()], ..Access::default() });
    fixture.bus.execute::<Template>(template_stream(&key("greeting")), &meta(), set).await.unwrap();
    assert_eq!(refused("greeting", r#"{"who":"Alice"}"#).await, Unusable::Unknown, "others are not told that it exists");
}

#[tokio::test]
async fn a_repeat_is_answered_whatever_became_of_its_template() {
    let fixture = fixture().await;
    publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    let request = SendRequest { idempotency_key: Some("once".to_owned()), ..asked("greeting", r#"{"who":"Alice"}"#) };
    let first = fixture.acceptor.accept(&meta(), vec![request.clone()]).await.unwrap().remove(0).unwrap();
    fixture.bus.execute::<Template>(template_stream(&key("greeting")), &meta(), TemplateCommand::Archive).await.unwrap();
    let again = fixture.acceptor.accept(&meta(), vec![request.clone()]).await.unwrap().remove(0).unwrap();
    assert_eq!((again.id, again.duplicate), (first.id, true));
    let other = SendRequest { content: Content { parameters: Some(r#"{"who":"Bob"}"#.to_owned()), ..request.content.clone() }, ..request };
    assert_eq!(fixture.acceptor.accept(&meta(), vec![other]).await.unwrap().remove(0), Err(Refusal::IdempotencyConflict));
}

#[tokio::test]
async fn what_cannot_be_rendered_any_more_says_so_and_damages_nothing() {
    let fixture = fixture().await;
    publish(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    let mut requested = accepted(&fixture, asked("greeting", r#"{"who":"Alice"}"#)).await.unwrap();
    let templates = Templates::new(fixture.bus.clone());
    if let Some(used) = &mut requested.template {
        used.version = 9;
    }
    assert_eq!(templates.content(&requested, Channel::Email, Links::default()).await.unwrap(), Some(Err(Unrendered::Missing)));
    requested.template = None;
    assert_eq!(templates.content(&requested, Channel::Email, Links::default()).await.unwrap(), Some(Err(Unrendered::Missing)));
    requested.personal = domain::event::Personal::Erased;
    assert_eq!(templates.content(&requested, Channel::Email, Links::default()).await.unwrap(), None);
}

/// One that never gets through.
#[derive(Debug)]
struct Overwhelmed;

impl Examine for Overwhelmed {
    fn examine<'a>(&'a self, _: &'a Source, _: &'a Parts) -> Pin<Box<dyn Future<Output = Result<Examined, ExaminerError>> + Send + 'a>> {
        Box::pin(async { Err(ExaminerError::TooMuch) })
    }
}

#[tokio::test]
async fn what_cannot_be_tried_to_the_end_is_not_published() -> Result<(), LogError> {
    let fixture = fixture().await;
    draft(&fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    let publisher = Publisher::new(fixture.bus.clone(), Arc::new(Overwhelmed));
    let refused = publisher.publish(&key("greeting"), None, None, &meta()).await.unwrap_err();
    assert!(matches!(refused, NotPublished::Untried(ExaminerError::TooMuch)), "{refused:?}");
    let changes = history(&fixture.bus, &key("greeting")).await?;
    assert!(matches!(changes.as_slice(), [Change { what: Happened::Drafted { revision: 1, .. }, .. }]), "{changes:?}");
    Ok(())
}
