//! What everybody needs: values, escaping, strictness, places of mistakes.

use super::*;

#[test]
fn values_are_shown_and_filtered() {
    let data = json!({"a": "kim", "n": 3, "list": [3, 1, 2], "map": {"x": "y"}});
    for (template, meant) in [
        ("Hello {{ a | capitalize }}!", "Hello Kim!"),
        ("{{ n * 2 + 1 }}", "7"),
        ("{% for i in list | sort %}{{ loop.index }}:{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "1:1,2:2,3:3"),
        ("{{ map.x }}{{ map['x'] }}", "yy"),
        ("{% if n > 2 %}many{% else %}few{% endif %}", "many"),
        ("{{ list | join(', ') }}", "3, 1, 2"),
        ("{{ a | default('you') }}", "kim"),
        ("{% raw %}{{ a }}{% endraw %}{{ '{' }}%", "{{ a }}{%"),
        ("{% set b = a | upper %}{{ b }}", "KIM"),
        ("a{# nothing #}b", "ab"),
        ("{{ list | sum }} {{ list | max }} {{ list | length }}", "6 3 3"),
        ("{{ a | truncate(2) }}", "k…"),
    ] {
        assert_eq!(shown(template, data.clone()), Ok(meant.to_owned()), "{template}");
    }
}

#[test]
fn what_is_missing_is_told_and_not_left_out() {
    let error = shown("Hello {{ a }}", json!({})).unwrap_err();
    assert_eq!(error, RenderError::Undefined { name: "a".to_owned(), field: Field::Text });
    assert_eq!(shown("Hello {{ a | default('you') }}", json!({"a": null})), Ok("Hello you".to_owned()));
    assert_eq!(shown("{% if a is defined %}x{% endif %}", json!({})), Ok(String::new()));
}

#[test]
fn mistakes_come_with_their_place() {
    let problems = compile(&with_names(text("Hello\n {{ b }}")), &Parts::new()).unwrap_err();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!((problem.code, problem.line, problem.column), ("UNKNOWN_PARAMETER", Some(2), Some(2)));
    assert_eq!(problem.place.as_ref().map(|place| place.field), Some(Field::Text));
    assert_eq!(codes("{{ a | uper }}"), ["UNKNOWN_FILTER"]);
    assert_eq!(codes("{{ a"), ["SYNTAX"]);
    assert_eq!(codes("{% if a %}"), ["SYNTAX"]);
    assert_eq!(codes("{% macro x() %}{% endmacro %}"), ["SYNTAX"]);
}

#[test]
fn html_is_escaped_and_text_is_not() {
    let mut body = html("<b>{{ a }}</b>");
    body.text = Some("{{ a }}".to_owned());
    body.title = Some("{{ a }}".to_owned());
    let rendered = render(&with_names(body), json!({"a": "<i>\"'&\r\nBcc: x"})).unwrap();
    assert_eq!(rendered.html.as_deref(), Some("<b>&lt;i&gt;&quot;&#x27;&amp;\r\nBcc: x</b>"));
    assert_eq!(rendered.text, "<i>\"'&\r\nBcc: x");
    assert_eq!(rendered.title.as_deref(), Some("<i>\"'&  Bcc: x"));
}

#[test]
fn publishing_tries_the_examples() {
    let mut source = with_names(text("Hi {{ a }}"));
    let examined = examine(&source, &Parts::new());
    assert_eq!(
        examined.problems.iter().map(|problem| (problem.code, problem.line, problem.column)).collect::<Vec<_>>(),
        [("TEMPLATE_UNDEFINED", Some(1), Some(4))]
    );
    for parameter in &mut source.parameters {
        parameter.required = true;
    }
    assert_eq!(examine(&source, &Parts::new()), Examination::default());
    source.parameters[0].required = false;
    source.parameters[0].example = Some(json!("kim"));
    let examined = examine(&source, &Parts::new());
    assert!(examined.problems.is_empty());
    assert_eq!(examined.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["NEEDS_OPTIONAL"]);
}

#[test]
fn what_receivers_would_cut_is_told() {
    let mut source = with_names(html(&format!("<p>{}</p>", "x".repeat(110_000))));
    source.locales[0].bodies.push(Body { channel: Some(Channel::IosPush), title: Some("t".repeat(60)), ..text(&"x".repeat(200)) });
    source.locales[0].bodies.push(Body { channel: Some(Channel::Sms), ..text(&"가".repeat(71)) });
    let warnings = examine(&source, &Parts::new()).warnings;
    assert_eq!(
        warnings.iter().map(|warning| (warning.code, warning.place.field)).collect::<Vec<_>>(),
        [("CLIPPED", Field::Html), ("LONG", Field::Title), ("LONG", Field::Text), ("SEGMENTS", Field::Text)]
    );
}
