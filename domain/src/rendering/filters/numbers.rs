//! Filters of numbers.

use super::refused;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("int", int);
    engine.add_filter("float", |value: &Value| float(value).map(Value::from));
    engine.add_filter("abs", abs);
    engine.add_filter("round", round);
}

/// A number, or a text that is one.
pub(in super::super) fn float(value: &Value) -> Result<f64, Error> {
    let number = match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Undefined => return Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite()).ok_or_else(|| refused("it is no number"))
}

fn int(value: &Value) -> Result<Value, Error> {
    if let (ValueKind::Number, Some(whole)) = (value.kind(), value.as_i64()) {
        return Ok(Value::from(whole));
    }
    if let Some(whole) = value.as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
        return Ok(Value::from(whole));
    }
    // Beyond what an integer holds, the nearest.
    Ok(Value::from(float(value)?.trunc() as i64))
}

fn abs(value: &Value) -> Result<Value, Error> {
    match value.as_i64().filter(|_| value.is_integer()) {
        Some(whole) => Ok(Value::from(whole.unsigned_abs())),
        None => Ok(Value::from(float(value)?.abs())),
    }
}

fn round(value: &Value, digits: Option<u32>) -> Result<Value, Error> {
    let scale = 10_f64.powi(digits.unwrap_or(0).min(12).cast_signed());
    let number = float(value)?;
    let rounded = (number * scale).round() / scale;
    Ok(Value::from(if rounded.is_finite() { rounded } else { number }))
}
