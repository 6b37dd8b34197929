//! From a template to files: one form for each template, so that differences are differences.

use super::{Files, HEAD, VARIANT, ordered, section_of};
use domain::template::{Body, Experiment, Localized, Parameter, Source, TemplateKind};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use toml::ser::ValueSerializer;

/// A template's files.
pub fn write(source: &Source) -> Files {
    let source = ordered(source.clone());
    let mut files = Files::from([(HEAD.to_owned(), head(&source))]);
    told(&mut files, "", &source.locales);
    for variant in source.experiment.iter().flat_map(|experiment| &experiment.variants) {
        told(&mut files, &format!("{VARIANT}{}/", variant.name), &variant.locales);
    }
    files
}

/// What is told in each language, below a folder.
fn told(files: &mut Files, below: &str, locales: &[Localized]) {
    for localized in locales {
        let tag = format!("{below}{}", localized.locale);
        let mut language = String::new();
        for body in &localized.bodies {
            let section = section_of(body.channel);
            for (field, text) in [("mjml", &body.mjml), ("html", &body.html)] {
                if let Some(text) = text.as_ref().filter(|text| stands_alone(text)) {
                    files.insert(format!("{tag}.{section}.{field}"), format!("{text}\n"));
                }
            }
            let fields = fields(body);
            // A body that is all in files of its own needs no section.
            if !fields.is_empty() {
                let gap = if language.is_empty() { "" } else { "\n" };
                let _ = write!(language, "{gap}[{section}]\n{fields}");
            }
        }
        // Files beside it make a language, too.
        if !language.is_empty() || !files.keys().any(|name| name.strip_prefix(&tag).is_some_and(|rest| rest.starts_with('.'))) {
            files.insert(format!("{tag}.toml"), language);
        }
    }
}

/// Line ends of other systems would be read as our own.
fn stands_alone(text: &str) -> bool {
    !text.contains('\r')
}

fn fields(body: &Body) -> String {
    let mut out = String::new();
    for (field, text) in [("title", &body.title), ("preheader", &body.preheader), ("text", &body.text), ("data", &body.data)] {
        if let Some(text) = text {
            pair(&mut out, field, text);
        }
    }
    for (field, text) in [("mjml", &body.mjml), ("html", &body.html)] {
        if let Some(text) = text.as_ref().filter(|text| !stands_alone(text)) {
            pair(&mut out, field, text);
        }
    }
    out
}

fn head(source: &Source) -> String {
    let mut out = String::new();
    pair(&mut out, "name", &source.name);
    if !source.description.is_empty() {
        pair(&mut out, "description", &source.description);
    }
    if !source.tags.is_empty() {
        pair(&mut out, "tags", &source.tags);
    }
    if source.kind != TemplateKind::Message {
        pair(&mut out, "kind", &source.kind);
    }
    pair(&mut out, "default_locale", &source.default_locale.as_str());
    for parameter in &source.parameters {
        out.push_str("\n[[parameters]]\n");
        declared(&mut out, parameter);
    }
    if let Some(experiment) = &source.experiment {
        tried(&mut out, experiment);
    }
    out
}

fn tried(out: &mut String, experiment: &Experiment) {
    out.push_str("\n[experiment]\n");
    pair(out, "name", &experiment.name);
    pair(out, "control_weight", &experiment.control_weight);
    for variant in &experiment.variants {
        out.push_str("\n[[experiment.variants]]\n");
        pair(out, "name", &variant.name);
        pair(out, "weight", &variant.weight);
    }
}

fn declared(out: &mut String, parameter: &Parameter) {
    pair(out, "name", &parameter.name);
    pair(out, "type", &parameter.kind);
    if parameter.required {
        pair(out, "required", &true);
    }
    if !parameter.description.is_empty() {
        pair(out, "description", &parameter.description);
    }
    for (key, value) in [("default", &parameter.default), ("example", &parameter.example)] {
        match value {
            Some(value) if sayable(value) => pair(out, key, value),
            Some(value) => pair(out, &format!("{key}_json"), &value.to_string()),
            None => {}
        }
    }
}

/// Whether TOML has it: no null, and no number beyond 64 bits with a sign.
fn sayable(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => number.is_i64() || number.is_f64(),
        Value::Array(items) => items.iter().all(sayable),
        Value::Object(map) => map.values().all(sayable),
        Value::Bool(_) | Value::String(_) => true,
    }
}

/// A line `key = value`. Every value that comes here is one that TOML has.
fn pair(out: &mut String, key: &str, value: &impl Serialize) {
    let mut text = String::new();
    if value.serialize(ValueSerializer::new(&mut text)).is_ok() {
        let _ = writeln!(out, "{key} = {text}");
    }
}
