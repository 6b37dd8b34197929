//! Values that travel as one string: serde, JSON Schema and `Display` over `new` and `as text`.
//!
//! What is read is checked by the same `new` as what a caller gives, so that no stored or received
//! value exists which the constructor would refuse.

/// The first characters of what was given, for messages: long input must not flood them.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 64;
    if text.chars().nth(MOST).is_none() { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

/// For a type with `new(&str) -> Result<Self, CalendarError>` and `Display`.
macro_rules! text_form {
    ($name:ident, $description:literal, [$($example:literal),+]) => {
        impl std::str::FromStr for $name {
            type Err = $crate::calendar::CalendarError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description, "examples": [$($example),+] })
            }
        }
    };
}
pub(super) use text_form;
