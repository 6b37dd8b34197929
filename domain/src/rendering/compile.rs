//! From what an author wrote to what is rendered: composing, checking, e-mail's markup, the engine.

use super::bounds;
use super::compiled::{Compiled, Fields, InLocale};
use super::compose::{Composing, Parts, field_of};
use super::email;
use super::engine::{Engine, Escape};
use super::limits::{MAX_FIELD, MAX_TEMPLATE};
use super::pieces::{Assembled, Piece};
use super::problem::{Field, Place, Problem};
use super::sinks::sinks;
use super::values::Declared;
use crate::template::{Body, Localized, Parameter, ParameterType, Source};
use crate::values::Channel;
use std::collections::{BTreeMap, HashMap};

/// A text that the engine has, and the field that it comes from.
pub(super) struct Unit {
    pub name: String,
    pub assembled: Assembled,
    pub place: Place,
}

/// Compiles; the units lead from the engine's positions back to authors'.
pub(super) fn build(source: &Source, parts: &Parts) -> Result<(Compiled, Vec<Unit>), Vec<Problem>> {
    if source.size() > MAX_TEMPLATE {
        return Err(vec![Problem::new("TOO_LARGE", format!("the template has more than {} KB", MAX_TEMPLATE / 1024))]);
    }
    let mut compiler = Compiler { source, parts, parameters: parameters(source, parts), units: Vec::new(), known: HashMap::new(), problems: Vec::new() };
    let mut bodies = Vec::new();
    let mut locales = Vec::new();
    for localized in &source.locales {
        let mut by_channel = [None; Channel::ALL.len()];
        for channel in Channel::ALL {
            let Some(body) = own(localized, channel) else { continue };
            let fields = compiler.body(localized, body, channel);
            let index = bodies.iter().position(|known| *known == fields).unwrap_or(bodies.len());
            if index == bodies.len() {
                bodies.push(fields);
            }
            if let Some(slot) = by_channel.get_mut(usize::from(channel.number())) {
                *slot = Some(index);
            }
        }
        locales.push(InLocale { locale: localized.locale.clone(), by_channel });
    }
    compiler.finish(bodies, locales)
}

/// What a language has for a channel: its own body, else the one for all.
fn own(localized: &Localized, channel: Channel) -> Option<&Body> {
    let own = localized.bodies.iter().find(|body| body.channel == Some(channel));
    own.or_else(|| localized.bodies.iter().find(|body| body.channel.is_none()))
}

/// The template's parameters, and those of its layouts and partials that have a default: these need not be repeated.
fn parameters<'a>(source: &'a Source, parts: &'a Parts) -> Vec<&'a Parameter> {
    let mut all: Vec<&Parameter> = source.parameters.iter().collect();
    for parameter in parts.values().flat_map(|part| &part.parameters) {
        if parameter.default.is_some() && !all.iter().any(|known| known.name == parameter.name) {
            all.push(parameter);
        }
    }
    all
}

struct Compiler<'a> {
    source: &'a Source,
    parts: &'a Parts,
    parameters: Vec<&'a Parameter>,
    units: Vec<Unit>,
    /// Names of units by their text, and none where it has mistakes: several channels often share one.
    known: HashMap<(Escape, String), Option<String>>,
    problems: Vec<Problem>,
}

