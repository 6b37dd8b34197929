//! What a template was at any time, read from its stream.

use crate::accept::template_stream;
use crate::bus::Bus;
use crate::log::LogError;
use domain::Fact;
use domain::template::{Access, Pins, Source, TemplateEvent};
use domain::values::{Millis, TemplateKey};

/// A version as it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What it says.
    pub source: Source,
    /// The versions that it rests on.
    pub pins: Pins,
}

/// What was done to a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// It was written.
    Drafted {
        /// How often, this time included.
        revision: u32,
        /// What.
        source: Box<Source>,
    },
    /// It was published.
    Published {
        /// As this version.
        version: u32,
        /// This draft.
        revision: u32,
        /// On these layouts and partials.
        pins: Pins,
        /// The older version that it says again.
        restores: Option<u32>,
        /// Why.
        note: Option<String>,
    },
    /// New requests were refused from then on.
    Archived,
    /// And taken again.
    Unarchived,
    /// It was said who may do what.
    AccessSet(Access),
}

/// A change, by whom and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When (ms since the epoch).
    pub at: Millis,
    /// Who, as in the log's metadata.
    pub by: String,
    /// What.
    pub what: Happened,
}

/// All changes of a template, the oldest first.
///
/// # Errors
/// The log cannot be read.
pub async fn history(bus: &Bus, key: &TemplateKey) -> Result<Vec<Change>, LogError> {
    let events = bus.log().read_stream(template_stream(key), 0, false).await?;
    let mut written = 0;
    let changes = events.iter().filter_map(|event| {
        let Fact::Template(fact) = &event.fact else { return None };
        let what = match fact.clone() {
            TemplateEvent::TemplateDrafted(e) => {
                written += 1;
                Happened::Drafted { revision: written, source: Box::new(e.source) }
            }
            TemplateEvent::TemplatePublished(e) => {
                Happened::Published { version: e.version, revision: e.revision, pins: e.pins, restores: e.restores, note: e.note }
            }
            TemplateEvent::TemplateArchived(_) => Happened::Archived,
            TemplateEvent::TemplateUnarchived(_) => Happened::Unarchived,
            TemplateEvent::TemplateAccessSet(e) => Happened::AccessSet(e.access),
        };
        Some(Change { at: event.at, by: event.metadata.actor.clone(), what })
    });
    Ok(changes.collect())
}

/// A version as it was published; none where there is no such version.
///
/// # Errors
/// The log cannot be read.
pub async fn version(bus: &Bus, key: &TemplateKey, number: u32) -> Result<Option<Version>, LogError> {
    let mut sources = Vec::new();
    for change in history(bus, key).await? {
        match change.what {
            Happened::Drafted { source, .. } => sources.push(source),
            Happened::Published { version, revision, pins, .. } if version == number => {
                let index = usize::try_from(revision).unwrap_or(usize::MAX).checked_sub(1);
                let source = index.filter(|index| *index < sources.len()).map(|index| *sources.swap_remove(index));
                return Ok(source.map(|source| Version { source, pins }));
            }
            _ => {}
        }
    }
    Ok(None)
}
