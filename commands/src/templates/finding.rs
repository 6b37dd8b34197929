//! What there is to say about a template, as it travels: between processes and to its author.

use domain::rendering::{Place, Problem, Warning};
use domain::values::{Channel, Locale, TemplateKey};
use serde::{Deserialize, Serialize};

/// A mistake or a warning, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The variant of an experiment that it is about; absent: what the template says without it.
    #[serde(default)]
    pub variant: Option<String>,
    /// Language of the body; absent where it is about the whole template.
    pub locale: Option<Locale>,
    /// Channel of the body; absent: the body for all channels.
    pub channel: Option<Channel>,
    /// The body's field.
    pub field: Option<String>,
    /// The layout or partial in which it lies; absent: the template itself.
    pub part: Option<TemplateKey>,
    /// Line in that field, from 1.
    pub line: Option<u32>,
    /// Column in that line, in characters, from 1.
    pub column: Option<u32>,
    /// Stable.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Finding {
    /// About the whole template.
    pub fn of(code: &str, message: impl Into<String>) -> Self {
        Self {
            variant: None,
            locale: None,
            channel: None,
            field: None,
            part: None,
            line: None,
            column: None,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    fn at(place: Option<&Place>, code: &str, message: &str) -> Self {
        Self {
            locale: place.map(|place| place.locale.clone()),
            channel: place.and_then(|place| place.channel),
            field: place.map(|place| place.field.name().to_owned()),
            ..Self::of(code, message)
        }
    }
}

impl From<&Problem> for Finding {
    fn from(problem: &Problem) -> Self {
        let number = |number: Option<usize>| number.and_then(|number| u32::try_from(number).ok());
        Self {
            part: problem.key.clone(),
            line: number(problem.line),
            column: number(problem.column),
            hint: problem.hint.clone(),
            ..Self::at(problem.place.as_ref(), problem.code, &problem.message)
        }
    }
}

impl From<&Warning> for Finding {
    fn from(warning: &Warning) -> Self {
        Self::at(Some(&warning.place), warning.code, &warning.message)
    }
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// Mistakes: it cannot be published.
    pub problems: Vec<Finding>,
    /// What else its author should know.
    pub warnings: Vec<Finding>,
}

impl Examined {
    /// With what was found in a variant; what it shares with others is told once.
    pub fn add(&mut self, more: Self, variant: Option<&str>) {
        let same = |known: &Finding, other: &Finding| Finding { variant: None, ..known.clone() } == *other;
        for (all, more) in [(&mut self.problems, more.problems), (&mut self.warnings, more.warnings)] {
            for finding in more {
                if !all.iter().any(|known| same(known, &finding)) {
                    all.push(Finding { variant: variant.map(str::to_owned), ..finding });
                }
            }
        }
    }
}

/// Tries a template in this process, without any bounds but the renderer's own.
pub fn examined(source: &domain::template::Source, parts: &domain::rendering::Parts) -> Examined {
    let examination = domain::rendering::examine(source, parts);
    Examined { problems: examination.problems.iter().map(Finding::from).collect(), warnings: examination.warnings.iter().map(Finding::from).collect() }
}
