//! Publishing: what a template rests on is pinned, all of it is tried, and only then it is what is sent.
//!
//! Trying is a port: the server does it in a process of its own with little memory and time ([`Examine`]), so that
//! no template takes the service down with it.

use super::finding::{Examined, Finding, examined};
use super::history::{self, version};
use crate::accept::template_stream;
use crate::bus::{Bus, Done, Refused};
use crate::log::{LogError, Metadata};
use domain::rendering::{Parts, Problem, references};
use domain::template::{CONTROL, Pins, Source, Template, TemplateCommand, TemplateKind, TemplateRefusal};
use domain::values::TemplateKey;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Most layouts and partials that one template rests on, directly or not.
const MOST_PARTS: usize = 50;

/// It could not be tried to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExaminerError {
    /// It took more memory or time than a template may.
    #[error("the template takes more memory or time than it may; make its loops and texts smaller")]
    TooMuch,
    /// The machine could not do it.
    #[error("templates cannot be tried just now; try again")]
    Unavailable,
}

/// Tries a template with its examples. See the module.
pub trait Examine: std::fmt::Debug + Send + Sync {
    /// Compiles it and renders its examples.
    fn examine<'a>(&'a self, source: &'a Source, parts: &'a Parts) -> Pin<Box<dyn Future<Output = Result<Examined, ExaminerError>> + Send + 'a>>;
}

/// Tries templates right here, within the renderer's own bounds: for tests, and for tools that end afterwards anyway.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Examine for InProcess {
    fn examine<'a>(&'a self, source: &'a Source, parts: &'a Parts) -> Pin<Box<dyn Future<Output = Result<Examined, ExaminerError>> + Send + 'a>> {
        Box::pin(async move { Ok(examined(source, parts)) })
    }
}

/// Why it was not published. Nothing was changed.
#[derive(Debug)]
pub enum NotPublished {
    /// It has mistakes.
    Problems(Vec<Finding>),
    /// It could not be tried.
    Untried(ExaminerError),
    /// It says no.
    Refused(TemplateRefusal),
    /// The log.
    Log(LogError),
    /// It was changed again and again.
    Contended,
}

impl From<LogError> for NotPublished {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<Refused<TemplateRefusal>> for NotPublished {
    fn from(refused: Refused<TemplateRefusal>) -> Self {
        match refused {
            Refused::Refusal(refusal) => Self::Refused(refusal),
            Refused::Log(error) => Self::Log(error),
            Refused::Erased | Refused::Contended => Self::Contended,
        }
    }
}

/// All that a template rests on, as it is now.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Their versions.
    pub pins: Pins,
    /// What they say.
    pub parts: Parts,
}

/// It is what is sent from now on.
#[derive(Debug)]
pub struct Published {
    /// What it is now.
    pub done: Done<Template>,
    /// What its author should know.
    pub warnings: Vec<Finding>,
}

fn found(problems: &[Problem]) -> Vec<Finding> {
    problems.iter().map(Finding::from).collect()
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct Publisher {
    bus: Bus,
    examiner: Arc<dyn Examine>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Publisher")
    }
}

impl Publisher {
    /// Puts the parts together.
    pub fn new(bus: Bus, examiner: Arc<dyn Examine>) -> Self {
        Self { bus, examiner }
    }

    /// The current versions of all layouts and partials that a source names, directly or not. What does not exist, is
    /// not published or is no layout or partial is left out: compiling says so.
    ///
    /// # Errors
    /// What cannot be read of it, or the log.
    pub async fn resolve(&self, source: &Source) -> Result<Resolved, NotPublished> {
        let mut resolved = Resolved::default();
        let mut open = VecDeque::new();
        for (_, whole) in source.all_variants() {
            open.extend(references(&whole).map_err(|problems| NotPublished::Problems(found(&problems)))?);
        }
        while let Some(key) = open.pop_front() {
            if resolved.pins.contains_key(&key) || resolved.pins.len() >= MOST_PARTS {
                continue;
            }
            let state = self.bus.load::<Template>(template_stream(&key)).await?.state;
            let Some(current) = state.current.as_ref().filter(|current| current.source.kind != TemplateKind::Message && !state.archived) else { continue };
            // Each was tried when it was published.
            open.extend(references(&current.source).unwrap_or_default());
            resolved.pins.insert(key.clone(), current.version);
            resolved.parts.insert(key, Arc::new(current.source.clone()));
        }
        Ok(resolved)
    }

