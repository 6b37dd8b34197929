//! Digests whose summary a template says, and those that it cannot say.

use super::{HOUR, World, world};
use crate::accept::tests::meta;
use crate::accept::{Unusable, template_stream};
use crate::due::{Asked, says_summaries};
use crate::templates::tests::{key, publish, source};
use domain::Fact;
use domain::digest::{DigestEvent, TemplateUnused};
use domain::rendering::Links;
use domain::template::{Body, Localized, Parameter, ParameterType, Source, Template, TemplateCommand, TemplateKind};
use domain::values::{Channel, DigestSettings, DigestWindow, Locale};
use serde_json::{Value, json};

fn parameter(name: &str, kind: ParameterType, example: Value) -> Parameter {
    Parameter { name: name.to_owned(), kind, description: String::new(), required: true, default: None, example: Some(example) }
}

fn weekly(text: &str) -> Source {
    let items = json!([{ "title": "a", "text": "b" }, { "title": "c" }, { "title": "d" }]);
    let parameters = vec![
        parameter("count", ParameterType::Integer, json!(4)),
        parameter("items", ParameterType::List, items),
        parameter("more", ParameterType::Integer, json!(1)),
        parameter("category", ParameterType::String, json!("Orders")),
    ];
    let body = Body { title: Some("{{ count }} of {{ category }}".to_owned()), text: Some(text.to_owned()), ..Body::default() };
    let locales = vec![Localized { locale: Locale::english(), bodies: vec![body] }];
    Source { parameters, locales, ..source(TemplateKind::Message, "") }
}

const LIST: &str = "{% for item in items %}{{ item.title }}{% if item.text is defined %}: {{ item.text }}{% endif %}; {% endfor %}{{ more }} more";

impl World {
    async fn tells_by(&self, template: &str) {
        let window = DigestWindow::Fixed { millis: HOUR };
        self.fixture.category(|category| category.digest = Some(DigestSettings { window, max_items: 2, template: Some(key(template)) })).await;
    }

    async fn command(&self, template: &str, command: TemplateCommand) {
        self.fixture.bus.execute::<Template>(template_stream(&key(template)), &meta(), command).await.unwrap();
    }

    /// Closes a window that holds two, and gives what its summary says, from which version, and which template could not.
    async fn told(&self, window: u32) -> (String, Option<u32>, Option<TemplateUnused>) {
        self.item(Some("Paid"), "You paid").await;
        self.item(None, "Shipped").await;
        self.item(None, "Arrived").await;
        self.pass(HOUR);
        assert!(matches!(self.close().await, Asked::Done { .. }));
        let (requested, _) = self.summary(window).await;
        let content = self.due.templates.content(&requested, Channel::InApp, Links::default()).await.unwrap().unwrap().unwrap();
        let events = self.fixture.bus.log().read_stream(self.stream(), 0, false).await.unwrap();
        let Fact::Digest(DigestEvent::DigestClosed(closed)) = &events.last().unwrap().fact else { panic!("{events:?}") };
        let words = format!("{} | {}", content.title.unwrap_or_default(), content.body);
        (words, requested.template.map(|used| used.version), closed.template_unused.clone())
    }
}

#[tokio::test]
async fn a_summary_is_said_by_the_version_that_is_current_when_its_window_closes() {
    let world = world().await;
    publish(&world.fixture.bus, "weekly", weekly(LIST)).await;
    world.tells_by("weekly").await;
    assert_eq!(world.told(1).await, ("3 of Orders | Paid: You paid; Shipped; 1 more".to_owned(), Some(1), None));
    publish(&world.fixture.bus, "weekly", weekly("{{ items | length }} and {{ more }}")).await;
    assert_eq!(world.told(2).await, ("3 of Orders | 2 and 1".to_owned(), Some(2), None));
}

#[tokio::test]
async fn no_digest_is_lost_by_its_template() {
    let world = world().await;
    let ours = |code: &str, template: &str| {
        let unused = TemplateUnused { key: key(template), code: code.to_owned() };
        ("Orders: 3 notifications | Paid\nShipped\nand 1 more".to_owned(), None, Some(unused))
    };
    world.tells_by("nobody").await;
    assert_eq!(world.told(1).await, ours("TEMPLATE_NOT_FOUND", "nobody"));
    publish(&world.fixture.bus, "weekly", weekly(LIST)).await;
    world.tells_by("weekly").await;
    world.command("weekly", TemplateCommand::Archive).await;
    assert_eq!(world.told(2).await, ours("TEMPLATE_ARCHIVED", "weekly"));
    world.command("weekly", TemplateCommand::Unarchive).await;
    publish(&world.fixture.bus, "weekly", weekly("{{ items[2].title }}")).await;
    assert_eq!(world.told(3).await, ours("TEMPLATE_UNDEFINED", "weekly"), "its example has a third");
    let mut more = weekly(LIST);
    more.parameters.push(parameter("name", ParameterType::String, json!("Mina")));
    publish(&world.fixture.bus, "weekly", more).await;
    assert_eq!(world.told(4).await, ours("TEMPLATE_PARAMETERS", "weekly"));
}

#[tokio::test]
async fn what_no_digest_could_use_is_known_beforehand() {
    let world = world().await;
    let of = async |template: &str| world.fixture.bus.load::<Template>(template_stream(&key(template))).await.unwrap().state;
    assert_eq!(says_summaries(of("nobody").await.as_ref()), Err(Unusable::Unknown));
    world.command("weekly", TemplateCommand::Draft { key: key("weekly"), source: Box::new(weekly(LIST)), expected: None }).await;
    assert_eq!(says_summaries(of("weekly").await.as_ref()), Err(Unusable::Unpublished));
    publish(&world.fixture.bus, "sign", source(TemplateKind::Partial, "Bye")).await;
    assert_eq!(says_summaries(of("sign").await.as_ref()), Err(Unusable::NotAMessage));
    publish(&world.fixture.bus, "weekly", weekly("{{ count }}")).await;
    assert_eq!(says_summaries(of("weekly").await.as_ref()), Ok(()));
    publish(&world.fixture.bus, "greeting", source(TemplateKind::Message, "Hello {{ who }}")).await;
    assert!(matches!(says_summaries(of("greeting").await.as_ref()), Err(Unusable::Parameters(_))));
}
