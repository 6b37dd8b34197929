//! Templates that are refused before anything of them runs.

use super::*;

#[test]
fn what_could_take_any_memory_is_refused() {
    for (template, code) in [
        ("{{ 'x' * 1000000000 }}", "NOT_A_NUMBER"),
        ("{{ list * 1000000 }}", "NOT_A_NUMBER"),
        ("{{ list + list }}", "NOT_A_NUMBER"),
        ("{{ n ** 'x' }}", "NOT_A_NUMBER"),
        ("{% set b = a ~ a %}{% set c = b ~ b %}{% set d = c ~ c %}{% set e = d ~ d %}{% set f = e ~ e %}{% set g = f ~ f %}", "GROWS"),
        ("{% with b = a ~ a ~ a ~ a ~ a ~ a, c = b ~ b ~ b ~ b ~ b ~ b %}{{ c }}{% endwith %}", "GROWS"),
        ("{% set b = a %}{% for i in list %}{% set b = b ~ b %}{% endfor %}", "GROWS"),
        ("{% for b in [a, a] %}{% endfor %}", "NOT_ALLOWED"),
        ("{{ {'x': a} }}", "NOT_ALLOWED"),
        ("{% set b %}{{ a }}{% endset %}", "NOT_ALLOWED"),
        ("{% filter upper %}{{ a }}{% endfilter %}", "NOT_ALLOWED"),
        ("{% autoescape false %}{{ a }}{% endautoescape %}", "NOT_ALLOWED"),
        ("{% for i in list recursive %}{{ loop(i) }}{% endfor %}", "NOT_ALLOWED"),
        ("{{ range(1000000000) }}", "NOT_ALLOWED"),
        ("{{ a | safe }}", "UNKNOWN_FILTER"),
        ("{{ a | _json_text }}", "UNKNOWN_FILTER"),
        ("{{ '%1000000000d' | format(1) }}", "UNKNOWN_FILTER"),
        ("{{ a.upper() }}", "NOT_ALLOWED"),
        ("{% do a.x() %}", "NOT_ALLOWED"),
        ("{% set bongsu = a %}", "NOT_ALLOWED"),
        ("{{ a | replace(*list) }}", "NOT_ALLOWED"),
        ("{{ bongsu.secret }}", "UNKNOWN_PARAMETER"),
    ] {
        assert!(codes(template).contains(&code), "{template}: {:?}", codes(template));
    }
    let kept = "{% set b = a | upper %}".repeat(200);
    assert_eq!(codes(&kept).first(), Some(&"GROWS"));
}

#[test]
fn what_could_take_any_stack_is_refused() {
    for (template, code) in [
        (format!("{{{{ {} }}}}", vec!["a"; 50_000].join(" ~ ")), "TAG_TOO_LONG"),
        (format!("{{{{ {}a{} }}}}", "(".repeat(900), ")".repeat(900)), "SYNTAX"),
        ("{% if a %}".repeat(5_000), "TOO_DEEP"),
        (format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(5_000)), "TOO_DEEP"),
        (format!("{{{{ {}a }}}}", "- ".repeat(900)), ""),
        (format!("{{{{ {}a }}}}", "not ".repeat(450)), ""),
        (format!("{{{{ a{} }}}}", "|upper".repeat(300)), ""),
        (format!("{{{{ a{} }}}}", ".x".repeat(900)), ""),
        (format!("{{{{ a{} }}}}", " ~ a".repeat(300)), "GROWS"),
        ("x".repeat(300_000), "TOO_LARGE"),
    ] {
        assert_eq!(codes(&template).first().copied().unwrap_or_default(), code, "{}", template.chars().take(40).collect::<String>());
    }
}

#[test]
fn what_is_harmless_is_allowed() {
    for template in [
        "{{ 'Order ' ~ a ~ ' of ' ~ n }}",
        "{{ (a | float) * n + 1 }}",
        "{% for k in map %}{{ k }}={{ map[k] }}{% endfor %}",
        "{% if a in ['x', 'y'] and n is number %}{{ loop_ if false else '' }}{% endif %}".replace("loop_ if false else ''", "'' if a else a").as_str(),
        "{% for i in list if i > 1 %}{{ loop.cycle('odd', 'even') }}{% else %}none{% endfor %}",
        "{{ a[:3] }}{{ list[0] }}",
        "{% set total = 0 %}{{ total + n }}",
    ] {
        assert_eq!(codes(template), [""; 0], "{template}");
    }
}