    /// Tries a source on what it rests on now.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), of what keeps it from being tried.
    pub async fn examine(&self, source: &Source) -> Result<(Resolved, Examined), NotPublished> {
        source.check().map_err(NotPublished::Refused)?;
        let resolved = self.resolve(source).await?;
        let mut all = Examined::default();
        for (variant, whole) in source.all_variants() {
            let examined = self.examiner.examine(&whole, &resolved.parts).await.map_err(NotPublished::Untried)?;
            all.add(examined, (variant != CONTROL).then_some(variant));
        }
        Ok((resolved, all))
    }

    /// Publishes what was written last; where a revision is named, only if that is it.
    ///
    /// # Errors
    /// See [`NotPublished`].
    pub async fn publish(&self, key: &TemplateKey, revision: Option<u32>, note: Option<String>, metadata: &Arc<Metadata>) -> Result<Published, NotPublished> {
        let stream = template_stream(key);
        let state = self.bus.load::<Template>(stream).await?.state;
        let source = state.draft.as_ref().ok_or(NotPublished::Refused(TemplateRefusal::NotFound))?;
        let revision = revision.unwrap_or(state.revision);
        let (resolved, warnings) = self.tried(source).await?;
        let done = self.bus.execute::<Template>(stream, metadata, TemplateCommand::Publish { revision, pins: resolved.pins, note }).await?;
        Ok(Published { done, warnings })
    }

    /// Publishes an older version again, on the layouts and partials that are current now.
    ///
    /// # Errors
    /// See [`NotPublished`].
    pub async fn roll_back(&self, key: &TemplateKey, to: u32, note: Option<String>, metadata: &Arc<Metadata>) -> Result<Published, NotPublished> {
        let stream = template_stream(key);
        let known: Option<history::Version> = version(&self.bus, key, to).await?;
        let Some(older) = known else {
            let refusal = if self.bus.log().stream_number(stream).await?.is_some() { TemplateRefusal::NoSuchVersion(to) } else { TemplateRefusal::NotFound };
            return Err(NotPublished::Refused(refusal));
        };
        let (resolved, warnings) = self.tried(&older.source).await?;
        let back = TemplateCommand::RollBack { to, source: Box::new(older.source), pins: resolved.pins, note };
        Ok(Published { done: self.bus.execute::<Template>(stream, metadata, back).await?, warnings })
    }

    /// Ends the experiment that is out: what a variant says is published as what the template says.
    ///
    /// # Errors
    /// See [`NotPublished`].
    pub async fn promote(&self, key: &TemplateKey, variant: &str, note: Option<String>, metadata: &Arc<Metadata>) -> Result<Published, NotPublished> {
        let stream = template_stream(key);
        let state = self.bus.load::<Template>(stream).await?.state;
        let current = state.current.as_ref().ok_or(NotPublished::Refused(TemplateRefusal::NotFound))?;
        let winner = current.source.experiment.as_ref().and_then(|_| current.source.as_variant(variant));
        let winner = winner.ok_or(NotPublished::Refused(TemplateRefusal::NoSuchVariant))?;
        let (resolved, warnings) = self.tried(&winner).await?;
        let draft = TemplateCommand::Draft { key: key.clone(), source: Box::new(winner), expected: Some(state.revision) };
        let publish = TemplateCommand::Publish { revision: state.revision + 1, pins: resolved.pins, note };
        Ok(Published { done: self.bus.execute_all::<Template>(stream, metadata, vec![draft, publish]).await?, warnings })
    }

    async fn tried(&self, source: &Source) -> Result<(Resolved, Vec<Finding>), NotPublished> {
        let (resolved, examined) = self.examine(source).await?;
        if examined.problems.is_empty() { Ok((resolved, examined.warnings)) } else { Err(NotPublished::Problems(examined.problems)) }
    }
}
