//! What a request gives, held against what a template declares.

use super::source::{Parameter, ParameterType, Source};
use serde_json::{Map, Value};

/// Why parameters were refused. Tells names and types, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterRefusal {
    /// Not JSON, or not an object.
    #[error("parameters are a JSON object, such as {{\"order\": \"1042\"}}")]
    NotAnObject,
    /// One that the template does not know.
    #[error("the template has no parameter `{name}`; it has {}", known(declared))]
    Unknown {
        /// The name.
        name: String,
        /// Those it has.
        declared: Vec<String>,
    },
    /// One that it needs.
    #[error("the parameter `{0}` is required")]
    Missing(String),
    /// Not of its type.
    #[error("the parameter `{name}` is not {}", kind.words())]
    Type {
        /// The name.
        name: String,
        /// Its type.
        kind: ParameterType,
    },
}

fn known(declared: &[String]) -> String {
    if declared.is_empty() { "none".to_owned() } else { declared.join(", ") }
}

/// The parameters in a JSON text.
pub fn parse_parameters(text: &str) -> Result<Map<String, Value>, ParameterRefusal> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(ParameterRefusal::NotAnObject),
    }
}

/// Whether these can be given. `null` stands for not given.
pub fn check_parameters(declared: &[Parameter], given: &Map<String, Value>) -> Result<(), ParameterRefusal> {
    for parameter in declared {
        let name = &parameter.name;
        match given.get(name).filter(|value| !value.is_null()) {
            None if parameter.required => return Err(ParameterRefusal::Missing(name.clone())),
            Some(value) if !parameter.kind.fits(value) => return Err(ParameterRefusal::Type { name: name.clone(), kind: parameter.kind }),
            _ => {}
        }
    }
    match given.keys().find(|name| !declared.iter().any(|parameter| parameter.name == **name)) {
        Some(name) => {
            let declared = declared.iter().map(|parameter| parameter.name.clone()).collect();
            // A name may be as long as the sender likes.
            Err(ParameterRefusal::Unknown { name: name.chars().take(64).collect(), declared })
        }
        None => Ok(()),
    }
}

impl Source {
    /// The examples and defaults of all parameters, as a request would give them.
    pub fn examples(&self) -> Map<String, Value> {
        let value = |parameter: &Parameter| parameter.example.clone().or_else(|| parameter.default.clone());
        self.parameters.iter().filter_map(|parameter| Some((parameter.name.clone(), value(parameter)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn declared() -> Vec<Parameter> {
        let parameter =
            |name: &str, kind, required| Parameter { name: name.to_owned(), kind, description: String::new(), required, default: None, example: None };
        vec![parameter("order", ParameterType::String, true), parameter("count", ParameterType::Integer, false), parameter("link", ParameterType::Url, false)]
    }

    fn check(text: &str) -> Result<(), ParameterRefusal> {
        check_parameters(&declared(), &parse_parameters(text)?)
    }

    #[test]
    fn what_is_declared_is_taken_and_nothing_else() {
        assert_eq!(check(r#"{"order": "1", "count": 2, "link": "https://shop.example/1"}"#), Ok(()));
        assert_eq!(check(r#"{"order": "1", "count": null}"#), Ok(()));
        assert_eq!(check("[1]"), Err(ParameterRefusal::NotAnObject));
        assert_eq!(check("{"), Err(ParameterRefusal::NotAnObject));
        assert_eq!(check("{}"), Err(ParameterRefusal::Missing("order".to_owned())));
        assert_eq!(check(r#"{"order": 1}"#), Err(ParameterRefusal::Type { name: "order".to_owned(), kind: ParameterType::String }));
        assert_eq!(check(r#"{"order": "1", "count": 2.5}"#), Err(ParameterRefusal::Type { name: "count".to_owned(), kind: ParameterType::Integer }));
        assert!(matches!(check(r#"{"order": "1", "Order": "2"}"#), Err(ParameterRefusal::Unknown { .. })));
    }

    #[test]
    fn a_link_leads_somewhere_and_runs_nothing() {
        for good in ["https://a.example", "mailto:a@b.example", "tel:+8221234567", "HTTP://a.example/x?y=z"] {
            assert!(ParameterType::Url.fits(&json!(good)), "{good}");
        }
        for bad in ["javascript:alert(1)", "//a.example", "/x", "https://", "https://a.example/\nX: y", "https://a\" onclick=\"x", "data:text/html,x"] {
            assert!(!ParameterType::Url.fits(&json!(bad)), "{bad}");
        }
    }
}
