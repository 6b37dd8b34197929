//! How two versions of a template differ: line by line, file by file, as `bongsu template diff` tells it.
//!
//! Files are what authors know, and each holds one language, or one long text of one channel. Rejected: a difference of
//! the fields' tree, which tells that a text of 200 lines is another one, and not where.

use super::query::visible;
use super::{asking, input};
use crate::graphql::context::services;
use crate::graphql::error::{failure, log_error};
use crate::template_files::{Files, differences, write};
use async_graphql::{Context, Object, Result, SimpleObject};
use commands::templates::{Version, version};
use domain::template::Pins;
use domain::values::TemplateKey;
use std::collections::BTreeSet;

/// How a file differs.
#[derive(SimpleObject)]
pub struct TemplateFileDiff {
    /// Its name as `bongsu template pull` writes it: `template.toml`, `en.toml`, `ko.email.mjml`, `variant-warm/en.toml`.
    file: String,
    /// The difference as `diff -u` tells it: `-` is the older one, `+` the newer.
    diff: String,
    /// Lines that are new.
    added: i32,
    /// Lines that are no more.
    removed: i32,
}

/// A layout or partial on which the two rest in different versions.
#[derive(SimpleObject)]
pub struct TemplatePartDiff {
    key: String,
    /// Absent: the older one does not rest on it.
    from: Option<i32>,
    /// Absent: the newer one does not rest on it.
    to: Option<i32>,
}

/// How two versions differ.
#[derive(SimpleObject)]
pub struct TemplateDiff {
    /// The older one; 0: none yet.
    from: i32,
    /// The newer one; absent: what was written last.
    to: Option<i32>,
    /// In the order of their names; empty where they say the same.
    files: Vec<TemplateFileDiff>,
    /// Layouts and partials in other versions; of what is not published yet nothing is pinned.
    parts: Vec<TemplatePartDiff>,
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn of_file((file, diff): (String, String)) -> TemplateFileDiff {
    // The first two lines name the two.
    let lines = |sign: char| count(diff.lines().skip(2).filter(|line| line.starts_with(sign)).count());
    TemplateFileDiff { added: lines('+'), removed: lines('-'), file, diff }
}

fn of_parts(old: &Pins, new: &Pins) -> Vec<TemplatePartDiff> {
    let number = |pins: &Pins, key| pins.get(key).map(|version| i32::try_from(*version).unwrap_or(i32::MAX));
    let all: BTreeSet<&TemplateKey> = old.keys().chain(new.keys()).collect();
    let differ = all.into_iter().filter(|key| old.get(*key) != new.get(*key));
    differ.map(|key| TemplatePartDiff { key: key.to_string(), from: number(old, key), to: number(new, key) }).collect()
}

/// A version that was published.
async fn published(ctx: &Context<'_>, key: &TemplateKey, number: i32) -> Result<Version> {
    let known = u32::try_from(number).unwrap_or(0);
    let found = version(&services(ctx)?.engine.bus, key, known).await.map_err(log_error)?;
    found.ok_or_else(|| failure("BAD_USER_INPUT", format!("The template has no version {number}.")))
}

/// The files of both, which are large enough to be compared elsewhere than on a worker of the runtime.
async fn compared(names: (String, String), old: Option<Version>, new: Version) -> Result<Vec<(String, String)>> {
    let done = tokio::task::spawn_blocking(move || {
        let old = old.map_or_else(Files::new, |old| write(&old.source));
        differences((&names.0, &names.1), &old, &write(&new.source))
    });
    done.await.map_err(|_| failure("INTERNAL", "The versions could not be compared; try again."))
}

/// Queries on what changed.
#[derive(Default)]
pub struct TemplateDiffQuery;

#[Object]
impl TemplateDiffQuery {
    /// How two versions of a template differ, line by line; without versions, what publishing would change. None where
    /// there is no such template, or the caller may not look at it.
    #[graphql(complexity = "50 + child_complexity")]
    async fn template_diff(
        &self,
        ctx: &Context<'_>,
        key: String,
        #[graphql(desc = "The older version; leave out for the one that is sent.")] from: Option<i32>,
        #[graphql(desc = "The newer version; leave out for what was written last.")] to: Option<i32>,
    ) -> Result<Option<TemplateDiff>> {
        asking(ctx)?;
        let Ok(key) = input::key(&key) else { return Ok(None) };
        let Some(state) = visible(ctx, &key).await? else { return Ok(None) };
        let from = from.unwrap_or_else(|| i32::try_from(state.version()).unwrap_or(i32::MAX));
        let old = if from == 0 { None } else { Some(published(ctx, &key, from).await?) };
        let new = match (to, &state.draft) {
            (Some(to), _) => published(ctx, &key, to).await?,
            // What it will rest on is known when it is published.
            (None, Some(draft)) => Version { source: draft.clone(), pins: old.as_ref().map(|old| old.pins.clone()).unwrap_or_default() },
            (None, None) => return Ok(None),
        };
        let empty = Pins::new();
        let parts = of_parts(old.as_ref().map_or(&empty, |old| &old.pins), &new.pins);
        let name = |version: Option<i32>| version.map_or_else(|| format!("{key}@draft"), |version| format!("{key}@{version}"));
        let files = compared((name(Some(from)), name(to)), old, new).await?;
        Ok(Some(TemplateDiff { from, to, files: files.into_iter().map(of_file).collect(), parts }))
    }
}
