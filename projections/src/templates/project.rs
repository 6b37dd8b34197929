//! Events to rows, one statement each: authors are few.

use super::words::{names, words};
use commands::consumer::{Changes, Consumer, HandleError, Sql};
use commands::log::Recorded;
use domain::Fact;
use domain::template::TemplateEvent;
use std::sync::Arc;

static DRAFTED: Sql = Sql {
    text: "INSERT INTO templates (key, name, names, words, revision, version, archived, access, updated_at, position) VALUES (?1, ?2, ?3, ?4, 1, 0, 0, '{}', ?5, ?6) ON CONFLICT (key) DO UPDATE SET name = excluded.name, names = excluded.names, words = excluded.words, revision = templates.revision + 1, updated_at = excluded.updated_at, position = excluded.position",
    types: "ttttii",
    key: 1,
};
static PUBLISHED: Sql = Sql { text: "UPDATE templates SET version = ?2, updated_at = ?3, position = ?4 WHERE key = ?1", types: "tiii", key: 1 };
static ARCHIVED: Sql = Sql { text: "UPDATE templates SET archived = ?2, updated_at = ?3, position = ?4 WHERE key = ?1", types: "tiii", key: 1 };
static ACCESS: Sql = Sql { text: "UPDATE templates SET access = ?2, updated_at = ?3, position = ?4 WHERE key = ?1", types: "ttii", key: 1 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct TemplatesProjection;

impl Consumer for TemplatesProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            let Fact::Template(fact) = &event.fact else {
                super::experiments::handle(event, changes);
                continue;
            };
            let (at, position) = (event.at.into(), event.position.into());
            match fact {
                TemplateEvent::TemplateDrafted(e) => changes.push(
                    &DRAFTED,
                    vec![e.key.as_str().into(), e.source.name.as_str().into(), names(&e.key, &e.source).into(), words(&e.key, &e.source).into(), at, position],
                ),
                TemplateEvent::TemplatePublished(e) => changes.push(&PUBLISHED, vec![e.key.as_str().into(), i64::from(e.version).into(), at, position]),
                TemplateEvent::TemplateArchived(e) => changes.push(&ARCHIVED, vec![e.key.as_str().into(), true.into(), at, position]),
                TemplateEvent::TemplateUnarchived(e) => changes.push(&ARCHIVED, vec![e.key.as_str().into(), false.into(), at, position]),
                TemplateEvent::TemplateAccessSet(e) => {
                    let access = serde_json::to_string(&e.access).map_err(|error| HandleError { reason: error.to_string() })?;
                    changes.push(&ACCESS, vec![e.key.as_str().into(), access.into(), at, position]);
                }
            }
        }
        Ok(())
    }
}
