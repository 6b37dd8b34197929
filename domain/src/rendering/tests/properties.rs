//! For any template and any data.

use super::*;
use proptest::prelude::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        hostile().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(Value::from_iter)
        ]
    })
}

/// Texts that want to be more than texts.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "<",
        ">",
        "\"",
        "'",
        "&",
        "{{ n }}",
        "{%",
        "-->",
        "</style>",
        "javascript:",
        "\r\nBcc: x",
        "\\",
        "\u{2028}",
        ":",
        ";",
        "url(",
        "\u{10080}\u{10083}\u{10081}",
        "bongsu-tag-1",
        "]]>",
        "x",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat())
}

/// Templates of pieces that mean something, in any order.
fn any_template() -> impl Strategy<Value = String> {
    let pieces = [
        "{{ a }}",
        "{{ n * 2 }}",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{% if n %}",
        "{% else %}",
        "{% elif a %}",
        "{% endif %}",
        "{% for i in list %}",
        "{{ i }}",
        "{% endfor %}",
        "{% set b = a ~ a %}",
        "{{ b }}",
        "{% raw %}",
        "{% endraw %}",
        "{% block x %}",
        "{% endblock %}",
        "{{ super() }}",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "<a href=\"",
        "\">",
        "<p>",
        "</p>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<table>",
        "<tr>",
        "<td>",
        "\"",
        "'",
        "-",
        "|",
        "upper",
        "(",
        ")",
        "\n",
        "가",
        "{{ a | date }}",
        "{{ map.x.y }}",
        "<mjml>",
        "<mj-body>",
        "</mj-body></mjml>",
        "<mj-raw>",
        "<script>",
        "&#123;",
        "{",
        "\u{10080}",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn data_never_becomes_markup(value in prop_oneof![hostile(), any::<String>()]) {
        let page = "<html><head><style>p { color: red }</style></head><body><p title=\"{{ a }}\" style=\"color: {{ a }}\">{{ a }}</p><a href=\"{{ a }}\">x</a><!-- {{ a }} --></body></html>";
        let data = "{\"x\": \"-{{ a }}-\", \"y\": {{ a }}}";
        let mut source = with_names(Body { title: Some("{{ a }}".to_owned()), data: Some(data.to_owned()), ..html(page) });
        source.locales[0].bodies[0].text = Some("{{ a }}".to_owned());
        let rendered = render(&source, json!({"a": value})).unwrap();
        let html = rendered.html.unwrap();
        // The same tags and quotes as with harmless data.
        let harmless = render(&source, json!({"a": "x"})).unwrap().html.unwrap();
        for mark in ["<", ">", "\"", "'"] {
            prop_assert_eq!(html.matches(mark).count(), harmless.matches(mark).count(), "{}", html);
        }
        prop_assert!(!html.to_lowercase().contains("href=\"javascript"));
        prop_assert!(!rendered.title.unwrap().chars().any(char::is_control));
        prop_assert_eq!(&rendered.text, &value);
        let data: Value = serde_json::from_str(&rendered.data.unwrap()).unwrap();
        prop_assert_eq!(data, json!({"x": format!("-{value}-"), "y": value}));
    }

    #[test]
    fn any_template_compiles_or_is_told_where_it_is_wrong(template in any_template(), mjml in any::<bool>(), value in any_json()) {
        let mut body = Body { title: Some(template.clone()), text: Some(template.clone()), data: Some(template.clone()), ..Body::default() };
        if mjml { body.mjml = Some(template) } else { body.html = Some(template) }
        match compile(&with_names(body), &Parts::new()) {
            Ok(compiled) => {
                let locale = Locale::english();
                let audience = Audience { channel: Channel::Email, locale: &locale, zone: TimeZone::utc(), variant: None, links: Links::default() };
                let data = given(json!({"a": value.clone(), "n": 3, "list": [value.clone(), 1], "map": {"x": value}}));
                // Whatever comes, it comes again.
                prop_assert_eq!(compiled.render(&audience, &data), compiled.render(&audience, &data));
            }
            Err(problems) => {
                for problem in problems {
                    prop_assert!(problem.place.is_some() && problem.line.is_some_and(|line| line > 0) && problem.column.is_some_and(|column| column > 0) || problem.code == "MARKUP", "{:?}", problem);
                }
            }
        }
    }

    #[test]
    fn any_text_can_be_a_template(template in any::<String>()) {
        let _ = compile(&with_names(text(&template)), &Parts::new());
        let _ = compile(&with_names(html(&template)), &Parts::new());
        // Without braces it is what it says, but for one line break at its end.
        let plain = template.replace('{', "");
        let rendered = render(&with_names(text(&plain)), json!({})).unwrap().text;
        prop_assert_eq!(rendered.trim_end_matches(['\r', '\n']), plain.trim_end_matches(['\r', '\n']));
    }
}
