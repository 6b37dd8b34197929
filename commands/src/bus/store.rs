//! `cqrs_es::EventStore` over the log, for those who use the framework's own tools.

use crate::log::{Commit, CommitOutcome, Committer, Lane, LogReader, Metadata, StreamAppend};
use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// An aggregate's event within a [`Fact`].
pub trait FactOf: Sized {
    /// The kind of aggregate whose event it is.
    const KIND: AggregateKind;
    /// The event, if the fact is one of these.
    fn of(fact: &Fact) -> Option<&Self>;
}

macro_rules! fact_of {
    ($($kind:ident: $event:path),+ $(,)?) => { $(impl FactOf for $event {
        const KIND: AggregateKind = AggregateKind::$kind;
        fn of(fact: &Fact) -> Option<&Self> {
            match fact { Fact::$kind(event) => Some(event), _ => None }
        }
    })+ };
}
fact_of!(
    Notification: domain::notification::NotificationEvent,
    Recipient: domain::recipient::RecipientEvent,
    Subscription: domain::subscription::SubscriptionEvent,
    Category: domain::category::CategoryEvent,
    Sender: domain::sender::SenderEvent,
    ApiKey: domain::api_key::ApiKeyEvent,
    Address: domain::address::AddressEvent,
    Frequency: domain::frequency::FrequencyEvent,
    Digest: domain::digest::DigestEvent,
    Schedule: domain::schedule::ScheduleEvent,
    Quota: domain::quota::QuotaEvent,
    Template: domain::template::TemplateEvent,
);

/// The log as `cqrs_es` sees it. Aggregate ids are UUIDs.
#[derive(Clone)]
pub struct Store {
    committer: Committer,
    log: Arc<dyn LogReader>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// An aggregate with the sequence it was loaded at.
#[derive(Debug)]
pub struct Context<A> {
    stream: StreamId,
    sequence: u64,
    aggregate: A,
}

impl<A: cqrs_es::Aggregate> AggregateContext<A> for Context<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl Store {
    /// Over a log.
    pub fn new(committer: Committer, log: Arc<dyn LogReader>) -> Self {
        Self { committer, log }
    }
}

fn stream_of<A: cqrs_es::Aggregate>(id: &str) -> Result<StreamId, AggregateError<A::Error>>
where
    A::Event: FactOf,
{
    let id = Uuid::parse_str(id).map_err(|error| AggregateError::UnexpectedError(Box::new(error)))?;
    Ok(StreamId::new(A::Event::KIND, id))
}

impl<A> EventStore<A> for Store
where
    A: cqrs_es::Aggregate,
    A::Error: Send,
    A::Event: FactOf + Into<Fact>,
{
    type AC = Context<A>;

    async fn load_events(&self, aggregate_id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let events =
            self.log.read_stream(stream_of::<A>(aggregate_id)?, 0, true).await.map_err(|error| AggregateError::DatabaseConnectionError(Box::new(error)))?;
        Ok(events
            .iter()
            .filter_map(|event| {
                let payload = A::Event::of(&event.fact)?.clone();
                let sequence = usize::try_from(event.sequence).ok()?;
                Some(EventEnvelope {
                    aggregate_id: aggregate_id.to_owned(),
                    sequence,
                    payload,
                    metadata: HashMap::from([("actor".to_owned(), event.metadata.actor.clone())]),
                })
            })
            .collect())
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Context<A>, AggregateError<A::Error>> {
        let mut context = Context { stream: stream_of::<A>(aggregate_id)?, sequence: 0, aggregate: A::default() };
        for event in EventStore::<A>::load_events(self, aggregate_id).await? {
            context.sequence = event.sequence as u64;
            context.aggregate.apply(event.payload);
        }
        Ok(context)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Context<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let aggregate_id = context.stream.id.to_string();
        let envelopes = (context.sequence as usize + 1..)
            .zip(&events)
            .map(|(sequence, payload)| EventEnvelope { aggregate_id: aggregate_id.clone(), sequence, payload: payload.clone(), metadata: metadata.clone() })
            .collect();
        let commit = Commit {
            metadata: Arc::new(Metadata { actor: metadata.get("actor").cloned().unwrap_or_default(), ..Metadata::default() }),
            appends: vec![StreamAppend {
                stream: context.stream,
                number: None,
                expected: context.sequence,
                events: events.into_iter().map(Into::into).collect(),
            }],
            expectations: Vec::new(),
        };
        let outcomes = self.committer.commit(Lane::Request, vec![commit]).await.map_err(|error| AggregateError::DatabaseConnectionError(Box::new(error)))?;
        match outcomes.first() {
            Some(CommitOutcome::Committed { .. }) => Ok(envelopes),
            _ => Err(AggregateError::AggregateConflict),
        }
    }
}
