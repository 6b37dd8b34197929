//! Templates and data that want all memory and all time, and how much they get.
//!
//! A process of its own, so that the most memory it ever had is theirs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::calendar::TimeZone;
use domain::rendering::{Audience, Links, Parts, RenderError, compile};
use domain::template::{Body, Localized, Parameter, ParameterType, Source, TemplateKind};
use domain::values::{Channel, Locale};
use serde_json::{Map, Value, json};

/// More than anything here may add to the memory of the process.
const MOST: usize = 256 * 1024 * 1024;

fn source(text: &str) -> Source {
    let parameter = |name: &str, kind| Parameter { name: name.to_owned(), kind, description: String::new(), required: false, default: None, example: None };
    Source {
        name: "hostile".to_owned(),
        description: String::new(),
        tags: Vec::new(),
        kind: TemplateKind::Message,
        default_locale: Locale::english(),
        parameters: vec![parameter("a", ParameterType::String), parameter("list", ParameterType::List)],
        locales: vec![Localized { locale: Locale::english(), bodies: vec![Body { text: Some(text.to_owned()), ..Body::default() }] }],
    }
}

fn outcome(template: &str, parameters: &Map<String, Value>) -> Result<usize, &'static str> {
    let compiled = compile(&source(template), &Parts::new()).unwrap_or_else(|problems| panic!("{template}: {problems:?}"));
    let locale = Locale::english();
    let audience = Audience { channel: Channel::Sms, locale: &locale, zone: TimeZone::utc(), variant: None, links: Links::default() };
    let result = compiled.render(&audience, parameters);
    result.map(|rendered| rendered.text.len()).map_err(|error| match error {
        RenderError::Limit { limit, .. } => limit.name(),
        other => panic!("{template}: {other}"),
    })
}

/// The most memory that this process ever had, in bytes; none where the system does not tell.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok()? * 1024)
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn nothing_takes_more_than_its_share() {
    let before = peak();
    let long = "x".repeat(200_000);
    let data = |a: Value, list: Value| match json!({"a": a, "list": list}) {
        Value::Object(map) => map,
        _ => unreachable!(),
    };
    let numbers: Vec<usize> = (0..19_000).collect();
    let (texts, lists, few) = (data(json!(long), json!([])), data(json!("x"), json!(numbers)), data(json!("x"), json!((0..1000).collect::<Vec<_>>())));
    let joined = vec!["a"; 32].join(" ~ ");
    let kept: String = (0..100).map(|index| format!("{{% set b{index} = list | sort %}}")).collect();
    for (template, parameters, meant) in [
        ("{% for i in list %}{% for j in list %}{% for k in list %}{% endfor %}{% endfor %}{% endfor %}".to_owned(), &few, Err("steps")),
        ("{% for i in list %}{% for j in list %}xxxxxxxxxx{% endfor %}{% endfor %}".to_owned(), &few, Err("output")),
        ("{{ a }}".to_owned(), &texts, Err("output")),
        (format!("{{{{ ({joined}) | length }}}}"), &texts, Ok(7)),
        (format!("{{% for i in 'xxxxxxxxxxxxxxxxxxxx' %}}{{% if ({joined}) == a %}}{{% endif %}}{{% endfor %}}"), &texts, Ok(0)),
        ("{{ a | replace('x', a) }}".to_owned(), &texts, Err("output")),
        ("{{ list | join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}".to_owned(), &lists, Err("output")),
        (kept, &lists, Err("steps")),
        ("{% for i in list %}{% set b = list | sort | reverse | unique %}{% endfor %}".to_owned(), &lists, Err("steps")),
        ("{% for i in list %}{% if 'x' in list %}{% endif %}{% endfor %}".to_owned(), &lists, Err("steps")),
        ("{% for i in list %}{% if list == list %}{% endif %}{% endfor %}".to_owned(), &lists, Err("steps")),
        ("{% for i in a %}{{ a | upper | truncate(1) }}{% endfor %}".to_owned(), &texts, Err("steps")),
        ("{{ list | json }}".to_owned(), &lists, Err("output")),
        ("x".to_owned(), &data(json!("x".repeat(300_000)), json!([])), Err("parameters")),
        ("x".to_owned(), &data(json!("x"), json!(vec![0; 30_000])), Err("parameters")),
        ("x".to_owned(), &data(json!("x"), nested(100)), Err("levels")),
    ] {
        assert_eq!(outcome(&template, parameters), meant, "{template}");
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < MOST, "{} MB", (after - before) / 1024 / 1024);
        println!("most memory added: {} MB", (after - before) / 1024 / 1024);
    }
}
