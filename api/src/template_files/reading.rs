//! From files to a template.

use super::{ANY, At, FieldKey, Files, HEAD, Mistake, Read, VARIANT, channel_of, ordered};
use domain::template::{Body, Experiment, Localized, Parameter, ParameterType, Source, TemplateKind, Variant};
use domain::values::{Channel, Locale};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    kind: TemplateKind,
    default_locale: Spanned<String>,
    #[serde(default)]
    parameters: Vec<Declared>,
    experiment: Option<Tried>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tried {
    name: String,
    control_weight: u32,
    variants: Vec<Weighted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    name: String,
    weight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    #[serde(rename = "type")]
    kind: ParameterType,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    description: String,
    default: Option<Spanned<toml::Value>>,
    default_json: Option<Spanned<String>>,
    example: Option<Spanned<toml::Value>>,
    example_json: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: Option<Spanned<String>>,
    preheader: Option<Spanned<String>>,
    text: Option<Spanned<String>>,
    html: Option<Spanned<String>>,
    mjml: Option<Spanned<String>>,
    data: Option<Spanned<String>>,
}

/// Name of a section.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(Option<Channel>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        channel_of(&text).map(Self).ok_or_else(|| de::Error::custom(format!("there is no channel `{text}`; write {}", sections())))
    }
}

fn sections() -> String {
    let names: Vec<&str> = Channel::ALL.into_iter().map(Channel::name).collect();
    format!("{ANY}, {}", names.join(", "))
}

/// A file, for telling what is wrong in it.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn mistake(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Mistake {
        Mistake { at: At::of(self.name, self.text, span.map_or(0, |span| span.start)), message: message.into() }
    }

    fn parse<T: de::DeserializeOwned>(&self) -> Result<T, Mistake> {
        toml::from_str(self.text).map_err(|error| self.mistake(error.span(), error.message().trim()))
    }

    /// Where the text of a string begins: behind its quotes, and behind the line break that TOML leaves out.
    fn inner(&self, span: &Range<usize>) -> At {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let breaks = if quotes == 3 && raw.get(3..).is_some_and(|rest| rest.starts_with('\n')) { 1 } else { 0 };
        At::of(self.name, self.text, span.start + quotes + breaks)
    }
}

/// Reads a template's files.
///
/// # Errors
/// Everything that cannot be read, one mistake a file.
pub fn read(files: &Files) -> Result<Read, Vec<Mistake>> {
    // Editors of some systems end lines with two characters, which mean one.
    let files: Files = files.iter().map(|(name, text)| (name.clone(), text.replace("\r\n", "\n"))).collect();
    let mut reading = Reading { locales: BTreeMap::new(), fields: BTreeMap::new(), mistakes: Vec::new() };
    let head = match files.get(HEAD) {
        Some(text) => head(&File { name: HEAD, text }),
        None => Err(Mistake { at: At::file(HEAD), message: format!("there is no {HEAD}, which says what the template is") }),
    };
    // Sections first: a text beside them may belong to one.
    for (name, text) in files.iter().filter(|(name, _)| *name != HEAD && name.ends_with(".toml")) {
        reading.language(&File { name, text });
    }
    for (name, text) in files.iter().filter(|(name, _)| !name.ends_with(".toml")) {
        reading.beside(&File { name, text });
    }
    let head = head.map(|mut head| {
        head.locales = reading.told(None);
        for variant in head.experiment.iter_mut().flat_map(|experiment| &mut experiment.variants) {
            variant.locales = reading.told(Some(&variant.name));
        }
        head
    });
    // What is left belongs to no variant.
    for (variant, locales) in &reading.locales {
        let (Some(variant), Some(tag)) = (variant, locales.keys().next()) else { continue };
        let message = format!("{HEAD} has no variant `{variant}` under [[experiment.variants]]");
        reading.mistakes.push(Mistake { at: At::file(&format!("{VARIANT}{variant}/{tag}.toml")), message });
    }
    let mut mistakes = reading.mistakes;
    match head {
        Ok(head) if mistakes.is_empty() => Ok(Read { source: ordered(head), fields: reading.fields }),
        Ok(_) => Err(mistakes),
        Err(mistake) => {
            mistakes.insert(0, mistake);
            Err(mistakes)
        }
    }
}

fn locale(tag: &str) -> Result<Locale, String> {
    match Locale::new(tag) {
        Ok(locale) if locale.as_str() == tag => Ok(locale),
        Ok(locale) => Err(format!("the language `{tag}` is written `{locale}`")),
        Err(error) => Err(format!("`{tag}` is no language: {error}")),
    }
}

/// All but what is told.
fn head(file: &File<'_>) -> Result<Source, Mistake> {
    let head: Head = file.parse()?;
    let span = head.default_locale.span();
    let default_locale = locale(head.default_locale.get_ref()).map_err(|message| file.mistake(Some(span), message))?;
    let parameter = |declared: Declared| {
        Ok(Parameter {
            default: value(file, declared.default, declared.default_json)?,
            example: value(file, declared.example, declared.example_json)?,
            name: declared.name,
            kind: declared.kind,
            description: declared.description,
            required: declared.required,
        })
    };
    Ok(Source {
        name: head.name,
        description: head.description,
        tags: head.tags,
        kind: head.kind,
        default_locale,
        parameters: head.parameters.into_iter().map(parameter).collect::<Result<_, _>>()?,
        locales: Vec::new(),
        experiment: head.experiment.map(experiment),
    })
}

