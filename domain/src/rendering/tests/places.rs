//! What a value may not do, by where it stands.

use super::*;

fn html_of(template: &str, value: &str) -> String {
    render(&with_names(html(template)), json!({"a": value, "n": 1})).unwrap().html.unwrap()
}

fn refused(template: &str) -> Vec<&'static str> {
    compile(&with_names(html(template)), &Parts::new()).err().unwrap_or_default().iter().map(|problem| problem.code).collect()
}

#[test]
fn a_link_runs_nothing() {
    for hostile in ["javascript:alert(1)", "JavaScript:alert(1)", " java\nscript:x", "\u{1}javascript:x", "data:text/html,x", "vbscript:x"] {
        for template in
            ["<a href=\"{{ a }}\">x</a>", "<a href='  {{ a }}'>x</a>", "<img src=\"{{ a }}/x\">", "<a href=\"{% if n %}{{ a }}{% else %}#{% endif %}\">x</a>"]
        {
            assert!(html_of(template, hostile).contains('#'), "{template} {hostile}");
            assert!(!html_of(template, hostile).to_lowercase().contains("script:"), "{template} {hostile}");
        }
    }
    assert_eq!(html_of("<a href=\"{{ a }}\">x</a>", "https://a.example/?b=c&d"), "<a href=\"https://a.example/?b=c&amp;d\">x</a>");
    // In pieces neither.
    assert_eq!(html_of("<a href=\"java{{ a }}\">x</a>", "script:x"), "<a href=\"javascript%3Ax\">x</a>");
    assert_eq!(html_of("<a href=\"https://a.example/{{ a }}\">x</a>", "b:c"), "<a href=\"https://a.example/b:c\">x</a>");
}

#[test]
fn a_style_is_one_value() {
    assert_eq!(html_of("<p style=\"color: {{ a }}\">x</p>", "red; background: url(https://a)"), "<p style=\"color: \">x</p>");
    assert_eq!(html_of("<p style=\"color: {{ a }}\">x</p>", "#fff"), "<p style=\"color: #fff\">x</p>");
}

#[test]
fn where_no_value_is_safe_none_is_allowed() {
    for template in [
        "<a href={{ a }}>x</a>",
        "<a {{ a }}>x</a>",
        "<{{ a }}>",
        "<p data-{{ a }}=\"x\">",
        "<a onclick=\"f('{{ a }}')\">x</a>",
        "<script>var x = '{{ a }}';</script>",
        "<SCRIPT>{{ a }}</SCRIPT>",
        "<iframe srcdoc=\"{{ a }}\"></iframe>",
        "<?xml version='1.0'?><a {{ a }}>",
        "<!DOCTYPE html><a {{ a }}>",
        "<!-- x --!><a {{ a }}>",
        "<!----><a {{ a }}>",
    ] {
        assert_eq!(refused(template), ["HTML_PLACE"], "{template}");
    }
    for template in [
        "<p>{{ a }}</p>",
        "<p title='{{ a }}' class=\"b\">{{ a }}",
        "<!-- {{ a }} -->",
        "<title>{{ a }}</title><br/>{{ a }}",
        "a < b {{ a }}",
        "<!DOCTYPE html><p>{{ a }}",
    ] {
        assert_eq!(refused(template), [""; 0], "{template}");
    }
}

#[test]
fn branches_agree() {
    assert_eq!(refused("<p {% if n %}title=\"x{% endif %}{{ a }}\">"), ["BRANCHES"]);
    assert_eq!(refused("{% for i in list %}<p title=\"{% endfor %}"), ["BRANCHES"]);
    assert_eq!(refused("<p {% if n %}title=\"x\"{% endif %}>{{ a }}"), [""; 0]);
    assert_eq!(refused("<p title=\"{% if n %}x{% else %}y{% endif %}\">{{ a }}"), [""; 0]);
}

#[test]
fn conditional_comments_are_read_as_outlook_does() {
    assert_eq!(refused("<!--[if mso]><a href={{ a }}>x</a><![endif]-->"), ["HTML_PLACE"]);
    assert_eq!(refused("<!--[if mso]><a href=\"{{ a }}\">x</a><![endif]--><p>{{ a }}</p>"), [""; 0]);
    assert_eq!(refused("<!--[if !mso]><!--><a href=\"{{ a }}\">x</a><!--<![endif]--><p>{{ a }}</p><a {{ a }}>"), ["HTML_PLACE"]);
    assert!(html_of("<!--[if mso]><a href=\"{{ a }}\">x</a><![endif]-->", "javascript:x").contains('#'));
}

#[test]
fn data_stays_one_object() {
    let source = |data: &str| with_names(Body { data: Some(data.to_owned()), ..text("x") });
    let hostile = "\"}, \\ \n{";
    let rendered = render(
        &source(r#"{"a": {{ a }}, "b": "x{{ a }}\"{{ n }}", "c": {{ list }}, "d": {% if n %}1{% else %}"y"{% endif %}}"#),
        json!({"a": hostile, "n": 2, "list": [1, {"x": null}]}),
    );
    let data: Value = serde_json::from_str(&rendered.unwrap().data.unwrap()).unwrap();
    assert_eq!(data, json!({"a": hostile, "b": format!("x{hostile}\"2"), "c": [1, {"x": null}], "d": 1}));
    assert!(matches!(render(&source("[{{ n }}]"), json!({"n": 1})), Err(RenderError::Failed { field: Field::Data, .. })));
    let problems = compile(&source("{\"a\": \"{% if n %}\"{% endif %}}"), &Parts::new()).unwrap_err();
    assert_eq!(problems[0].code, "BRANCHES");
}
