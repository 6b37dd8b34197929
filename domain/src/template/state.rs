//! The template's state and its decisions.

use super::events::{Access, TemplateAccessSet, TemplateArchived, TemplateDrafted, TemplateEvent, TemplatePublished, TemplateUnarchived};
use super::refusal::{MAX_REVISIONS, TemplateRefusal};
use super::source::{Pins, Source};
use crate::aggregate::Aggregate;
use crate::values::TemplateKey;
use serde::{Deserialize, Serialize};

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The version, from 1.
    pub version: u32,
    /// Which of the drafts it is.
    pub revision: u32,
    /// What it says.
    pub source: Source,
    /// The versions that it rests on.
    pub pins: Pins,
}

/// A template as its events tell it: what was written last and what is sent. Older versions are read from
/// the log when they are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its key.
    pub key: TemplateKey,
    /// How often it was written; 0: never.
    pub revision: u32,
    /// What was written last.
    pub draft: Option<Source>,
    /// What is sent.
    pub current: Option<Published>,
    /// New requests are refused.
    pub archived: bool,
    /// Which senders may do what.
    pub access: Access,
}

/// What can be asked of a template.
#[derive(Debug, Clone)]
pub enum TemplateCommand {
    /// Write it.
    Draft {
        /// Its key.
        key: TemplateKey,
        /// All of it.
        source: Box<Source>,
        /// The revision that the writer saw, where they care.
        expected: Option<u32>,
    },
    /// Let what was written last be sent. That it can be rendered was found out before.
    Publish {
        /// The revision that was found good.
        revision: u32,
        /// The versions that it rests on.
        pins: Pins,
        /// Why.
        note: Option<String>,
    },
    /// Let an older version be sent again, as a new one.
    RollBack {
        /// The older version.
        to: u32,
        /// What it says.
        source: Box<Source>,
        /// The versions that it rests on.
        pins: Pins,
        /// Why.
        note: Option<String>,
    },
    /// Refuse new requests.
    Archive,
    /// Take them again.
    Unarchive,
    /// Say who may do what.
    SetAccess(Access),
}

impl Template {
    fn written(&self, key: TemplateKey, source: Source) -> Result<TemplateEvent, TemplateRefusal> {
        source.check()?;
        if self.revision >= MAX_REVISIONS {
            return Err(TemplateRefusal::TooManyRevisions);
        }
        if self.current.as_ref().is_some_and(|current| current.source.kind != source.kind) {
            return Err(TemplateRefusal::KindChanged);
        }
        Ok(TemplateEvent::TemplateDrafted(TemplateDrafted { key, source }))
    }

    fn published(&self, revision: u32, pins: Pins, restores: Option<u32>, note: Option<String>) -> Result<TemplateEvent, TemplateRefusal> {
        if note.as_ref().is_some_and(|note| note.chars().count() > 1000 || note.chars().any(|c| c.is_control() && c != '\n')) {
            return Err(TemplateRefusal::Note);
        }
        let version = self.version() + 1;
        Ok(TemplateEvent::TemplatePublished(TemplatePublished { key: self.key.clone(), version, revision, pins, restores, note }))
    }

    /// The current version; 0 while none is published.
    pub fn version(&self) -> u32 {
        self.current.as_ref().map_or(0, |current| current.version)
    }
}

impl Aggregate for Template {
    type Command = TemplateCommand;
    type Event = TemplateEvent;
    type Refusal = TemplateRefusal;

    fn decide(&self, command: TemplateCommand) -> Result<Vec<TemplateEvent>, TemplateRefusal> {
        use TemplateCommand as C;
        let key = || self.key.clone();
        let written = self.draft.as_ref();
        if let C::Draft { key, source, expected } = command {
            if let Some(expected) = expected.filter(|expected| *expected != self.revision) {
                return Err(TemplateRefusal::Stale { at: self.revision, expected });
            }
            if self.archived {
                return Err(TemplateRefusal::Archived);
            }
            return if written == Some(&*source) { Ok(Vec::new()) } else { Ok(vec![self.written(key, *source)?]) };
        }
        if written.is_none() {
            return Err(TemplateRefusal::NotFound);
        }
        Ok(match command {
            C::Publish { .. } | C::RollBack { .. } if self.archived => return Err(TemplateRefusal::Archived),
            C::Publish { revision, .. } if revision != self.revision => return Err(TemplateRefusal::Stale { at: self.revision, expected: revision }),
            C::Publish { revision, pins, note } => match &self.current {
                // The same draft on newer layouts is something new.
                Some(current) if current.revision == revision && current.pins == pins => {
                    return Err(TemplateRefusal::NothingNew { version: current.version });
                }
                _ => vec![self.published(revision, pins, None, note)?],
            },
            C::RollBack { to, .. } if to == 0 || to > self.version() => return Err(TemplateRefusal::NoSuchVersion(to)),
            C::RollBack { to, .. } if to == self.version() => return Err(TemplateRefusal::NothingNew { version: to }),
            C::RollBack { to, source, pins, note } => {
                vec![self.written(key(), *source)?, self.published(self.revision + 1, pins, Some(to), note)?]
            }
            C::Archive if self.archived => Vec::new(),
            C::Archive => vec![TemplateEvent::TemplateArchived(TemplateArchived { key: key() })],
            C::Unarchive if self.archived => vec![TemplateEvent::TemplateUnarchived(TemplateUnarchived { key: key() })],
            C::Unarchive => Vec::new(),
            C::SetAccess(access) if access == self.access => Vec::new(),
            C::SetAccess(access) => vec![TemplateEvent::TemplateAccessSet(TemplateAccessSet { key: key(), access })],
            C::Draft { .. } => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &TemplateEvent) {
        match event {
            TemplateEvent::TemplateDrafted(e) => {
                self.key = e.key.clone();
                self.revision += 1;
                self.draft = Some(e.source.clone());
            }
            TemplateEvent::TemplatePublished(e) => {
                self.current = self.draft.clone().map(|source| Published { version: e.version, revision: e.revision, source, pins: e.pins.clone() });
            }
            TemplateEvent::TemplateArchived(_) => self.archived = true,
            TemplateEvent::TemplateUnarchived(_) => self.archived = false,
            TemplateEvent::TemplateAccessSet(e) => self.access = e.access.clone(),
        }
    }
}
