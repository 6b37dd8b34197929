#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod basics;
mod composition;
mod languages;
mod mails;
mod places;
mod properties;
mod refusals;

use super::*;
use crate::calendar::TimeZone;
use crate::template::{Body, Localized, Parameter, ParameterType, TemplateKind};
use crate::values::{Channel, Locale};
use serde_json::{Map, Value, json};

/// A template of one language with one body for all channels.
pub(super) fn template(body: Body, parameters: &[(&str, ParameterType)]) -> Source {
    let parameter = |(name, kind): &(&str, ParameterType)| Parameter {
        name: (*name).to_owned(),
        kind: *kind,
        description: String::new(),
        required: false,
        default: None,
        example: None,
    };
    Source {
        name: "test".to_owned(),
        description: String::new(),
        tags: Vec::new(),
        kind: TemplateKind::Message,
        default_locale: Locale::english(),
        parameters: parameters.iter().map(parameter).collect(),
        locales: vec![Localized { locale: Locale::english(), bodies: vec![body] }],
    }
}

pub(super) fn text(text: &str) -> Body {
    Body { text: Some(text.to_owned()), ..Body::default() }
}

pub(super) fn html(html: &str) -> Body {
    Body { channel: Some(Channel::Email), html: Some(html.to_owned()), ..Body::default() }
}

pub(super) fn given(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(map) => map,
        _ => panic!("parameters are an object"),
    }
}

pub(super) fn render_for(source: &Source, channel: Channel, locale: &str, parameters: Value) -> Result<Rendered, RenderError> {
    let compiled = compile(source, &Parts::new()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let locale = Locale::new(locale).unwrap();
    let audience = Audience { channel, locale: &locale, zone: TimeZone::new("Asia/Seoul").unwrap(), variant: None, links: Links::default() };
    compiled.render(&audience, &given(parameters))
}

pub(super) fn render(source: &Source, parameters: Value) -> Result<Rendered, RenderError> {
    render_for(source, Channel::Email, "en", parameters)
}

/// A text with the parameters `a`, a text, `n`, a number, `list` and `map`.
pub(super) fn shown(template_text: &str, parameters: Value) -> Result<String, RenderError> {
    render(&with_names(text(template_text)), parameters).map(|rendered| rendered.text)
}

pub(super) fn with_names(body: Body) -> Source {
    let kinds = [("a", ParameterType::String), ("n", ParameterType::Number), ("list", ParameterType::List), ("map", ParameterType::Object)];
    template(body, &kinds)
}

/// The codes of what is wrong with a text.
pub(super) fn codes(template_text: &str) -> Vec<&'static str> {
    compile(&with_names(text(template_text)), &Parts::new()).err().unwrap_or_default().iter().map(|problem| problem.code).collect()
}

#[test]
fn compiled_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Compiled>();
    let _ = json!(null);
}
