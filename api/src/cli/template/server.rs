//! Templates on a server: read and written over GraphQL, in the domain's own terms here.

use crate::cli::exit::{CliError, Exit};
use crate::cli::remote::{Client, accepted, operations};
use crate::template_files::ordered;
use domain::template::{Source, TemplateRefusal};
use domain::values::TemplateKey;
use serde_json::{Value, json};

/// Templates asked for at a time.
const PAGE: usize = 50;

/// A template as the server has it.
#[derive(Debug)]
pub struct OnServer {
    /// How often it was written.
    pub revision: i64,
    /// What was written last, in the order of files.
    pub draft: Source,
}

/// The keys of all templates that the caller may look at.
pub async fn keys(client: &Client) -> Result<Vec<TemplateKey>, CliError> {
    let (mut keys, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = client.run(operations::TEMPLATES, json!({ "first": PAGE, "after": after })).await?;
        let page = data["templates"].as_array().cloned().unwrap_or_default();
        keys.extend(page.iter().filter_map(|found| TemplateKey::new(found["key"].as_str()?).ok()));
        match page.last() {
            Some(last) if page.len() == PAGE => after = last["cursor"].clone(),
            _ => return Ok(keys),
        }
    }
}

/// A template; none where there is none that the caller may look at.
pub async fn template(client: &Client, key: &TemplateKey) -> Result<Option<OnServer>, CliError> {
    let data = client.run(operations::TEMPLATE, json!({ "key": key.as_str() })).await?;
    let found = &data["template"];
    if found["draft"].is_null() {
        return Ok(None);
    }
    Ok(Some(OnServer { revision: found["revision"].as_i64().unwrap_or_default(), draft: ordered(source(&found["draft"])?) }))
}

/// Writes a draft, unless somebody has since `revision`; gives its revision.
pub async fn save(client: &Client, key: &TemplateKey, draft: &Source, revision: i64) -> Result<i64, CliError> {
    let input = json!({ "key": key.as_str(), "source": input(draft)?, "expectedRevision": revision });
    let data = client.run(operations::SAVE_TEMPLATE, json!({ "input": input })).await?;
    let saved = changed(key, &data["saveTemplate"])?;
    Ok(saved["template"]["revision"].as_i64().unwrap_or_default())
}

/// Publishes a draft; gives its version, or none where there is nothing new in it.
pub async fn publish(client: &Client, key: &TemplateKey, revision: i64) -> Result<Option<i64>, CliError> {
    let data = client.run(operations::PUBLISH_TEMPLATE, json!({ "key": key.as_str(), "revision": revision })).await?;
    match changed(key, &data["publishTemplate"]) {
        Ok(published) => Ok(published["template"]["version"].as_i64()),
        Err(refused) if refused.code.as_deref() == Some("NOTHING_NEW") => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// The payload of a mutation on a template, or why nothing was changed.
fn changed<'a>(key: &TemplateKey, payload: &'a Value) -> Result<&'a Value, CliError> {
    if payload["__typename"] == "TemplateInvalid" {
        return Err(CliError::failure(format!("{key}: {}", problems(payload))));
    }
    accepted(payload).map_err(|refused| {
        let exit = if refused.code.as_deref() == Some("STALE") { Exit::Conflict } else { refused.exit };
        CliError::new(exit, format!("{key}: {refused}")).with_code(refused.code)
    })
}

