//! What publishing asks: whether everything compiles, and what the examples look like.

use super::compile::{Unit, build};
use super::compiled::{Compiled, Rendered};
use super::compose::Parts;
use super::engine::Failure;
use super::error::RenderError;
use super::problem::{Field, Place, Problem};
use super::values::{Audience, Links};
use crate::calendar::TimeZone;
use crate::template::{Body, Parameter, ParameterType, Source, TemplateKind};
use crate::values::segments::{Encoding, Segments, segments};
use crate::values::{Channel, Locale};
use serde_json::{Map, Value, json};

/// Something that does not keep a template from being published, and that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Body and field.
    pub place: Place,
    /// What kind, stable.
    pub code: &'static str,
    /// What, for people.
    pub message: String,
}

/// What there is to say about a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examination {
    /// Mistakes: it cannot be published.
    pub problems: Vec<Problem>,
    /// What else its author should know.
    pub warnings: Vec<Warning>,
}

/// Compiles, and renders the examples for every language and channel.
pub fn examine(source: &Source, parts: &Parts) -> Examination {
    let (compiled, units) = match build(source, parts) {
        Ok(built) => built,
        Err(problems) => return Examination { problems, warnings: Vec::new() },
    };
    let mut examination = Examination::default();
    // Layouts and partials are tried within what uses them.
    if source.kind != TemplateKind::Message {
        return examination;
    }
    for localized in &source.locales {
        for body in &localized.bodies {
            let place = |field| Place { locale: localized.locale.clone(), channel: body.channel, field };
            for channel in Channel::ALL.into_iter().filter(|channel| serves(source, &localized.locale, body, *channel)) {
                let trial = Trial { compiled: &compiled, units: &units, channel, locale: &localized.locale };
                match trial.render(&examples(source, true)) {
                    Ok(rendered) => push_new(&mut examination.warnings, warnings(&rendered, channel, place)),
                    Err(problem) => {
                        let problem = if problem.place.is_some() { problem } else { problem.within(&place(Field::Text)) };
                        push_new(&mut examination.problems, [problem]);
                        continue;
                    }
                }
                // What need not be given may be missing.
                if let Err(problem) = trial.render(&examples(source, false)) {
                    let place = problem.place.unwrap_or_else(|| place(Field::Text));
                    let message = format!("without the parameters that are not required: {}", problem.message);
                    push_new(&mut examination.warnings, [Warning { place, code: "NEEDS_OPTIONAL", message }]);
                }
            }
        }
    }
    examination
}

/// What the default language has and others lack: those fall back to it, in its language.
pub fn missing(source: &Source) -> Vec<(Locale, Option<Channel>, Field)> {
    let bodies = |locale: &Locale| source.locales.iter().find(|localized| localized.locale == *locale).map(|localized| localized.bodies.as_slice());
    let default = bodies(&source.default_locale).unwrap_or_default();
    let mut missing = Vec::new();
    for localized in source.locales.iter().filter(|localized| localized.locale != source.default_locale) {
        for meant in default {
            let own = localized.bodies.iter().find(|body| body.channel == meant.channel);
            for field in Field::ALL {
                let has = |body: &Body| super::compose::field_of(body, field).is_some_and(|text| !text.trim().is_empty());
                if has(meant) && !own.is_some_and(has) {
                    missing.push((localized.locale.clone(), meant.channel, field));
                }
            }
        }
    }
    missing
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Whether this is the body that a language has for a channel.
fn serves(source: &Source, locale: &Locale, body: &Body, channel: Channel) -> bool {
    source.body(channel, locale).is_some_and(|(_, chosen)| std::ptr::eq(chosen, body))
}

struct Trial<'a> {
    compiled: &'a Compiled,
    units: &'a [Unit],
    channel: Channel,
    locale: &'a Locale,
}

impl Trial<'_> {
    fn render(&self, parameters: &Map<String, Value>) -> Result<Rendered, Problem> {
        let link = |what: &str| Some(format!("https://example.com/{what}"));
        let links = Links { unsubscribe: link("unsubscribe"), preferences: link("preferences") };
        let audience = Audience { channel: self.channel, locale: self.locale, zone: TimeZone::utc(), variant: None, links };
        self.compiled.try_render(&audience, parameters).map_err(|(name, failure)| self.problem(name, &failure))
    }

    fn problem(&self, name: Option<&str>, failure: &Failure) -> Problem {
        let mut problem = Problem::new(failure.error.code(), failure.error.to_string());
        if matches!(failure.error, RenderError::Undefined { .. }) {
            problem = problem.hint("make the parameter required, give it a default, or write `{{ value | default('…') }}`");
        }
        let Some(unit) = self.units.iter().find(|unit| name == Some(unit.name.as_str())) else { return problem };
        problem = problem.within(&unit.place);
        match failure.at {
            Some(at) => problem.at(&unit.assembled.origin(at)),
            None => problem,
        }
    }
}

/// A value for each parameter, or for those alone that a request must give.
fn examples(source: &Source, all: bool) -> Map<String, Value> {
    let wanted = source.parameters.iter().filter(|parameter| all || parameter.required);
    wanted.filter_map(|parameter| Some((parameter.name.clone(), example(parameter)?))).collect()
}

fn example(parameter: &Parameter) -> Option<Value> {
    let own = parameter.example.clone().or_else(|| parameter.default.clone());
    own.or_else(|| parameter.required.then(|| stand_in(parameter)))
}

/// Something of the type, where there is no example.
fn stand_in(parameter: &Parameter) -> Value {
    match parameter.kind {
        ParameterType::String => json!(parameter.name),
        ParameterType::Integer | ParameterType::Number => json!(1),
        ParameterType::Boolean => json!(true),
        ParameterType::Date => json!("2026-01-31"),
        ParameterType::DateTime => json!("2026-01-31T09:30:00Z"),
        ParameterType::Url => json!("https://example.com/"),
        ParameterType::List => json!([]),
        ParameterType::Object => json!({}),
    }
}

/// What receivers or carriers would do to the example.
fn warnings(rendered: &Rendered, channel: Channel, place: impl Fn(Field) -> Place) -> Vec<Warning> {
    /// Gmail shows so much of an HTML mail, and a link to the rest.
    const CLIPPED: usize = 102 * 1024;
    /// What lock screens show of a push, roughly: iOS four lines, Android less.
    const PUSH_TEXT: usize = 178;
    const PUSH_TITLE: usize = 50;
    let mut warnings = Vec::new();
    let mut warn = |field, code, message| warnings.push(Warning { place: place(field), code, message });
    let html = rendered.html.as_ref().map_or(0, String::len);
    if html > CLIPPED {
        warn(Field::Html, "CLIPPED", format!("the example has {} KB of HTML; Gmail clips mails at 102 KB", html / 1024));
    }
    if channel.is_device() {
        let (title, text) = (rendered.title.as_ref().map_or(0, |title| title.chars().count()), rendered.text.chars().count());
        if title > PUSH_TITLE {
            warn(Field::Title, "LONG", format!("the example's title has {title} characters; devices show about {PUSH_TITLE}"));
        }
        if text > PUSH_TEXT {
            warn(Field::Text, "LONG", format!("the example's text has {text} characters; lock screens show about {PUSH_TEXT}"));
        }
    }
    if channel == Channel::Sms {
        let Segments { count, encoding, units } = segments(&rendered.text);
        let alphabet = if encoding == Encoding::Gsm7 { "GSM 7-bit" } else { "UCS-2" };
        if count > 1 {
            warn(Field::Text, "SEGMENTS", format!("the example takes {count} text messages: {units} units of {alphabet}"));
        }
    }
    warnings
}
