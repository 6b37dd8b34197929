//! Whose words a digest's summary is in: the template's that the category names, where that can say it, else ours.
//!
//! Guarantee: no digest is lost by its template. Whatever keeps that from being sent is found out while the window
//! closes, by rendering the summary once for every channel that it could go over; then it is said in words of
//! ours, and the event tells why. Rejected: to find out when the provider is called, when the window is closed and
//! nothing but the template's own parameters is left to tell.

use super::Due;
use super::summary::Summary;
use crate::accept::{Gathered, Unusable, bound, question, sendable};
use crate::log::LogError;
use crate::templates::placeholders;
use domain::category::Category;
use domain::digest::TemplateUnused;
use domain::event::Personal;
use domain::notification::Requested;
use domain::template::{Published, Template, check_parameters};
use domain::values::Content;
use serde_json::{Map, Value};

/// What of a summary a template asks for: it declares as much as it needs.
fn asked_for(published: &Published, summary: &Summary<'_>) -> Result<Map<String, Value>, Unusable> {
    let declared = &published.source.parameters;
    let mut parameters = summary.parameters();
    parameters.retain(|name, _| declared.iter().any(|parameter| parameter.name == *name));
    check_parameters(declared, &parameters)?;
    Ok(parameters)
}

/// Whether a template can say the summaries of digests, as far as can be told before there is one.
///
/// # Errors
/// It is not there, is not sent, or needs parameters that no digest gives.
pub fn says_summaries(template: &Template) -> Result<(), Unusable> {
    let category = Category::default();
    let mut summary = Summary::new(&category, None);
    summary.add(&Content { title: Some("title".to_owned()), body: "text".to_owned(), ..Content::default() });
    asked_for(sendable(template)?, &summary).map(|_| ())
}

impl Due {
    /// Puts the words into the request: the template's, bound to its version that is current, or ours. Tells of a
    /// template that could not be used.
    pub(super) async fn word(&self, facts: &Gathered, summary: &Summary<'_>, requested: &mut Requested) -> Result<Option<TemplateUnused>, LogError> {
        requested.personal = Personal::from(summary.content());
        let (Some(settings), Some((_, template))) = (&facts.category.state.digest, &facts.template) else { return Ok(None) };
        let Some(key) = settings.template.clone() else { return Ok(None) };
        let code = match sendable(&template.state).and_then(|published| asked_for(published, summary)) {
            Err(unusable) => unusable.code(),
            Ok(parameters) => {
                let content = Content { parameters: Some(Value::Object(parameters).to_string()), ..Content::default() };
                let used = bound(&template.state, requested.recipient, &facts.recipient.state);
                let worded = Requested { template: used.map(Box::new), personal: Personal::from(content), ..requested.clone() };
                match self.unsayable(facts, &worded).await? {
                    Some(code) => code,
                    None => {
                        *requested = worded;
                        return Ok(None);
                    }
                }
            }
        };
        tracing::warn!(template = %key, code, category = %requested.category, "a digest's template could not be used; its summary is in words of ours");
        Ok(Some(TemplateUnused { key, code: code.to_owned() }))
    }

    /// Why it cannot be said over one of the channels that it could go over: a summary may wait, and the recipient have
    /// other addresses by then.
    async fn unsayable(&self, facts: &Gathered, worded: &Requested) -> Result<Option<&'static str>, LogError> {
        for channel in facts.wanted(question(worded, None)) {
            if let Some(Err(unrendered)) = self.templates.content(worded, channel, placeholders(self.links)).await? {
                return Ok(Some(unrendered.code()));
            }
        }
        Ok(None)
    }
}
