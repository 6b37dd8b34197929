//! What rendering costs: `cargo bench -p domain`. No test, as no test asserts a time.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench measures, and nothing depends on it")]

use domain::calendar::TimeZone;
use domain::rendering::{Audience, Compiled, Links, Parts, compile};
use domain::template::{Body, Localized, Parameter, ParameterType, Source, TemplateKind};
use domain::values::{Channel, Locale};
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::time::Instant;

fn source(bodies: Vec<Body>) -> Source {
    let parameter = |(name, kind): (&str, ParameterType)| Parameter {
        name: name.to_owned(),
        kind,
        description: String::new(),
        required: true,
        default: None,
        example: None,
    };
    let kinds = [
        ("name", ParameterType::String),
        ("order", ParameterType::String),
        ("total", ParameterType::Number),
        ("at", ParameterType::DateTime),
        ("url", ParameterType::Url),
        ("items", ParameterType::List),
    ];
    Source {
        name: "bench".to_owned(),
        description: String::new(),
        tags: Vec::new(),
        kind: TemplateKind::Message,
        default_locale: Locale::english(),
        parameters: kinds.into_iter().map(parameter).collect(),
        locales: vec![Localized { locale: Locale::english(), bodies }],
    }
}

fn push() -> Body {
    Body { title: Some("Order {{ order }}".to_owned()), text: Some("Hello {{ name }}, your order {{ order }} is on its way.".to_owned()), ..Body::default() }
}

/// Ten items, dates and amounts, about 15 KB of HTML.
fn mail() -> Body {
    let mjml = r##"<mjml><mj-head><mj-style>.item td { padding: 4px } a { color: #06c }</mj-style></mj-head><mj-body background-color="#f4f4f4">
<mj-section background-color="#fff"><mj-column><mj-image src="https://shop.example/logo.png" alt="Shop" width="120px" /><mj-text font-size="20px">Thank you, {{ name }}</mj-text>
<mj-text>Your order <b>{{ order }}</b> of {{ at | date("long") }} is on its way.</mj-text></mj-column></mj-section>
<mj-section background-color="#fff"><mj-column><mj-table css-class="item">{% for item in items %}<tr><td>{{ item.name }}</td><td>{{ item.count | plural(one="# piece", other="# pieces") }}</td><td align="right">{{ item.price | currency("USD") }}</td></tr>{% endfor %}
<tr><td colspan="2">Total</td><td align="right">{{ total | currency("USD") }}</td></tr></mj-table>
<mj-button href="{{ url }}">Follow it</mj-button></mj-column></mj-section>
<mj-section><mj-column><mj-text font-size="11px">{% if bongsu.unsubscribe is defined %}<a href="{{ bongsu.unsubscribe }}">Unsubscribe</a>{% endif %}</mj-text></mj-column></mj-section>
</mj-body></mjml>"##;
    Body {
        channel: Some(Channel::Email),
        title: Some("Order {{ order }}".to_owned()),
        preheader: Some("It comes soon, {{ name }}".to_owned()),
        mjml: Some(mjml.to_owned()),
        ..Body::default()
    }
}

fn parameters() -> Map<String, Value> {
    let items: Vec<Value> = (1..=10).map(|index| json!({"name": format!("Item <{index}>"), "count": index, "price": 12.5 * f64::from(index)})).collect();
    let all = json!({"name": "Kim & Sons", "order": "A-1042", "total": 687.5, "at": "2026-11-22T01:30:00Z", "url": "https://shop.example/orders/1042?x=1&y=2", "items": items});
    match all {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Microseconds for one of many.
fn measure(what: &str, times: u32, mut run: impl FnMut()) {
    (0..times / 10).for_each(|_| run());
    let rounds = (0..5).map(|_| {
        let start = Instant::now();
        (0..times).for_each(|_| run());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(times)
    });
    let best = rounds.fold(f64::INFINITY, f64::min);
    println!("{what}: {best:.2} us");
}

fn render(compiled: &Compiled, channel: Channel, parameters: &Map<String, Value>) {
    let locale = Locale::english();
    let links = Links { unsubscribe: Some("https://b.example/u/x".to_owned()), preferences: None };
    let audience = Audience { channel, locale: &locale, zone: TimeZone::utc(), variant: None, links };
    black_box(compiled.render(&audience, black_box(parameters)).unwrap());
}

fn main() {
    let small: Map<String, Value> = parameters().into_iter().filter(|(name, _)| name != "items").collect();
    let all = parameters();
    let (push, mail) = (source(vec![push()]), source(vec![mail()]));
    let (push_compiled, mail_compiled) = (compile(&push, &Parts::new()).unwrap(), compile(&mail, &Parts::new()).unwrap());
    measure("push", 100_000, || render(&push_compiled, Channel::AndroidPush, &small));
    measure("e-mail", 5_000, || render(&mail_compiled, Channel::Email, &all));
    measure("compiling the push", 1_000, || drop(black_box(compile(&push, &Parts::new()))));
    measure("compiling the e-mail", 100, || drop(black_box(compile(&mail, &Parts::new()))));
    println!("compiled: push {} bytes, e-mail {} bytes", push_compiled.bytes(), mail_compiled.bytes());
}
