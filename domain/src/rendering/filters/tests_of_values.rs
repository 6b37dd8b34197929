//! What can be asked with `is`.

use minijinja::value::ValueKind;
use minijinja::{Environment, Value};

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_test("defined", |value: &Value| !value.is_undefined());
    engine.add_test("undefined", Value::is_undefined);
    engine.add_test("none", Value::is_none);
    engine.add_test("string", |value: &Value| value.kind() == ValueKind::String);
    engine.add_test("number", |value: &Value| value.kind() == ValueKind::Number);
    engine.add_test("integer", |value: &Value| value.is_integer());
    engine.add_test("boolean", |value: &Value| value.kind() == ValueKind::Bool);
    engine.add_test("sequence", |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable));
    engine.add_test("mapping", |value: &Value| value.kind() == ValueKind::Map);
    engine.add_test("even", |value: i64| value % 2 == 0);
    engine.add_test("odd", |value: i64| value % 2 != 0);
    engine.add_test("divisibleby", |value: i64, by: i64| by != 0 && value.checked_rem(by) == Some(0));
    engine.add_test("starting_with", |text: &str, start: &str| text.starts_with(start));
    engine.add_test("ending_with", |text: &str, end: &str| text.ends_with(end));
}