impl Compiler<'_> {
    fn body(&mut self, localized: &Localized, body: &Body, channel: Channel) -> Fields {
        let place = |field| Place { locale: localized.locale.clone(), channel: body.channel, field };
        let mut field = |field, escape| {
            let pieces = self.compose(&place(field), body, channel)?;
            self.unit(&place(field), escape, &pieces)
        };
        let (title, text, data) = (field(Field::Title, Escape::Plain), field(Field::Text, Escape::Plain), field(Field::Data, Escape::Json));
        let fields = Fields { title, text, html: None, data, derived: false };
        if channel == Channel::Email { self.email(&place, body, fields) } else { fields }
    }

    /// Adds an e-mail's HTML, and its text where that is not written.
    fn email(&mut self, place: &dyn Fn(Field) -> Place, body: &Body, fields: Fields) -> Fields {
        let channel = Channel::Email;
        let field = if body.mjml.is_some() { Field::Mjml } else { Field::Html };
        let place_of_html = place(field);
        let Some(pieces) = self.compose(&place_of_html, body, channel) else { return fields };
        // Mistakes are told where they were written, which markup's tools know nothing of.
        let written = Assembled::new(&pieces, |_, piece| piece.code.clone());
        if !self.checked(&place_of_html, &written) {
            return fields;
        }
        if let Err(problem) = sinks(Escape::Html, &pieces) {
            self.report(&place_of_html, problem);
            return fields;
        }
        let html = match email::markup(field, pieces) {
            Ok(html) => html,
            Err(problem) => {
                self.report(&place_of_html, problem);
                return fields;
            }
        };
        let derived = body.text.is_none();
        let text = if derived { self.unit(&place_of_html, Escape::Plain, &email::plain(&html)) } else { fields.text };
        let preheader = self.compose(&place(Field::Preheader), body, channel).filter(|pieces| self.is_right(&place(Field::Preheader), pieces));
        let html = preheader.map_or(html.clone(), |preheader| email::with_preheader(html, &preheader));
        Fields { text, html: self.unit(&place_of_html, Escape::Html, &html), derived, ..fields }
    }

    fn is_right(&mut self, place: &Place, pieces: &[Piece]) -> bool {
        self.checked(place, &Assembled::new(pieces, |_, piece| piece.code.clone()))
    }

    /// A field with its layouts and partials; none where it is absent or wrong.
    fn compose(&mut self, place: &Place, body: &Body, channel: Channel) -> Option<Vec<Piece>> {
        let text = field_of(body, place.field)?;
        if text.len() > MAX_FIELD {
            self.report(place, Problem::new("TOO_LARGE", format!("the field has more than {} KB", MAX_FIELD / 1024)));
            return None;
        }
        let composing = Composing { parts: self.parts, channel, locale: &place.locale, field: place.field };
        composing.whole(text).map_err(|problem| self.report(place, problem)).ok()
    }

    /// The name of the engine's template of these pieces; none where they are wrong.
    fn unit(&mut self, place: &Place, escape: Escape, pieces: &[Piece]) -> Option<String> {
        let assembled = Assembled::new(pieces, |_, piece| piece.code.clone());
        let key = (escape, assembled.text.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let filters = if self.checked(place, &assembled) { sinks(escape, pieces).map_err(|problem| self.report(place, problem)).ok() } else { None };
        let name = filters.map(|filters| {
            let name = format!("{}{}", escape.letter(), self.units.len());
            let expression = |index: usize, piece: &Piece| match filters.get(index) {
                Some(Some(filter)) => format!("({})|{filter}", piece.code),
                _ => piece.code.clone(),
            };
            self.units.push(Unit { name: name.clone(), assembled: Assembled::new(pieces, expression), place: place.clone() });
            name
        });
        self.known.insert(key, name.clone());
        name
    }

    fn checked(&mut self, place: &Place, assembled: &Assembled) -> bool {
        let number = |parameter: &Parameter| matches!(parameter.kind, ParameterType::Integer | ParameterType::Number);
        let names: BTreeMap<&str, bool> = self.parameters.iter().map(|parameter| (parameter.name.as_str(), number(parameter))).collect();
        let Err(findings) = bounds::check(&assembled.text, &names) else { return true };
        for (at, problem) in findings {
            self.report(place, problem.at(&assembled.origin(at)));
        }
        false
    }

    fn report(&mut self, place: &Place, problem: Problem) {
        let problem = problem.within(place);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn finish(mut self, bodies: Vec<Fields>, locales: Vec<InLocale>) -> Result<(Compiled, Vec<Unit>), Vec<Problem>> {
        let mut declared = Vec::new();
        for parameter in &self.parameters {
            match Declared::new(parameter) {
                Ok(known) => declared.push(known),
                Err(error) => self.problems.push(Problem::new("DEFAULT", format!("the default of `{}`: {error}", parameter.name))),
            }
        }
        let templates: Vec<(String, &Assembled)> = self.units.iter().map(|unit| (unit.name.clone(), &unit.assembled)).collect();
        let engine = match Engine::new(&templates) {
            Ok(engine) if self.problems.is_empty() => engine,
            Ok(_) => return Err(self.problems),
            Err((name, at, detail)) => {
                let unit = self.units.iter().find(|unit| unit.name == name);
                let problem = Problem::new("SYNTAX", detail);
                self.problems.push(unit.map_or_else(|| problem.clone(), |unit| problem.clone().at(&unit.assembled.origin(at)).within(&unit.place)));
                return Err(self.problems);
            }
        };
        // The engine keeps the text, and about four times as much for its instructions.
        let bytes = self.units.iter().map(|unit| unit.assembled.text.len() * 5 + 1024).sum::<usize>() + 4096;
        let compiled = Compiled { engine, default_locale: self.source.default_locale.clone(), locales, bodies, declared, bytes };
        Ok((compiled, self.units))
    }
}
