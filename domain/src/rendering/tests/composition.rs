//! Layouts and partials.

use super::*;
use crate::values::TemplateKey;
use std::sync::Arc;

fn key(name: &str) -> TemplateKey {
    TemplateKey::new(name).unwrap()
}

fn part(kind: TemplateKind, body: &str) -> Arc<Source> {
    Arc::new(Source { kind, ..with_names(text(body)) })
}

fn parts(all: &[(&str, TemplateKind, &str)]) -> Parts {
    all.iter().map(|(name, kind, body)| (key(name), part(*kind, body))).collect()
}

fn composed(template: &str, all: &[(&str, TemplateKind, &str)]) -> Result<String, Vec<&'static str>> {
    let compiled = compile(&with_names(text(template)), &parts(all)).map_err(|problems| problems.iter().map(|problem| problem.code).collect::<Vec<_>>())?;
    let locale = Locale::english();
    let audience = Audience { channel: Channel::Sms, locale: &locale, zone: TimeZone::utc(), variant: None, links: Links::default() };
    Ok(compiled.render(&audience, &given(json!({"a": "v", "n": 1, "list": [1, 2]}))).unwrap().text)
}

use TemplateKind::{Layout, Partial};

#[test]
fn blocks_are_filled_and_partials_put_in() {
    let base = ("base", Layout, "<{% block head %}head{% endblock %}|{% block body %}{% block inner %}inner{% endblock %}{% endblock %}>{% include 'foot' %}");
    let foot = ("foot", Partial, "foot {{ a }}");
    assert_eq!(composed("{% extends 'base' %}", &[base, foot]), Ok("<head|inner>foot v".to_owned()));
    assert_eq!(composed("{% extends \"base\" %}{% block inner %}{{ a }}{% endblock %}", &[base, foot]), Ok("<head|v>foot v".to_owned()));
    assert_eq!(composed("{% extends 'base' %}{% block head %}x{{ super() }}y{% endblock %}", &[base, foot]), Ok("<xheady|inner>foot v".to_owned()));
    let middle = ("middle", Layout, "{% extends 'base' %}{% block head %}middle-{{ super() }}{% endblock %}");
    assert_eq!(
        composed("{% extends 'middle' %}{% block head %}own-{{ super() }}{% endblock %}", &[base, foot, middle]),
        Ok("<own-middle-head|inner>foot v".to_owned())
    );
    assert_eq!(composed("{% for i in list %}{% include 'foot' %},{% endfor %}", &[foot]), Ok("foot v,foot v,".to_owned()));
}

#[test]
fn what_cannot_be_composed_is_a_mistake() {
    let own = ("own", Partial, "{% include 'own' %}");
    let (ping, pong) = (("ping", Layout, "{% extends 'pong' %}"), ("pong", Layout, "{% extends 'ping' %}"));
    for (template, all, code) in [
        ("{% include 'own' %}", vec![own], "CIRCLE"),
        ("{% extends 'ping' %}", vec![ping, pong], "CIRCLE"),
        ("{% include 'nothing' %}", vec![], "NO_PART"),
        ("{% extends 'foot' %}", vec![("foot", Partial, "x")], "WRONG_KIND"),
        ("{% include 'base' %}", vec![("base", Layout, "x")], "WRONG_KIND"),
        ("{% include a %}", vec![], "NOT_A_KEY"),
        ("x{% extends 'base' %}", vec![("base", Layout, "x")], "EXTENDS_FIRST"),
        ("{% extends 'base' %}x", vec![("base", Layout, "x")], "OUTSIDE_BLOCK"),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", vec![], "BLOCK_TWICE"),
        ("{% block a %}", vec![], "SYNTAX"),
    ] {
        assert_eq!(composed(template, &all), Err(vec![code]), "{template}");
    }
}

#[test]
fn bombs_do_not_go_off() {
    let tenfold = |name: &str| format!("{{% include '{name}' %}}").repeat(10);
    let names: Vec<String> = (0..8).map(|level| format!("p{level}")).collect();
    let all: Parts = names
        .iter()
        .zip(names.iter().skip(1).map(|next| tenfold(next)).chain(["x".repeat(1000)]))
        .map(|(name, body)| (key(name), part(Partial, &body)))
        .collect();
    let problems = compile(&with_names(text("{% include 'p0' %}")), &all).unwrap_err();
    assert_eq!(problems[0].code, "TOO_LARGE");
    let circle = [
        ("inner", Layout, "{% extends 'outer' %}{% block b %}{% block a %}{{ super() }}{% endblock %}{% endblock %}"),
        ("outer", Layout, "{% block a %}{% block b %}{% endblock %}{% endblock %}"),
    ];
    assert_eq!(composed("{% extends 'inner' %}{% block a %}{{ super() }}{% endblock %}", &circle), Err(vec!["TOO_DEEP"]));
}

#[test]
fn a_mistake_in_a_part_names_it() {
    let problems = compile(&with_names(text("{% include 'foot' %}")), &parts(&[("foot", Partial, "\n {{ nothing }}")])).unwrap_err();
    assert_eq!((problems[0].key.as_ref().map(TemplateKey::as_str), problems[0].line, problems[0].column), (Some("foot"), Some(2), Some(2)));
}

#[test]
fn references_and_missing_translations_are_told() {
    let mut source =
        with_names(Body { title: Some("{% include 't' %}".to_owned()), ..text("{% extends 'base' %}{% block a %}{% include \"x\" %}{% endblock %}") });
    assert_eq!(references(&source).unwrap().iter().map(TemplateKey::as_str).collect::<Vec<_>>(), ["base", "t", "x"]);
    source.locales.push(Localized { locale: Locale::new("ko").unwrap(), bodies: vec![text("x")] });
    assert_eq!(missing(&source), [(Locale::new("ko").unwrap(), None, Field::Title)]);
}
