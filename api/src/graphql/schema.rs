//! The schema: one folder a noun, put together here.

use super::addresses::{AddressMutation, AddressQuery};
use super::administration::{CategoryMutation, CategoryQuery, KeyMutation, KeyQuery, ProjectionMutation, SenderMutation, SenderQuery, StatusQuery};
use super::attachments::AttachmentMutation;
use super::dead_letters::{DeadLetterMutation, DeadLetterQuery};
use super::explaining::ExplainQuery;
use super::live::LiveQuery;
use super::notifications::{HistoryQuery, MarkMutation, NotificationQuery};
use super::problem::Problem;
use super::recipients::{LinkQuery, RecipientMutation, RecipientQuery};
use super::reconciling::ReconciliationQuery;
use super::schedules::{ScheduleMutation, ScheduleQuery};
use super::sending::{CancelMutation, PreviewQuery, SearchQuery, SendingMutation};
use super::subscriptions::{ConsentQuery, ImportMutation, PreferencesQuery, SettingsMutation, SubscriptionMutation, SubscriptionQuery};
use super::templates::{TemplateDiffQuery, TemplateMutation, TemplatePreviewQuery, TemplateQuery, TemplateTrialMutation};
use super::transport::{Bounds, apply};
use crate::app::services::Services;
use async_graphql::{MergedObject, Schema, SchemaBuilder};
use std::sync::Arc;

/// Queries of those who operate it; together, since each member makes the compiler's work on the whole deeper.
#[derive(MergedObject, Default)]
pub struct OperatorQuery(DeadLetterQuery, StatusQuery, ReconciliationQuery);

/// What is told and what it is about; together for the same reason.
#[derive(MergedObject, Default)]
pub struct AuthorQuery(CategoryQuery, TemplateQuery, TemplatePreviewQuery, TemplateDiffQuery);

/// The same of mutations.
#[derive(MergedObject, Default)]
pub struct AuthorMutation(CategoryMutation, TemplateMutation, TemplateTrialMutation);

/// What is sent, and the files that go with it; together for the same reason.
#[derive(MergedObject, Default)]
pub struct SenderMutations(SendingMutation, AttachmentMutation);

/// All queries.
#[derive(MergedObject, Default)]
pub struct Query(
    NotificationQuery,
    HistoryQuery,
    SearchQuery,
    PreviewQuery,
    ScheduleQuery,
    AddressQuery,
    RecipientQuery,
    LinkQuery,
    SubscriptionQuery,
    PreferencesQuery,
    ConsentQuery,
    AuthorQuery,
    SenderQuery,
    KeyQuery,
    OperatorQuery,
    ExplainQuery,
);

/// All mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    SenderMutations,
    CancelMutation,
    ScheduleMutation,
    AddressMutation,
    RecipientMutation,
    SubscriptionMutation,
    SettingsMutation,
    ImportMutation,
    MarkMutation,
    SenderMutation,
    KeyMutation,
    AuthorMutation,
    DeadLetterMutation,
    ProjectionMutation,
);

/// The API's schema.
pub type BongsuSchema = Schema<Query, Mutation, LiveQuery>;

fn builder() -> SchemaBuilder<Query, Mutation, LiveQuery> {
    Schema::build(Query::default(), Mutation::default(), LiveQuery).register_output_type::<Problem>()
}

/// The schema at work.
pub fn build(services: Arc<Services>, bounds: &Bounds) -> BongsuSchema {
    apply(builder().data(services), bounds).finish()
}

/// Its definition language, for `api/schema.graphql`.
pub fn sdl() -> String {
    builder().finish().sdl()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    #[test]
    fn schema_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
        let sdl = super::sdl();
        if std::env::var_os("BONGSU_BLESS").is_some() {
            std::fs::write(path, &sdl).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), sdl, "run the tests with BONGSU_BLESS=1 and commit api/schema.graphql");
    }
}
