//! What there is to say about a file: `file:line:column code message`, as editors and CI read it.

use super::folder::Folder;
use crate::template_files::{At, FieldKey, HEAD, Read};
use commands::templates::Finding;
use domain::template::TemplateRefusal;
use domain::values::{Channel, Locale, TemplateKey};
use serde::Serialize;
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It cannot be published.
    Problem,
    /// Its author should know.
    Warning,
}

/// Something to say, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// Within the folder of templates.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How bad.
    pub level: Level,
    /// Stable.
    pub code: String,
    /// What.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Remark {
    /// About a whole file.
    pub fn new(level: Level, file: &str, code: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, level, code: code.to_owned(), message: message.into(), hint: None }
    }

    /// At a place in it.
    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        (self.line, self.column) = (line, column);
        self
    }

    /// What a template's shape lacks.
    pub fn of_shape(key: &TemplateKey, refusal: &TemplateRefusal) -> Self {
        let file = match refusal {
            TemplateRefusal::EmptyBody { locale, .. } | TemplateRefusal::HtmlAndMjml(locale) => format!("{locale}.toml"),
            _ => HEAD.to_owned(),
        };
        Self::new(Level::Problem, &format!("{key}/{file}"), "INVALID_TEMPLATE", refusal.to_string())
    }

    /// What was found when a template was tried, at the place where that was written.
    pub fn of_finding(folder: &Folder, key: &TemplateKey, level: Level, finding: &Finding) -> Self {
        let written = finding.part.as_ref().unwrap_or(key);
        let at = folder.templates.get(written).map_or_else(|| At::file(HEAD), |read| place(read, finding, finding.part.is_some()));
        let mut remark = Self::new(level, &format!("{written}/{}", at.file), &finding.code, finding.message.clone()).at(at.line, at.column);
        if finding.part.is_some() {
            remark.message = format!("{} (in {key})", remark.message);
        }
        remark.hint = finding.hint.clone();
        remark
    }
}

/// Where a finding lies in a template's files. A part's body is the one that its user's language falls back to.
fn place(read: &Read, finding: &Finding, in_part: bool) -> At {
    let Some(locale) = &finding.locale else { return At::file(HEAD) };
    let (locale, channel) = if in_part { body(read, locale, finding.channel) } else { (locale, finding.channel) };
    let number = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
    let (line, column) = (number(finding.line), number(finding.column));
    // What is told of HTML or a text is told of what it was made from.
    let told = finding.field.as_deref().unwrap_or("text");
    // What a variant does not say itself is the template's.
    let own = finding.variant.as_ref().filter(|_| !in_part);
    for variant in own.map(Some).into_iter().chain([None]) {
        for field in [told, "mjml", "html", "text", "title"] {
            let wanted = |(of, tag, over, name): &FieldKey| of.as_ref() == variant && tag == locale.as_str() && *over == channel && *name == field;
            if let Some((_, at)) = read.fields.iter().find(|(key, _)| wanted(key)) {
                return at.within(line, column);
            }
        }
    }
    At::file(&format!("{locale}.toml"))
}

fn body<'a>(read: &'a Read, locale: &'a Locale, channel: Option<Channel>) -> (&'a Locale, Option<Channel>) {
    read.source.body(channel.unwrap_or(Channel::InApp), locale).map_or((locale, channel), |(locale, body)| (locale, body.channel))
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.level == Level::Warning { "warning " } else { "" };
        write!(f, "{}:{}:{} {word}{} {}", self.file, self.line, self.column, self.code, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}
