//! Templates at work: which version says what, compiled once, and rendered for one channel.
//!
//! Guarantee: the same notification says the same whenever it is rendered, since version, language, zone and
//! parameters were fixed when it was accepted. What is compiled is kept within a budget of bytes; it can be made
//! anew from the log at any time. Rejected: to keep what was rendered, which costs a hundred times the storage.

mod finding;
mod history;
mod links;
mod publishing;
#[cfg(test)]
pub(crate) mod tests;

pub use finding::{Examined, Finding, examined};
pub use history::{Change, Happened, Version, history, version};
pub use links::{filled, is_placeholder, placeholders};
pub use publishing::{Examine, ExaminerError, InProcess, NotPublished, Published, Publisher, Resolved};

use crate::bus::Bus;
use crate::log::LogError;
use crate::recent::Recent;
use domain::notification::Requested;
use domain::rendering::{Audience, Compiled, Links, Parts, RenderError, compile};
use domain::template::{CONTROL, TemplateUse, parse_parameters};
use domain::values::{Channel, Content, TemplateKey};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of compiled templates that are kept.
const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// The most templates that are kept.
const KEPT: usize = 4_096;

/// Why nothing could be rendered. The same always: nothing here is worth a second try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrendered {
    /// The log has no such version.
    #[error("the template's version is not in the log")]
    Missing,
    /// It was published once and cannot be compiled any more.
    #[error("the template's version does not compile any more; publish it anew")]
    Broken,
    /// The parameters are no object: they were damaged, or written by something else.
    #[error("the parameters cannot be read")]
    Parameters,
    /// With these parameters it cannot be rendered.
    #[error(transparent)]
    Failed(#[from] RenderError),
}

impl Unrendered {
    /// A short stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "TEMPLATE_MISSING",
            Self::Broken => "TEMPLATE_BROKEN",
            Self::Parameters => "TEMPLATE_PARAMETER",
            Self::Failed(error) => error.code(),
        }
    }
}

/// What a version is when it is ready; broken ones are remembered too.
type Ready = Result<Arc<Compiled>, Unrendered>;

struct Kept {
    recent: Recent<(TemplateKey, u32, Option<String>), Ready>,
    bytes: usize,
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct Templates {
    bus: Bus,
    kept: Arc<Mutex<Kept>>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Templates {
    /// With nothing compiled yet.
    pub fn new(bus: Bus) -> Self {
        Self { bus, kept: Arc::new(Mutex::new(Kept { recent: Recent::new(KEPT), bytes: 0 })) }
    }

    /// A version, or what a variant of its experiment makes of it, ready to be rendered.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn compiled(&self, key: &TemplateKey, number: u32, variant: Option<&str>) -> Result<Ready, LogError> {
        let wanted = (key.clone(), number, variant.map(str::to_owned));
        if let Some(ready) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).recent.get(&wanted) {
            return Ok(ready.clone());
        }
        let ready = match version(&self.bus, key, number).await? {
            None => Err(Unrendered::Missing),
            Some(published) => {
                let mut parts = Parts::new();
                for (key, number) in &published.pins {
                    if let Some(part) = version(&self.bus, key, *number).await? {
                        parts.insert(key.clone(), Arc::new(part.source));
                    }
                }
                match published.source.as_variant(variant.unwrap_or(CONTROL)) {
                    Some(source) => compiled(source, parts).await,
                    None => Err(Unrendered::Missing),
                }
            }
        };
        if let Err(unrendered) = &ready {
            tracing::error!(template = %key, version = number, %unrendered, "a template cannot be rendered; what is made from this version fails");
        }
        let bytes = ready.as_ref().map_or(0, |compiled| compiled.bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes.saturating_add(bytes) > KEPT_BYTES {
            kept.recent.clear();
            kept.bytes = 0;
        }
        kept.bytes += bytes;
        kept.recent.insert(wanted, ready.clone());
        Ok(ready)
    }

    /// What a notification says over a channel; none where its content is erased.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn content(&self, requested: &Requested, channel: Channel, links: Links) -> Result<Option<Result<Content, Unrendered>>, LogError> {
        let Some(content) = requested.personal.known() else { return Ok(None) };
        let Some(used) = &requested.template else {
            return Ok(Some(if content.parameters.is_some() { Err(Unrendered::Missing) } else { Ok(content.clone()) }));
        };
        Ok(Some(match self.compiled(&used.key, used.version, used.assigned.as_ref().map(|assigned| assigned.variant.as_str())).await? {
            Ok(compiled) => rendered(&compiled, used, content, channel, links),
            Err(unrendered) => Err(unrendered),
        }))
    }

    /// What it says to somebody who looks at it in the app: its own body, or that of the channel that it went over.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn shown(&self, requested: &Requested, channels: impl Iterator<Item = Channel>) -> Result<Option<Result<Content, Unrendered>>, LogError> {
        let mut shown = self.content(requested, Channel::InApp, Links::default()).await?;
        for channel in channels {
            if !matches!(shown, Some(Err(Unrendered::Failed(RenderError::NoBody)))) {
                break;
            }
            shown = self.content(requested, channel, Links::default()).await?;
        }
        Ok(shown)
    }
}

/// Compiling takes milliseconds, which belong to no worker of the runtime.
async fn compiled(source: domain::template::Source, parts: Parts) -> Ready {
    let done = tokio::task::spawn_blocking(move || compile(&source, &parts)).await;
    match done {
        Ok(Ok(compiled)) => Ok(Arc::new(compiled)),
        Ok(Err(_)) | Err(_) => Err(Unrendered::Broken),
    }
}

fn rendered(compiled: &Compiled, used: &TemplateUse, content: &Content, channel: Channel, links: Links) -> Result<Content, Unrendered> {
    let parameters = parse_parameters(content.parameters.as_deref().unwrap_or("{}")).map_err(|_| Unrendered::Parameters)?;
    // Whose language nobody knows reads the template's default.
    let locale = used.locale.as_ref().unwrap_or_else(|| compiled.default_locale());
    let audience = Audience { channel, locale, zone: used.zone.unwrap_or_default(), variant: None, links };
    let told = compiled.render(&audience, &parameters)?;
    Ok(Content {
        title: told.title,
        body: told.text,
        html: told.html,
        data: told.data,
        collapse_key: content.collapse_key.clone(),
        metadata: content.metadata.clone(),
        template: None,
        parameters: None,
        attachments: content.attachments.clone(),
    })
}
