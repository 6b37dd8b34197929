//! What a notification gives a template: its parameters and its audience, turned into the engine's values once.

use super::error::{Limit, RenderError};
use super::limits::{MAX_LEVELS, MAX_PARAMETERS, MAX_SPENT, MAX_VALUES};
use crate::calendar::TimeZone;
use crate::template::{Parameter, ParameterType};
use crate::values::{Channel, Locale};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where somebody says what they want to get. Made for each recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Ends what the notification belongs to, with one click: `{{ bongsu.unsubscribe }}`.
    pub unsubscribe: Option<String>,
    /// Leads to all preferences: `{{ bongsu.preferences }}`.
    pub preferences: Option<String>,
}

/// For whom, and over what, a notification is rendered.
#[derive(Debug, Clone)]
pub struct Audience<'a> {
    /// The channel.
    pub channel: Channel,
    /// The recipient's language.
    pub locale: &'a Locale,
    /// The zone in which moments are shown.
    pub zone: TimeZone,
    /// The variant of the template's experiment; none of them has bodies of its own yet.
    pub variant: Option<&'a str>,
    /// The recipient's links.
    pub links: Links,
}

/// A parameter with its default, turned into a value when the template is compiled.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub name: Arc<str>,
    pub kind: ParameterType,
    pub default: Option<Value>,
}

impl Declared {
    pub fn new(parameter: &Parameter) -> Result<Self, RenderError> {
        let default = match &parameter.default {
            Some(json) => Some(convert(parameter, json)?),
            None => None,
        };
        Ok(Self { name: parameter.name.as_str().into(), kind: parameter.kind, default })
    }
}

fn convert(parameter: &Parameter, json: &Json) -> Result<Value, RenderError> {
    let mut size = Size::default();
    let value = value_of(json, 0, &mut size)?;
    if is_of(parameter.kind, json) { Ok(value) } else { Err(RenderError::Parameter(parameter.name.clone())) }
}

/// What arithmetic and links rely on. Whether dates and the rest are in order is asked when a request comes.
fn is_of(kind: ParameterType, json: &Json) -> bool {
    match kind {
        ParameterType::Integer | ParameterType::Number => json.is_number(),
        _ => true,
    }
}

/// How large the parameters are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub bytes: usize,
    values: usize,
}

impl Size {
    fn add(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.bytes += bytes;
        self.values += 1;
        let within = self.bytes <= MAX_PARAMETERS && self.values <= MAX_VALUES;
        if within { Ok(()) } else { Err(RenderError::Limit { limit: Limit::Parameters, field: None }) }
    }
}

fn value_of(json: &Json, level: usize, size: &mut Size) -> Result<Value, RenderError> {
    if level > MAX_LEVELS {
        return Err(RenderError::Limit { limit: Limit::Levels, field: None });
    }
    match json {
        Json::Null => size.add(4).map(|()| Value::from(())),
        Json::Bool(truth) => size.add(4).map(|()| Value::from(*truth)),
        Json::Number(number) => {
            size.add(8)?;
            let whole = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
            Ok(whole.unwrap_or_else(|| Value::from(number.as_f64().unwrap_or_default())))
        }
        Json::String(text) => size.add(text.len() + 2).map(|()| Value::from(text.as_str())),
        Json::Array(items) => {
            size.add(2)?;
            items.iter().map(|item| value_of(item, level + 1, size)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        Json::Object(map) => {
            size.add(2)?;
            let mut pairs = std::collections::BTreeMap::new();
            for (key, value) in map {
                size.add(key.len() + 2)?;
                pairs.insert(key.clone(), value_of(value, level + 1, size)?);
            }
            Ok(Value::from(pairs))
        }
    }
}

/// All names that a template can use.
#[derive(Debug)]
pub(super) struct Root {
    values: Vec<(Arc<str>, Value)>,
    bongsu: Value,
}

impl Root {
    /// Those declared that are given, and defaults for the others. `null` stands for not given.
    pub fn new(declared: &[Declared], given: &Map<String, Json>, here: Here) -> Result<(Self, Size), RenderError> {
        let mut size = Size::default();
        let mut values = Vec::with_capacity(declared.len());
        for parameter in declared {
            let value = match given.get(parameter.name.as_ref()).filter(|json| !json.is_null()) {
                Some(json) if !is_of(parameter.kind, json) => return Err(RenderError::Parameter(parameter.name.as_ref().to_owned())),
                Some(json) => Some(value_of(json, 1, &mut size)?),
                None => parameter.default.clone(),
            };
            values.extend(value.map(|value| (parameter.name.clone(), value)));
        }
        Ok((Self { values, bongsu: Value::from_object(here) }, size))
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let parameter = self.values.iter().find(|(name, _)| name.as_ref() == key).map(|(_, value)| value);
        parameter.or_else(|| (key == "bongsu").then_some(&self.bongsu)).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// The audience as templates see it, under `bongsu`; filters take language and zone from it.
#[derive(Debug)]
pub(super) struct Here {
    /// The language in which numbers and dates are written.
    pub locale: Locale,
    /// The zone in which moments are shown.
    pub zone: TimeZone,
    /// The channel.
    pub channel: Channel,
    /// The recipient's links.
    pub links: Links,
    /// What filters have spent, in all fields.
    spent: AtomicUsize,
}

impl Here {
    /// For an audience, in the language in which the body is written.
    pub fn new(audience: &Audience<'_>, written: &Locale) -> Self {
        Self { locale: written.clone(), zone: audience.zone, channel: audience.channel, links: audience.links.clone(), spent: AtomicUsize::new(0) }
    }

    /// Whether filters may still go over so many items.
    pub fn spend(&self, items: usize) -> bool {
        self.spent.fetch_add(items, Ordering::Relaxed).saturating_add(items) <= MAX_SPENT
    }

    /// The names that it has.
    pub const NAMES: &'static [&'static str] = &["channel", "locale", "preferences", "unsubscribe", "zone"];
}

impl Object for Here {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "channel" => Some(Value::from(self.channel.name())),
            "locale" => Some(Value::from(self.locale.as_str())),
            "zone" => Some(Value::from(self.zone.name())),
            "unsubscribe" => self.links.unsubscribe.as_deref().map(Value::from),
            "preferences" => self.links.preferences.as_deref().map(Value::from),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
