#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use domain::template::{Body, Experiment, Localized, Parameter, ParameterType, TemplateKind, Variant};
use domain::values::Locale;
use serde_json::json;

fn files(all: &[(&str, &str)]) -> Files {
    all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const HEAD_TEXT: &str = "name = \"Order\"\ndefault_locale = \"en\"\n";

fn mistake(name: &str, text: &str) -> (String, usize, String) {
    let mut all = files(&[(HEAD, HEAD_TEXT)]);
    all.insert(name.to_owned(), text.to_owned());
    let mistakes = read(&all).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    (mistakes[0].at.file.clone(), mistakes[0].at.line, mistakes[0].message.clone())
}

fn everything() -> Source {
    let parameter = |name: &str, kind, example| Parameter { name: name.to_owned(), kind, description: String::new(), required: false, default: None, example };
    let texts = [
        "plain",
        "two\nlines\n",
        "\n\n  begins \"with\" lines\\",
        "'''three''' and \"\"\"three\"\"\" \\n",
        "ends\r\nlike elsewhere\r",
        "\u{7}bell \u{85} 안녕",
        "",
    ];
    let body = |channel, index: usize| Body {
        channel,
        title: texts.get(index % texts.len()).map(|text| (*text).to_owned()),
        text: texts.get((index + 1) % texts.len()).map(|text| (*text).to_owned()),
        data: Some("{\"a\": {{ n }}}".to_owned()),
        ..Body::default()
    };
    let mut locales: Vec<Localized> = ["ko", "en", "zh-Hant-TW"]
        .iter()
        .enumerate()
        .map(|(index, tag)| Localized { locale: Locale::new(tag).unwrap(), bodies: vec![body(Some(Channel::Sms), index), body(None, index + 3)] })
        .collect();
    locales[0].bodies.push(Body { channel: Some(Channel::Email), mjml: Some("<mjml>\n</mjml>\n\n".to_owned()), ..Body::default() });
    locales[1].bodies.push(Body { channel: Some(Channel::Email), html: Some("<p>\r\n</p>".to_owned()), preheader: Some("p".to_owned()), ..Body::default() });
    Source {
        name: "Order \"shipped\"".to_owned(),
        description: "Two\nlines".to_owned(),
        tags: vec!["orders".to_owned(), "a, b".to_owned()],
        kind: TemplateKind::Partial,
        default_locale: Locale::english(),
        parameters: vec![
            Parameter { required: true, description: "Which".to_owned(), default: Some(json!(7)), ..parameter("n", ParameterType::Integer, Some(json!(-1))) },
            parameter("f", ParameterType::Number, Some(json!(1.0))),
            parameter("at", ParameterType::DateTime, Some(json!("2026-11-22T09:30:00Z"))),
            parameter("list", ParameterType::List, Some(json!([{ "a b": 1, "c": [1, "x", true] }, {}, []]))),
            parameter("object", ParameterType::Object, Some(json!({ "nothing": null, "large": u64::MAX }))),
            parameter("none", ParameterType::Boolean, None),
        ],
        experiment: None,
        locales,
    }
}

fn tried() -> Source {
    let whole = everything();
    let variant = |name: &str, weight, locales: &[Localized]| Variant { name: name.to_owned(), weight, locales: locales.to_vec() };
    // Their order says who gets which.
    let variants = vec![variant("warm", 30, &whole.locales[..2]), variant("a.b-c", 0, &whole.locales[2..])];
    Source { experiment: Some(Experiment { name: "tone".to_owned(), control_weight: 70, variants }), kind: TemplateKind::Message, ..whole }
}

#[test]
fn what_was_written_is_read_as_it_was() {
    let source = everything();
    let written = write(&source);
    let read_again = read(&written).unwrap();
    assert_eq!(read_again.source, ordered(source));
    assert_eq!(write(&read_again.source), written, "and has one form");
}

#[test]
fn an_experiment_is_read_as_it_was_with_a_folder_for_each_variant() {
    let source = tried();
    let written = write(&source);
    let folders: Vec<&str> = written.keys().filter_map(|name| Some(name.split_once('/')?.0)).collect();
    assert!(folders.contains(&"variant-warm") && folders.contains(&"variant-a.b-c"), "{folders:?}");
    assert!(written[HEAD].contains("[experiment]\nname = \"tone\"\ncontrol_weight = 70\n\n[[experiment.variants]]\nname = \"warm\"\nweight = 30\n"));
    let read_again = read(&written).unwrap();
    assert_eq!(read_again.source, ordered(source));
    assert_eq!(write(&read_again.source), written, "and has one form");
    let warm = (Some("warm".to_owned()), "ko".to_owned(), Some(Channel::Sms), "title");
    assert_eq!(read_again.fields[&warm].file, "variant-warm/ko.toml");
}

#[test]
fn a_folder_of_no_variant_is_a_mistake() {
    let (file, _, message) = mistake("variant-warm/en.toml", "[any]\ntext = \"a\"\n");
    assert_eq!(file, "variant-warm/en.toml");
    assert!(message.contains("no variant `warm`"), "{message}");
}

#[test]
fn differences_are_told_file_by_file() {
    let files = |text: &str| write(&Source { description: text.to_owned(), ..tried() });
    let told = differences(("old", "new"), &files("a"), &files("b"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, HEAD);
    assert!(told[0].1.starts_with("--- old/template.toml\n+++ new/template.toml\n@@ ") && told[0].1.contains("-description = \"a\"\n+description = \"b\"\n"));
    let mut more = tried();
    more.experiment = None;
    let told = differences(("old", "new"), &write(&tried()), &write(&more));
    assert!(told.iter().any(|(file, told)| file == "variant-warm/en.toml" && !told.lines().skip(2).any(|line| line.starts_with('+'))), "{told:?}");
}

#[test]
fn texts_may_stand_beside_their_language() {
    let all = files(&[
        (HEAD, HEAD_TEXT),
        ("en.toml", "[email]\r\ntitle = \"Hello\"\r\n"),
        ("en.email.mjml", "<mjml>\r\n</mjml>\r\n"),
        ("en.any.txt", "one\ntwo"),
        ("ko.sms.txt", "하나\n"),
    ]);
    let source = read(&all).unwrap().source;
    assert_eq!(source.locales.len(), 2);
    let email = &source.locales[0].bodies[1];
    assert_eq!((email.title.as_deref(), email.mjml.as_deref()), (Some("Hello"), Some("<mjml>\n</mjml>")));
    assert_eq!(source.locales[0].bodies[0].text.as_deref(), Some("one\ntwo"));
    assert_eq!(source.locales[1].bodies[0].text.as_deref(), Some("하나"));
}

#[test]
fn every_text_knows_where_it_stands() {
    let text = "[any]\ntitle = \"Hi {{ a }}\"\ntext = \"\"\"\nfirst\n  {{ b }}\"\"\"\n[sms]\ntext = 'x'\n";
    let all = files(&[(HEAD, HEAD_TEXT), ("en.toml", text), ("en.email.html", "<p>")]);
    let fields = read(&all).unwrap().fields;
    let at = |channel, field, line, column| {
        let at = fields[&(None, "en".to_owned(), channel, field)].within(line, column);
        (at.file, at.line, at.column)
    };
    assert_eq!(at(None, "title", 1, 4), ("en.toml".to_owned(), 2, 13));
    assert_eq!(at(None, "text", 2, 3), ("en.toml".to_owned(), 5, 3));
    assert_eq!(at(Some(Channel::Sms), "text", 1, 1), ("en.toml".to_owned(), 7, 9));
    assert_eq!(at(Some(Channel::Email), "html", 1, 2), ("en.email.html".to_owned(), 1, 2));
}

#[test]
fn mistakes_name_file_and_line() {
    for (name, text, line, part) in [
        ("en.toml", "[any]\ntext = \"a\"\ntitel = \"b\"\n", 3, "unknown field `titel`"),
        ("en.toml", "[any]\ntext = \"a\"\n\n[emial]\ntext = \"b\"\n", 4, "no channel `emial`"),
        ("en.toml", "[any]\ntext = \"a\n", 2, ""),
        ("en.toml", "[any]\ntext = 3\n", 2, "string"),
        ("EN.toml", "[any]\ntext = \"a\"\n", 1, "written `en`"),
        ("english.toml", "", 1, "no language"),
        ("notes.txt", "", 1, "the files are"),
        ("en.email.pdf", "", 1, "the files are"),
        ("en.emial.html", "", 1, "no channel `emial`"),
        (HEAD, "name = \"a\"\ndefault_locale = \"en\"\nextra = 1\n", 3, "unknown field `extra`"),
        (HEAD, "name = \"a\"\n\ndefault_locale = \"EN\"\n", 3, "written `en`"),
        (HEAD, "name = \"a\"\ndefault_locale = \"en\"\n[[parameters]]\nname = \"x\"\ntype = \"text\"\n", 5, "unknown variant `text`"),
        (HEAD, "name = \"a\"\ndefault_locale = \"en\"\n[[parameters]]\nname = \"x\"\ntype = \"number\"\nexample = nan\n", 6, "JSON has no such number"),
        (HEAD, "name = \"a\"\ndefault_locale = \"en\"\n[[parameters]]\nname = \"x\"\ntype = \"list\"\nexample_json = \"[\"\n", 6, "no JSON"),
    ] {
        let (file, at, message) = mistake(name, text);
        assert_eq!((file.as_str(), at), (name, line), "{text:?}: {message}");
        assert!(message.contains(part), "{text:?}: {message}");
    }
    let mistakes = read(&files(&[("en.toml", "")])).unwrap_err();
    assert!(mistakes[0].message.contains("template.toml"), "{mistakes:?}");
}

#[test]
fn a_text_written_twice_is_a_mistake() {
    let all = files(&[(HEAD, HEAD_TEXT), ("en.toml", "[any]\ntext = \"a\"\n"), ("en.any.txt", "b")]);
    assert!(read(&all).unwrap_err()[0].message.contains("en.toml too"));
}
