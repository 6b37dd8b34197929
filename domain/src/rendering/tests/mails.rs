//! MJML, styles, preheaders, and the text part that is made of HTML.

use super::*;

fn mail(mjml: &str) -> Source {
    with_names(Body { channel: Some(Channel::Email), mjml: Some(mjml.to_owned()), ..Body::default() })
}

const ORDER: &str = r#"<mjml><mj-head><mj-style>.red { color: red }</mj-style></mj-head><mj-body>
  {% if n %}<mj-section><mj-column><mj-text css-class="red">Hello <b>{{ a }}</b></mj-text>
  {% for i in list %}<mj-text>{{ loop.index }}. {{ i }}</mj-text>{% endfor %}
  <mj-button href="{{ a }}/x">Open</mj-button></mj-column></mj-section>{% else %}<mj-section><mj-column><mj-text>None</mj-text></mj-column></mj-section>{% endif %}
</mj-body></mjml>"#;

#[test]
fn mjml_is_compiled_with_its_tags_in_place() {
    let rendered = render(&mail(ORDER), json!({"a": "https://a.example", "n": 1, "list": ["<x>", "y"]})).unwrap();
    let html = rendered.html.unwrap();
    assert!(html.contains("Hello <b>https://a.example</b>"), "{html}");
    assert!(html.contains("1. &lt;x&gt;") && html.contains("2. y"), "{html}");
    assert!(html.contains("href=\"https://a.example/x\""), "{html}");
    assert!(!html.contains("None") && !html.contains("<mj-") && !html.contains("bongsu-") && !html.contains('\u{10080}'), "{html}");
    let rendered = render(&mail(ORDER), json!({"a": "javascript:x", "n": 0, "list": []})).unwrap();
    assert!(rendered.html.unwrap().contains("None"));
    assert_eq!(rendered.text, "None");
}

#[test]
fn the_text_part_is_made_from_the_html() {
    let rendered = render(&mail(ORDER), json!({"a": "https://a.example", "n": 1, "list": ["<x>", "y"]})).unwrap();
    assert_eq!(
        rendered.text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
        ["Hello https://a.example", "1. <x>", "2. y", "Open (https://a.example/x)"]
    );
    let source = with_names(html(
        "<h1>A &amp; B</h1><p>One\n two</p><ul><li>x</li><li>{{ a }}</li></ul><a href=\"{{ a }}\">{{ a }}</a>&#123;&#123; a }}<style>p{}</style>{% if n %}<p>n</p>{% endif %}<p>end</p>",
    ));
    let rendered = render(&source, json!({"a": "v", "n": 0})).unwrap();
    assert_eq!(rendered.text, "A & B\n\nOne two\n\n- x\n- v\n\nv{{ a }}\n\nend");
}

#[test]
fn styles_go_to_their_elements_and_tags_stay() {
    let source = "<html><head><style>.a{color:red} @media (max-width:1px){.a{color:blue}}</style></head><body><table>{% for i in list %}<tr><td class=\"a\" {% if n %}title=\"{{ i }}\"{% endif %}>{{ i }}</td></tr>{% endfor %}</table></body></html>";
    let html = render(&with_names(html(source)), json!({"n": 1, "list": ["x", "y"]})).unwrap().html.unwrap();
    assert!(html.contains("@media"), "{html}");
    assert_eq!(html.matches("<tr><td class=\"a\"").count(), 2, "{html}");
    assert_eq!(html.matches("color: red").count(), 2, "{html}");
    assert!(html.contains("title=\"y\""), "{html}");
}

#[test]
fn a_preheader_comes_first() {
    let mut source = with_names(html("<html><body class=\"x\"><p>Hello</p></body></html>"));
    source.locales[0].bodies[0].preheader = Some("Only today: {{ a }}".to_owned());
    let rendered = render(&source, json!({"a": "<b>"})).unwrap();
    assert!(
        rendered
            .html
            .unwrap()
            .contains("<body class=\"x\"><div style=\"display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all\">Only today: &lt;b&gt;")
    );
    assert_eq!(rendered.text, "Hello");
}

#[test]
fn mistakes_in_markup_have_a_place() {
    let problem = |mjml: &str| {
        let problems = compile(&mail(mjml), &Parts::new()).unwrap_err();
        (problems[0].code, problems[0].line, problems[0].column)
    };
    assert_eq!(problem("<mjml>\n<mj-body>\n <mj-nothing></mj-body></mjml>").0, "MJML");
    assert_eq!(
        problem("<mjml><mj-body>\n<mj-section><mj-column><mj-text>{{ b }}</mj-text></mj-column></mj-section></mj-body></mjml>"),
        ("UNKNOWN_PARAMETER", Some(2), Some(33))
    );
    assert_eq!(problem("<mjml><mj-body><mj-section nothing=\"{{ a }}\"></mj-section></mj-body></mjml>").0, "TAG_LOST");
    assert_eq!(problem("<mjml><mj-body><mj-include path=\"/etc/passwd\" /></mj-body></mjml>").0, "MJML");
    let deep = format!("<mjml><mj-body><mj-raw>{}</mj-raw></mj-body></mjml>", "<div>".repeat(20_000));
    assert_eq!(problem(&deep).0, "TOO_DEEP");
}
