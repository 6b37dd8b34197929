//! Bringing in consents that were given elsewhere.

use super::mutation::EvidenceInput;
use super::object;
use super::scope::{self, ScopeParts};
use crate::graphql::context::{for_real, metadata, services, staff};
use crate::graphql::error::{failure, log_error};
use crate::graphql::names::{Channel, SubscriptionScope};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::consents::{self, Consent, ConsentRefusal, Imported};
use domain::subscription::Evidence;
use std::collections::BTreeSet;

/// A consent that was given or withdrawn elsewhere.
#[derive(InputObject)]
pub struct ConsentInput {
    /// Your id of the recipient.
    recipient: String,
    scope: SubscriptionScope,
    /// With scopes `CHANNEL` and `CATEGORY_CHANNEL`.
    channel: Option<Channel>,
    /// With scopes `CATEGORY` and `CATEGORY_CHANNEL`: its key.
    category: Option<String>,
    /// With scope `DEVICE`: its id.
    device: Option<ID>,
    /// With scope `TOPIC`: its key.
    topic: Option<String>,
    /// Given, or withdrawn.
    subscribed: bool,
    /// When; what the person chose after that stands. Leave it out for now.
    at: Option<DateTime<Utc>>,
    /// What proves it.
    evidence: Option<EvidenceInput>,
}

impl ConsentInput {
    fn consent(self, hashing: &commands::log::Hashing) -> Result<Consent, Refused> {
        let device = self.device.as_ref().map(|id| id.as_str());
        let parts = ScopeParts { channel: self.channel, category: self.category.as_deref(), device, topic: self.topic.as_deref() };
        let scope = scope::read(self.scope, &parts)?;
        let evidence = Evidence { at: self.at.map(|at| at.timestamp_millis()), ..self.evidence.map(Into::into).unwrap_or_default() };
        Ok(Consent { recipient: hashing.recipient(&self.recipient), scope, subscribed: self.subscribed, evidence })
    }
}

/// Consents to bring in.
#[derive(InputObject)]
pub struct ImportConsentsInput {
    /// In their order; later ones of the same person are decided on earlier ones.
    items: Vec<ConsentInput>,
}

/// It is in the log, durably.
#[derive(SimpleObject)]
pub struct ConsentImported {
    /// Whether it changed anything; what stood already is not recorded again.
    changed: bool,
    /// From here on queries show it.
    position: Position,
}

/// Taken, or refused with a reason.
#[derive(Union)]
pub enum ConsentResult {
    /// In the log.
    Imported(ConsentImported),
    /// Nothing was changed.
    Refused(Refused),
}

/// The answers, in the order of the items.
#[derive(SimpleObject)]
pub struct ImportConsentsPayload {
    /// One for each item.
    results: Vec<ConsentResult>,
}

fn refused(refusal: &ConsentRefusal) -> Refused {
    let (field, code) = match refusal {
        ConsentRefusal::UnknownRecipient => ("recipient", "RECIPIENT_NOT_FOUND"),
        ConsentRefusal::Erased => ("recipient", "RECIPIENT_ERASED"),
        ConsentRefusal::UnknownCategory => ("category", "CATEGORY_NOT_FOUND"),
        ConsentRefusal::Future => ("at", "CONSENT_IN_FUTURE"),
        ConsentRefusal::NewerChoice => ("at", "NEWER_CHOICE"),
        ConsentRefusal::Subscription(refusal) => return object::refused(refusal),
        ConsentRefusal::Contended => return Refused::new("CONTENDED", refusal.to_string()),
    };
    Refused::at(field, code, refusal.to_string())
}

fn answer(result: Result<Imported, ConsentRefusal>) -> ConsentResult {
    match result {
        Ok(done) => ConsentResult::Imported(ConsentImported { changed: done.changed, position: Position(done.position) }),
        Err(refusal) => ConsentResult::Refused(refused(&refusal)),
    }
}

/// Mutations on many people's consents.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Brings in consents that were given elsewhere, each taken or refused on its own. Answered when
    /// all that were taken are durable and no call that they forbid can begin.
    #[graphql(complexity = "10 + child_complexity")]
    async fn import_consents(&self, ctx: &Context<'_>, input: ImportConsentsInput) -> Result<ImportConsentsPayload> {
        staff(ctx)?;
        for_real(ctx)?;
        let services = services(ctx)?;
        if input.items.len() > services.list_length {
            return Err(failure("LIST_TOO_LONG", format!("A list has at most {} items; send several lists.", services.list_length)));
        }
        let engine = &services.engine;
        let mut results: Vec<Option<ConsentResult>> = Vec::with_capacity(input.items.len());
        let mut consents = Vec::with_capacity(input.items.len());
        for item in input.items {
            match item.consent(&engine.hashing) {
                Ok(consent) => {
                    consents.push(consent);
                    results.push(None);
                }
                Err(refused) => results.push(Some(ConsentResult::Refused(refused))),
            }
        }
        let answers = consents::import(&engine.bus, &metadata(ctx)?, &consents, engine.clock.now()).await.map_err(log_error)?;
        let withdrawn = consents.iter().zip(&answers).filter(|(consent, answer)| !consent.subscribed && answer.is_ok());
        let withdrawn: BTreeSet<_> = withdrawn.map(|(consent, _)| consent.recipient).collect();
        if !withdrawn.is_empty() {
            engine.barrier.all_settled(&withdrawn).await;
        }
        let mut answers = answers.into_iter();
        let results = results.into_iter().filter_map(|result| result.or_else(|| answers.next().map(answer))).collect();
        Ok(ImportConsentsPayload { results })
    }
}
