//! The engine as templates get it: empty, strict, escaping everything, with an end to everything.

use super::error::{Limit, RenderError};
use super::filters::{self, Reached, refused};
use super::limits::STEPS;
use super::pieces::Assembled;
use super::problem::Field;
use super::sinks::SINKS;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use std::io;
use std::sync::LazyLock;

/// How expressions are written into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Escape {
    /// As they are.
    Plain,
    /// So that they are neither tags nor ends of attributes.
    Html,
    /// As JSON values.
    Json,
}

impl Escape {
    /// The first letter of the names of templates that are escaped so.
    pub const fn letter(self) -> char {
        match self {
            Self::Plain => 'p',
            Self::Html => 'h',
            Self::Json => 'j',
        }
    }
}

/// What all templates share, made once.
static BASE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_debug(false);
    engine.set_auto_escape_callback(|name| match name.chars().next() {
        Some('h') => AutoEscape::Html,
        Some('j') => AutoEscape::Custom("json".into()),
        _ => AutoEscape::None,
    });
    engine.set_formatter(write_value);
    filters::add(&mut engine);
    engine
});

/// The same templates with as many steps as parameters of a size allow.
#[derive(Clone)]
pub(super) struct Engine([Environment<'static>; STEPS.len()]);

impl Engine {
    /// Of these templates: a name, which begins with [`Escape::letter`], and a text. A mistake comes with its place.
    pub fn new(templates: &[(String, &Assembled)]) -> Result<Self, (String, usize, String)> {
        let mut engine = BASE.clone();
        for (name, assembled) in templates {
            engine.add_template_owned(name.clone(), assembled.text.clone()).map_err(|error| {
                let detail = error.detail().unwrap_or("this cannot be read").to_owned();
                (name.clone(), error.range().map_or(0, |range| range.start), detail)
            })?;
        }
        Ok(Self(STEPS.map(|(_, steps)| {
            let mut engine = engine.clone();
            engine.set_fuel(Some(steps));
            engine
        })))
    }

    /// Renders a template, for a field and to so many bytes, with parameters of so many.
    pub fn run(&self, name: &str, (field, most): (Field, usize), root: &Value, bytes: usize) -> Result<String, Failure> {
        let index = STEPS.iter().position(|(most, _)| bytes <= *most).unwrap_or(STEPS.len() - 1);
        let [small, medium, large] = &self.0;
        run([small, medium, large].get(index).unwrap_or(&large), name, (field, most), root)
    }
}

/// Writes the value of an expression. Lists and maps have no form in a text; a whole one could also take any memory.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    // Only sinks give safe strings ([`super::sinks`]): templates have no way to make one.
    if value.is_safe() {
        return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
    }
    if matches!(state.auto_escape(), AutoEscape::Custom(_)) {
        return serde_json::to_writer(Through(out), value).map_err(|_| Error::from(ErrorKind::WriteFailure));
    }
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if html { write_html(out, text) } else { out.write_str(text) }.map_err(Error::from)
        }
        ValueKind::Number | ValueKind::Bool => write!(out, "{value}").map_err(Error::from),
        ValueKind::None => Ok(()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Err(refused("a list or map cannot be shown; use a loop, or `join`")),
    }
}

/// What could begin a tag or a reference, or end a value, as references. The engine's own escapes `/` too, which
/// makes links unreadable for who looks at the source, and is needed nowhere.
fn write_html(out: &mut Output, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        out.write_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#x27;",
        })?;
        rest = special.get(1..).unwrap_or_default();
    }
    out.write_str(rest)
}

/// The engine's output for what writes bytes.
struct Through<'a, 'o>(&'a mut Output<'o>);

impl io::Write for Through<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        self.0.write_str(text).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is rendered, up to a bound.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    full: bool,
}

impl io::Write for &mut Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why the engine gave up: the error, and the byte of the template at which it did.
pub(super) struct Failure {
    pub error: RenderError,
    pub at: Option<usize>,
}

fn run(engine: &Environment<'static>, name: &str, (field, most): (Field, usize), root: &Value) -> Result<String, Failure> {
    let impossible = || Failure { error: RenderError::Failed { expression: String::new(), reason: "it is not there", field }, at: None };
    let template = engine.get_template(name).map_err(|_| impossible())?;
    let mut out = Bounded { bytes: Vec::with_capacity(template.source().len().min(most)), most, full: false };
    let result = template.render_captured_to(root.clone(), &mut out).map(drop);
    match result {
        Ok(()) => String::from_utf8(out.bytes).map_err(|_| impossible()),
        Err(_) if out.full => Err(Failure { error: RenderError::Limit { limit: Limit::Output, field: Some(field) }, at: None }),
        Err(error) => Err(failure(&error, field, template.source())),
    }
}

fn failure(error: &Error, field: Field, source: &str) -> Failure {
    let range = error.range();
    let at = range.as_ref().map(|range| range.start);
    let expression = || as_written(range.as_ref().and_then(|range| source.get(range.clone())).unwrap_or("an expression"));
    let reached = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Reached>());
    let error = match (error.kind(), reached) {
        (ErrorKind::OutOfFuel, _) => RenderError::Limit { limit: Limit::Steps, field: Some(field) },
        (_, Some(Reached(limit))) => RenderError::Limit { limit: *limit, field: Some(field) },
        (ErrorKind::UndefinedError, _) => RenderError::Undefined { name: expression(), field },
        (kind, _) => RenderError::Failed { expression: expression(), reason: reason(kind, error), field },
    };
    Failure { error, at }
}

/// Without what was put around it.
fn as_written(expression: &str) -> String {
    let own = SINKS.iter().find_map(|sink| expression.strip_suffix(sink)?.trim_end().strip_suffix('|'));
    let own = own.map_or(expression, |own| own.trim_start_matches('(').trim_end_matches(')'));
    own.chars().take(80).collect()
}

/// Why, in words that tell no values: the engine's own may.
fn reason(kind: ErrorKind, error: &Error) -> &'static str {
    const OURS: &[&str] = &[
        "a list or map cannot be shown; use a loop, or `join`",
        "it is no text",
        "it is no number",
        "it is no list",
        "it is no map",
        "it has no length",
        "it is no moment or day",
        "the style is `short`, `medium`, `long` or `full`",
        "the currency is a code of three capitals",
        "nothing cannot be replaced",
        "it cannot be split by nothing",
        "a plural needs `other`",
    ];
    if let Some(ours) = OURS.iter().find(|reason| error.detail() == Some(reason)) {
        return ours;
    }
    match kind {
        ErrorKind::MissingArgument => "an argument is missing",
        ErrorKind::TooManyArguments => "there are too many arguments",
        ErrorKind::CannotUnpack => "it has another number of items",
        _ => "its values do not allow that",
    }
}
