//! The description of all events, from which `docs/events.md` is generated and checked.

use crate::AggregateKind;
use schemars::JsonSchema;
use serde_json::Value;

/// One event type.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose event.
    pub kind: AggregateKind,
    /// Its name.
    pub name: &'static str,
    /// The version written today.
    pub version: u16,
    /// JSON schema of the readable payload, with the code's own documentation.
    pub schema: Value,
}

impl Entry {
    /// Describes a body.
    pub fn of<T: JsonSchema>(kind: AggregateKind, name: &'static str, version: u16) -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        Self { kind, name, version, schema: settings.into_generator().into_root_schema_for::<T>().to_value() }
    }
}

fn one_line(value: &Value) -> String {
    value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn type_of(schema: &Value) -> String {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return options.iter().map(|option| format!("`{}`", option.as_str().unwrap_or("null"))).collect::<Vec<_>>().join(", ");
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", value.as_str().unwrap_or_default());
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(options) = schema.get(key).and_then(Value::as_array) {
            return options.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    let name = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect::<Vec<_>>().join(" or "),
        Some(Value::String(name)) => name.clone(),
        _ => "any".to_owned(),
    };
    match name.as_str() {
        "array" => format!("list of {}", schema.get("items").map_or_else(|| "any".to_owned(), type_of)),
        "object" => schema.get("properties").and_then(Value::as_object).map_or(name, |fields| {
            format!("{{ {} }}", fields.iter().map(|(field, schema)| format!("{field}: {}", type_of(schema))).collect::<Vec<_>>().join("; "))
        }),
        _ => name,
    }
}

/// The whole catalogue as Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Events\n\nGenerated from the code by `bongsu events catalogue`; do not edit. Every event is JSON in the log; \
         fields said to be sealed are encrypted with the recipient's key and unreadable once the recipient is erased.\n",
    );
    let mut kind = None;
    for entry in crate::Fact::catalogue() {
        if kind != Some(entry.kind) {
            kind = Some(entry.kind);
            text.push_str(&format!("\n## {}\n", entry.kind.name()));
        }
        text.push_str(&format!("\n### {} (version {})\n\n{}\n", entry.name, entry.version, one_line(entry.schema.get("description").unwrap_or(&Value::Null))));
        let Some(fields) = entry.schema.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty()) else {
            text.push_str("\nNo fields.\n");
            continue;
        };
        let required: Vec<&str> =
            entry.schema.get("required").and_then(Value::as_array).map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        text.push_str("\n| field | type | | meaning |\n|---|---|---|---|\n");
        for (name, field) in fields {
            let presence = if required.contains(&name.as_str()) { "always" } else { "optional" };
            text.push_str(&format!(
                "| `{name}` | {} | {presence} | {} |\n",
                type_of(field).replace('|', "\\|"),
                one_line(field.get("description").unwrap_or(&Value::Null))
            ));
        }
    }
    text
}
