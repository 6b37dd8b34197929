//! Folders of templates: those that come with Bongsu, and what is said of wrong ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::folder::{Folder, files};
use super::lint::remarks;
use crate::template_files::{read, write};
use domain::calendar::TimeZone;
use domain::rendering::{Audience, Links, compile};
use domain::template::TemplateKind;
use domain::values::Channel;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn blessing() -> bool {
    std::env::var_os("BONGSU_BLESS").is_some()
}

fn ready_made() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/templates")
}

/// Compares with a stored file, or stores it.
fn golden(path: &Path, text: &str) {
    if blessing() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == text, "{} is not what is rendered now; look at it, then run the tests with BONGSU_BLESS=1", path.display());
}

#[test]
fn ready_made_templates_have_no_problems_and_no_warnings() {
    let folder = Folder::read(&ready_made()).unwrap();
    // Korean text messages have 70 characters, which a link alone may take.
    let told: Vec<String> =
        remarks(&folder).iter().filter(|remark| remark.code != "SEGMENTS" || remark.file.contains("/en")).map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(folder.templates.len(), 7);
    for (key, read) in &folder.templates {
        let languages: Vec<&str> = read.source.locales.iter().map(|localized| localized.locale.as_str()).collect();
        assert_eq!(languages, ["en", "ko"], "{key}");
    }
}

#[test]
fn templates_of_the_binary_are_whole() {
    for (key, embedded) in super::embedded::ALL {
        let stored: Vec<String> = files(&ready_made().join(key)).unwrap().into_keys().collect();
        let mut names: Vec<&str> = embedded.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, stored, "{key}");
    }
}

/// So that a pull gives these very files.
#[test]
fn ready_made_templates_are_in_the_form_that_is_written() {
    for key in Folder::read(&ready_made()).unwrap().templates.keys() {
        let path = ready_made().join(key.as_str());
        let stored = files(&path).unwrap();
        let written = write(&read(&stored).unwrap().source);
        if blessing() {
            stored.keys().for_each(|name| std::fs::remove_file(path.join(name)).unwrap());
            written.iter().for_each(|(name, text)| std::fs::write(path.join(name), text).unwrap());
        }
        assert_eq!(files(&path).unwrap(), written, "{key}: run the tests with BONGSU_BLESS=1");
    }
}

/// What everybody would read, in each language; tests/golden/templates has it.
#[test]
fn ready_made_templates_say_what_they_said() {
    let folder = Folder::read(&ready_made()).unwrap();
    let golden_files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/templates");
    let link = |what: &str| Some(format!("https://notify.example.com/{what}/0123"));
    let messages = folder.templates.iter().filter(|(_, read)| read.source.kind == TemplateKind::Message);
    for (key, read) in messages {
        let source = &read.source;
        let compiled = compile(source, &folder.parts(source)).unwrap();
        for localized in &source.locales {
            let mut told = String::new();
            for channel in [Channel::InApp, Channel::Sms, Channel::Email] {
                let links = Links { unsubscribe: link("u"), preferences: link("p") };
                let zone = TimeZone::new(if localized.locale.language() == "ko" { "Asia/Seoul" } else { "America/New_York" }).unwrap();
                let audience = Audience { channel, locale: &localized.locale, zone, variant: None, links };
                let rendered = compiled.render(&audience, &source.examples()).unwrap();
                let _ = writeln!(told, "== {channel}\n{}\n--\n{}\n", rendered.title.unwrap_or_default(), rendered.text);
                if let (Channel::Email, Some(html)) = (channel, rendered.html) {
                    golden(&golden_files.join(format!("{key}.{}.html", localized.locale)), &html);
                }
            }
            golden(&golden_files.join(format!("{key}.{}.txt", localized.locale)), &told);
        }
    }
}

fn folder_of(all: &[(&str, &str)]) -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in all {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let folder = Folder::read(dir.path()).unwrap();
    (dir, folder)
}

const HEAD: &str = "name = \"A\"\ndefault_locale = \"en\"\n";