/// What is tried, but not yet what its variants say.
fn experiment(tried: Tried) -> Experiment {
    let variants = tried.variants.into_iter().map(|Weighted { name, weight }| Variant { name, weight, locales: Vec::new() }).collect();
    Experiment { name: tried.name, control_weight: tried.control_weight, variants }
}

/// A value, or the JSON text of one that TOML cannot say.
fn value(file: &File<'_>, plain: Option<Spanned<toml::Value>>, text: Option<Spanned<String>>) -> Result<Option<Value>, Mistake> {
    match (plain, text) {
        (None, None) => Ok(None),
        (Some(plain), None) => {
            let span = plain.span();
            json(plain.into_inner()).map(Some).ok_or_else(|| file.mistake(Some(span), "JSON has no such number"))
        }
        (None, Some(text)) => serde_json::from_str(text.get_ref()).map(Some).map_err(|error| file.mistake(Some(text.span()), format!("no JSON: {error}"))),
        (Some(_), Some(text)) => Err(file.mistake(Some(text.span()), "give the value or its JSON, one of them")),
    }
}

/// Dates and moments become texts, as parameters have them.
fn json(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)?.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect::<Option<_>>()?),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, value)| Some((key, json(value)?))).collect::<Option<_>>()?),
    })
}

/// What is told in each language, by its tag.
type Told = BTreeMap<String, (Locale, BTreeMap<Option<Channel>, Body>)>;

/// The variant that a file belongs to, and the rest of its name.
fn split(name: &str) -> (Option<String>, &str) {
    let of_variant = name.split_once('/').and_then(|(folder, rest)| Some((folder.strip_prefix(VARIANT)?, rest)));
    of_variant.map_or((None, name), |(variant, rest)| (Some(variant.to_owned()), rest))
}

/// What was read so far.
struct Reading {
    /// Of the template itself (none) and of each variant.
    locales: BTreeMap<Option<String>, Told>,
    fields: BTreeMap<FieldKey, At>,
    mistakes: Vec<Mistake>,
}

impl Reading {
    /// Takes out what the template itself (none) or a variant says.
    fn told(&mut self, variant: Option<&str>) -> Vec<Localized> {
        let told = self.locales.remove(&variant.map(str::to_owned)).unwrap_or_default();
        told.into_values().map(|(locale, bodies)| Localized { locale, bodies: bodies.into_values().collect() }).collect()
    }

    /// `<locale>.toml`.
    fn language(&mut self, file: &File<'_>) {
        let (variant, name) = split(file.name);
        let locale = match locale(name.trim_end_matches(".toml")) {
            Ok(locale) => locale,
            Err(message) => return self.mistakes.push(file.mistake(None, message)),
        };
        let sections: BTreeMap<Name, Section> = match file.parse() {
            Ok(sections) => sections,
            Err(mistake) => return self.mistakes.push(mistake),
        };
        let tag = locale.as_str().to_owned();
        let mut bodies = BTreeMap::new();
        for (Name(channel), section) in sections {
            let mut take = |field: &'static str, text: Option<Spanned<String>>| {
                let text = text?;
                self.fields.insert((variant.clone(), tag.clone(), channel, field), file.inner(&text.span()));
                Some(text.into_inner())
            };
            let body = Body {
                channel,
                title: take("title", section.title),
                text: take("text", section.text),
                html: take("html", section.html),
                mjml: take("mjml", section.mjml),
                preheader: take("preheader", section.preheader),
                data: take("data", section.data),
            };
            bodies.insert(channel, body);
        }
        self.locales.entry(variant).or_default().insert(tag, (locale, bodies));
    }

    /// `<locale>.<section>.<mjml|html|txt>`.
    fn beside(&mut self, file: &File<'_>) {
        const SHAPE: &str = "the files are template.toml, LOCALE.toml and LOCALE.CHANNEL.mjml, .html or .txt";
        let (variant, name) = split(file.name);
        let parts: Vec<&str> = name.split('.').collect();
        let [tag, section, ending] = parts.as_slice() else { return self.mistakes.push(file.mistake(None, SHAPE)) };
        let field = match *ending {
            "mjml" => "mjml",
            "html" => "html",
            "txt" => "text",
            _ => return self.mistakes.push(file.mistake(None, SHAPE)),
        };
        let Some(channel) = channel_of(section) else {
            return self.mistakes.push(file.mistake(None, format!("there is no channel `{section}`; write {}", sections())));
        };
        let locale = match locale(tag) {
            Ok(locale) => locale,
            Err(message) => return self.mistakes.push(file.mistake(None, message)),
        };
        let told = self.locales.entry(variant.clone()).or_default();
        let (_, bodies) = told.entry((*tag).to_owned()).or_insert_with(|| (locale, BTreeMap::new()));
        let body = bodies.entry(channel).or_insert_with(|| Body { channel, ..Body::default() });
        let place = match field {
            "mjml" => &mut body.mjml,
            "html" => &mut body.html,
            _ => &mut body.text,
        };
        // Editors end the last line; that is no line more.
        let text = file.text.strip_suffix('\n').unwrap_or(file.text);
        if place.replace(text.to_owned()).is_some() {
            return self.mistakes.push(file.mistake(None, format!("`{field}` is written in {tag}.toml too; keep one of them")));
        }
        self.fields.insert((variant, (*tag).to_owned(), channel, field), At::file(file.name));
    }
}