/// What a server found wrong, as one text.
pub fn problems(payload: &Value) -> String {
    let told = |problem: &Value| {
        let part = |name: &str| problem[name].as_str().map(str::to_owned);
        let place = [part("part"), part("locale"), part("channel"), part("field")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let line = problem["line"].as_i64().map_or_else(String::new, |line| format!(" line {line}"));
        let hint = part("hint").map_or_else(String::new, |hint| format!("; {hint}"));
        format!("{place}{line}: {} {}{hint}", part("code").unwrap_or_default(), part("message").unwrap_or_default())
    };
    let all = payload["problems"].as_array();
    all.map_or_else(String::new, |all| all.iter().map(told).collect::<Vec<_>>().join("\n"))
}

/// Changes the names of enums' values: the schema has them in capitals, the domain not.
fn renamed(mut source: Value, change: fn(&str) -> String) -> Value {
    let rename = |value: Option<&mut Value>| {
        if let Some(Value::String(name)) = value {
            *name = change(name);
        }
    };
    rename(source.get_mut("kind"));
    let each = |value: Option<&mut Value>, then: &mut dyn FnMut(&mut Value)| {
        if let Some(Value::Array(items)) = value {
            items.iter_mut().for_each(then);
        }
    };
    each(source.get_mut("parameters"), &mut |parameter| rename(parameter.get_mut("type")));
    let told = &mut |localized: &mut Value| each(localized.get_mut("bodies"), &mut |body| rename(body.get_mut("channel")));
    each(source.get_mut("locales"), told);
    if let Some(experiment) = source.get_mut("experiment") {
        each(experiment.get_mut("variants"), &mut |variant| each(variant.get_mut("locales"), told));
    }
    source
}

/// Names of fields in the domain and in the schema.
const FIELDS: [(&str, &str); 2] = [("default_locale", "defaultLocale"), ("control_weight", "controlWeight")];

/// Moves values from their names to others, in the source and in its experiment.
fn moved(mut source: Value, to: fn((&'static str, &'static str)) -> (&'static str, &'static str)) -> Value {
    let move_in = |value: Option<&mut Value>| {
        let Some(map) = value.and_then(Value::as_object_mut) else { return };
        for (from, to) in FIELDS.map(to) {
            if let Some(value) = map.remove(from) {
                map.insert(to.to_owned(), value);
            }
        }
    };
    move_in(source.get_mut("experiment"));
    move_in(Some(&mut source));
    source
}

/// As the schema's `TemplateSourceInput` has it.
fn input(source: &Source) -> Result<Value, CliError> {
    let source = serde_json::to_value(source).map_err(CliError::failure)?;
    Ok(renamed(moved(source, |names| names), str::to_uppercase))
}

/// From the schema's `TemplateSource`.
fn source(answer: &Value) -> Result<Source, CliError> {
    let source = renamed(moved(answer.clone(), |(own, schemas)| (schemas, own)), str::to_lowercase);
    let unreadable = |why: &dyn std::fmt::Display| {
        CliError::failure(format!("the server has a template that this program cannot read: {why}; use its own version of bongsu"))
    };
    let source: Source = serde_json::from_value(source).map_err(|error| unreadable(&error))?;
    // Variants' names become names of folders.
    match &source.experiment {
        Some(experiment) if !experiment.is_sound() => Err(unreadable(&TemplateRefusal::Experiment)),
        _ => Ok(source),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_source_comes_back_as_it_went() {
        let stored = json!({ "name": "A", "kind": "layout", "default_locale": "en",
            "parameters": [{ "name": "at", "type": "date_time", "example": { "type": "x", "none": null } }],
            "locales": [{ "locale": "en", "bodies": [{ "channel": "kakao_talk", "text": "a" }, { "text": "b" }] }],
            "experiment": { "name": "tone", "control_weight": 1, "variants": [
                { "name": "warm", "weight": 2, "locales": [{ "locale": "en", "bodies": [{ "channel": "sms", "text": "c" }] }] }] } });
        let known: Source = serde_json::from_value(stored).unwrap();
        let sent = input(&known).unwrap();
        assert_eq!((&sent["kind"], &sent["parameters"][0]["type"]), (&json!("LAYOUT"), &json!("DATE_TIME")));
        assert_eq!(sent["locales"][0]["bodies"][0]["channel"], "KAKAO_TALK");
        let variant = &sent["experiment"]["variants"][0];
        assert_eq!((&sent["experiment"]["controlWeight"], &variant["locales"][0]["bodies"][0]["channel"]), (&json!(1), &json!("SMS")));
        assert_eq!(source(&sent).unwrap(), known);
        let mut elsewhere = sent;
        elsewhere["experiment"]["variants"][0]["name"] = json!("../../x");
        assert!(source(&elsewhere).is_err());
    }
}