#[test]
fn what_is_wrong_is_told_with_its_file_and_line() {
    let (_dir, folder) = folder_of(&[
        ("README.md", "notes"),
        ("a/template.toml", HEAD),
        ("a/notes.md", "notes"),
        ("a/en.toml", "[any]\ntitle = \"Hello {{ nobody }}\"\ntext = \"\"\"\none\n{% include \"foot\" %}\"\"\"\n"),
        ("a/ko.toml", "[sms]\ntext = \"안녕\"\n"),
        ("b/template.toml", "name = \"B\"\n"),
        ("foot/template.toml", "name = \"Foot\"\nkind = \"partial\"\ndefault_locale = \"en\"\n"),
        ("foot/en.any.txt", "one\ntwo {{ missing }}\n"),
        ("No Key/template.toml", HEAD),
    ]);
    let told: Vec<String> = remarks(&folder).iter().map(ToString::to_string).collect();
    let has = |start: &str| assert!(told.iter().any(|line| line.starts_with(start)), "no {start:?} in\n{}", told.join("\n"));
    has("a/en.toml:2:16 UNKNOWN_PARAMETER");
    has("a/ko.toml:1:1 warning MISSING_TRANSLATION");
    has("b/template.toml:1:1 FILE missing field `default_locale`");
    has("foot/en.any.txt:2:5 UNKNOWN_PARAMETER");
    assert_eq!(told.iter().filter(|line| line.starts_with("foot/")).count(), 1, "once, and not for its users: {told:?}");
    has("No Key/template.toml:1:1 FILE the folder's name is the template's key");
}

#[test]
fn variants_are_tried_and_told_by_their_own_files() {
    let tried = "\n[[parameters]]\nname = \"name\"\ntype = \"string\"\nrequired = true\nexample = \"Mina\"\n\n[experiment]\nname = \"tone\"\ncontrol_weight = 1\n\n[[experiment.variants]]\nname = \"warm\"\nweight = 1\n";
    let head = format!("{HEAD}{tried}");
    let whole = |text: &str| {
        folder_of(&[
            ("a/template.toml", &head),
            ("a/en.toml", "[any]\ntitle = \"Hi\"\ntext = \"Hello {{ name }}\"\n"),
            ("a/variant-warm/en.any.txt", text),
            ("a/variant-warm/notes.md", "notes"),
            ("foot/template.toml", "name = \"Foot\"\nkind = \"partial\"\ndefault_locale = \"en\"\n"),
            ("foot/en.any.txt", "bye"),
        ])
        .1
    };
    let good = whole("Dear {{ name }}: {% include \"foot\" %}");
    assert!(remarks(&good).is_empty(), "{:?}", remarks(&good));
    assert_eq!(good.in_order().iter().map(|key| key.as_str()).collect::<Vec<_>>(), ["foot", "a"], "a variant rests on it");
    let told: Vec<String> = remarks(&whole("one\nDear {{ nobody }}")).iter().map(ToString::to_string).collect();
    assert!(matches!(told.as_slice(), [one] if one.starts_with("a/variant-warm/en.any.txt:2:6 UNKNOWN_PARAMETER")), "{told:?}");
}

#[test]
fn what_others_rest_on_comes_first() {
    let (dir, folder) = folder_of(&[
        ("a/template.toml", HEAD),
        ("a/en.toml", "[any]\ntext = \"{% extends 'z' %}{% block b %}{% include 'm' %}{% endblock %}\"\n"),
        ("m/template.toml", "name = \"M\"\nkind = \"partial\"\ndefault_locale = \"en\"\n"),
        ("m/en.toml", "[any]\ntext = \"m\"\n"),
        ("z/template.toml", "name = \"Z\"\nkind = \"layout\"\ndefault_locale = \"en\"\n"),
        ("z/en.toml", "[any]\ntext = \"{% block b %}{% endblock %}\"\n"),
    ]);
    assert_eq!(folder.in_order().iter().map(|key| key.as_str()).collect::<Vec<_>>(), ["m", "z", "a"]);
    assert!(remarks(&folder).is_empty(), "{:?}", remarks(&folder));
    let parts = folder.parts(&folder.templates[&super::key("a").unwrap()].source);
    assert_eq!(parts.len(), 2);
    assert!(Folder::read(&dir.path().join("a")).is_err(), "that is one template");
}
