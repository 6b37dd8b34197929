//! Filters of lists and maps, and of what may be missing.

use super::super::limits::MAX_FILTERED;
use super::numbers::float;
use super::texts::text_of;
use super::{bounded, items, refused, spend, too_long};
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};
use std::collections::BTreeSet;

/// A filter with at most one argument, and what it costs for each item.
type Filter = fn(&Value, Option<&str>) -> Result<Value, Error>;

const COSTLY: &[(&str, usize, Filter)] = &[
    ("last", 1, |list, _| last(list)),
    ("join", 4, join),
    ("reverse", 1, |list, _| reverse(list)),
    // A list has no more than 2^15 items.
    ("sort", 16, sort),
    ("unique", 16, |list, _| unique(list)),
    ("sum", 1, sum),
    ("min", 1, |list, _| Ok(items(list)?.min().unwrap_or(Value::UNDEFINED))),
    ("max", 1, |list, _| Ok(items(list)?.max().unwrap_or(Value::UNDEFINED))),
    ("keys", 2, |map, _| of_map(map, |key, _| key)),
    ("values", 2, |map, _| of_map(map, |_, value| value)),
];

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("default", |value: &Value, other: &Value| if value.is_undefined() || value.is_none() { other.clone() } else { value.clone() });
    engine.add_filter("length", |value: &Value| value.len().ok_or_else(|| refused("it has no length")));
    engine.add_filter("first", first);
    for (name, cost, filter) in COSTLY {
        engine.add_filter(*name, |state: &State, value: &Value, argument: Option<&str>| {
            spend(state, value, *cost)?;
            filter(value, argument)
        });
    }
    engine.add_filter("json", |state: &State, value: &Value| {
        let text = json(value)?;
        spend(state, &text, 8)?;
        Ok::<_, Error>(text)
    });
}

fn first(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().next().map_or(Value::UNDEFINED, |letter| Value::from(letter.to_string()))),
        None => Ok(items(value)?.next().unwrap_or(Value::UNDEFINED)),
    }
}

fn last(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().next_back().map_or(Value::UNDEFINED, |letter| Value::from(letter.to_string()))),
        None => Ok(items(value)?.last().unwrap_or(Value::UNDEFINED)),
    }
}

fn join(list: &Value, between: Option<&str>) -> Result<Value, Error> {
    let between = between.unwrap_or_default();
    let mut out = String::new();
    for (index, item) in items(list)?.enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        out.push_str(&text_of(&item)?);
        if out.len() > MAX_FILTERED {
            return Err(too_long());
        }
    }
    Ok(Value::from(out))
}

fn reverse(value: &Value) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut all: Vec<Value> = items(value)?.collect();
    all.reverse();
    Ok(Value::from(all))
}

/// Of maps, by what they have under a name.
fn sort(list: &Value, by: Option<&str>) -> Result<Value, Error> {
    let mut all: Vec<Value> = items(list)?.collect();
    match by {
        Some(name) => all.sort_by_cached_key(|item| item.get_attr(name).unwrap_or(Value::UNDEFINED)),
        None => all.sort(),
    }
    Ok(Value::from(all))
}

fn unique(list: &Value) -> Result<Value, Error> {
    let mut seen = BTreeSet::new();
    Ok(items(list)?.filter(|item| seen.insert(item.clone())).collect())
}

fn sum(list: &Value, of: Option<&str>) -> Result<Value, Error> {
    let mut whole: Option<i64> = Some(0);
    let mut sum = 0.0;
    for item in items(list)? {
        let item = match of {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        let number = float(&item)?;
        whole = whole.and_then(|whole| whole.checked_add(item.as_i64().filter(|_| item.is_integer())?));
        sum += number;
    }
    Ok(whole.map_or_else(|| Value::from(sum), Value::from))
}

fn of_map(map: &Value, pick: impl Fn(Value, Value) -> Value) -> Result<Value, Error> {
    if map.kind() != ValueKind::Map {
        return Err(refused("it is no map"));
    }
    Ok(items(map)?
        .map(|key| {
            let value = map.get_item(&key).unwrap_or(Value::UNDEFINED);
            pick(key, value)
        })
        .collect())
}

/// For showing data in texts; in `data` every value is JSON anyway.
fn json(value: &Value) -> Result<Value, Error> {
    bounded(serde_json::to_string(value).map_err(|_| refused("it cannot be JSON"))?)
}
