#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use domain::template::{
    Access, Body, Localized, Pins, Source, TemplateAccessSet, TemplateArchived, TemplateDrafted, TemplateEvent, TemplateKind, TemplatePublished,
};
use domain::values::{Locale, SenderKey, TemplateKey};
use domain::{AggregateKind, StreamId};

fn key(text: &str) -> TemplateKey {
    TemplateKey::new(text).unwrap()
}

fn drafted(of: &str, name: &str, tags: &[&str], text: &str) -> TemplateEvent {
    let body = Body { text: Some(text.to_owned()), ..Body::default() };
    let source = Source {
        name: name.to_owned(),
        description: "100%_sure!".to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        kind: TemplateKind::Message,
        default_locale: Locale::english(),
        parameters: Vec::new(),
        locales: vec![Localized { locale: Locale::english(), bodies: vec![body] }],
        experiment: None,
    };
    TemplateEvent::TemplateDrafted(TemplateDrafted { key: key(of), source })
}

fn stream(of: &str) -> StreamId {
    StreamId::of_key(AggregateKind::Template, of)
}

on_every_store!(they_are_found_by_words_in_any_script, what_became_of_one_is_in_its_row);

async fn they_are_found_by_words_in_any_script<S: Store>() {
    let mut story = Story::default();
    story
        .add(stream("shipped"), drafted("shipped", "Order Shipped", &["orders"], "<b>주문하신</b> 상품이 출발했어요"))
        .add(stream("welcome"), drafted("welcome", "환영합니다", &["ÄRGER"], "Your first order {{ order }}"))
        .add(stream("digest"), drafted("digest", "Weekly", &[], "nothing"))
        .add(
            stream("digest"),
            TemplateEvent::TemplateAccessSet(TemplateAccessSet {
                key: key("digest"),
                access: Access { users: vec![SenderKey::new("news").unwrap()], ..Access::default() },
            }),
        );
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let templates = Templates::new(view.projection.clone());
    let keys = async |text: &str, sender: Option<&str>| {
        let sender = sender.map(|sender| SenderKey::new(sender).unwrap());
        let found = templates.search(text, sender.as_ref(), None, 10).await.unwrap();
        found.into_iter().map(|found| found.row.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(keys("", None).await, ["digest", "shipped", "welcome"]);
    assert_eq!(keys("ORDER", None).await, ["shipped", "welcome"], "by name before by text");
    assert_eq!(keys("order first", None).await, ["welcome"]);
    assert_eq!(keys("환영", None).await, ["welcome"]);
    assert_eq!(keys("문", None).await, ["shipped"], "one syllable");
    assert_eq!(keys("ärger", None).await, ["welcome"]);
    assert_eq!(keys("100%_sure!", None).await.len(), 3, "marks of patterns are letters like others");
    assert_eq!(keys("1_0", None).await, Vec::<String>::new());
    assert_eq!(keys("{{", None).await, Vec::<String>::new());
    assert_eq!(keys("", Some("shop")).await, ["shipped", "welcome"], "what a sender may not use it does not find");
    assert_eq!(keys("", Some("news")).await, ["digest", "shipped", "welcome"]);
    let first = templates.search("order", None, None, 1).await.unwrap();
    let rest = templates.search("order", None, Some((first[0].rank, first[0].row.key.as_str())), 10).await.unwrap();
    assert_eq!((first[0].row.key.as_str(), rest.len(), rest[0].row.key.as_str()), ("shipped", 1, "welcome"));
}

async fn what_became_of_one_is_in_its_row<S: Store>() {
    let mut story = Story::default();
    story
        .add(stream("a"), drafted("a", "First", &[], "one"))
        .add(
            stream("a"),
            TemplateEvent::TemplatePublished(TemplatePublished { key: key("a"), version: 1, revision: 1, pins: Pins::new(), restores: None, note: None }),
        )
        .add(stream("a"), drafted("a", "Second", &[], "two"))
        .add(stream("a"), TemplateEvent::TemplateArchived(TemplateArchived { key: key("a") }));
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let once = view.dump().await;
    view.take(&story.events[3..]).await;
    assert_eq!(once, view.dump().await);
    let templates = Templates::new(view.projection.clone());
    let row = templates.search("two", None, None, 10).await.unwrap().remove(0).row;
    assert_eq!((row.name.as_str(), row.revision, row.version, row.archived), ("Second", 2, 1, true));
    assert!(templates.search("one", None, None, 10).await.unwrap().is_empty());
}
