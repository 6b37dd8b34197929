//! The state of the whole, for `bongsu status` and operators.

use crate::graphql::context::{administrator, services};
use crate::graphql::error::{log_error, read_error};
use crate::graphql::names::{Channel, Priority};
use crate::graphql::position::Position;
use async_graphql::{Context, Object, Result, SimpleObject};
use commands::replicas::{Peer, Peers};
use workers::pending::DELIVERY;
use workers::timers::TIMERS;

/// What is owed on one channel with one priority.
#[derive(SimpleObject)]
pub struct BacklogObject {
    channel: Channel,
    priority: Priority,
    sandbox: bool,
    /// `queued`, `waiting`, `in_flight` or `dead_lettered`.
    state: &'static str,
    deliveries: f64,
}

/// A provider at work.
#[derive(SimpleObject)]
pub struct ProviderObject {
    name: String,
    channel: Channel,
    /// `closed`, or why its work is held: `open`, `throttled`, `misconfigured`.
    breaker: &'static str,
}

/// A reader of the log.
#[derive(SimpleObject)]
pub struct ConsumerObject {
    name: &'static str,
    position: Position,
    /// Events it has still to take in.
    lag: f64,
    /// Events it could not take in and set aside, loudly.
    parked: i32,
}

/// A process of the cluster profile.
#[derive(SimpleObject)]
pub struct ReplicaObject {
    /// Given at its start, and never again.
    number: f64,
    /// Host, address and process.
    name: String,
    version: String,
    /// What it does: `api`, `projections`, `workers`.
    roles: Vec<String>,
    /// The one that answers.
    this: bool,
}

/// The state of the whole.
#[derive(SimpleObject)]
pub struct StatusObject {
    version: &'static str,
    /// The newest event.
    head: Position,
    events: f64,
    backlog: Vec<BacklogObject>,
    providers: Vec<ProviderObject>,
    consumers: Vec<ConsumerObject>,
    /// Deliveries in memory.
    window: i32,
    followers: i32,
    /// Whether the queue that all replicas share is used; absent where there is none. While it does not
    /// answer, each replica takes its share from the database.
    shared_queue: Option<bool>,
    /// The processes that live; none in the embedded profile, which has one.
    replicas: Vec<ReplicaObject>,
}

/// Queries of operators.
#[derive(Default)]
pub struct StatusQuery;

#[allow(clippy::cast_precision_loss, reason = "counts for people; exact up to 2^53")]
const fn number(value: u64) -> f64 {
    value as f64
}

#[Object]
impl StatusQuery {
    /// The state of the whole.
    async fn status(&self, ctx: &Context<'_>) -> Result<StatusObject> {
        administrator(ctx)?;
        let services = services(ctx)?;
        let engine = &services.engine;
        let head = engine.tail.head();
        let backlog = engine.pending.counts().await.map_err(log_error)?;
        let beside = [(DELIVERY, &engine.table), (TIMERS, &engine.timers)].map(|(name, progress)| (name, progress.position()));
        let beside = beside.map(|(name, at)| ConsumerObject { name, position: Position(at), lag: number(head.saturating_sub(at)), parked: 0 });
        let mut consumers = Vec::from(beside);
        for projection in engine.read_models.all() {
            let position = projection.position();
            let parked = projection.parked().await.map_err(read_error)?;
            consumers.push(ConsumerObject {
                name: projection.name(),
                position: Position(position),
                lag: number(head.saturating_sub(position)),
                parked: i32::try_from(parked.len()).unwrap_or(i32::MAX),
            });
        }
        if let Some(mirror) = &engine.mirror {
            let position = mirror.position();
            let lag = number(head.saturating_sub(position));
            // It sets nothing aside: it waits instead.
            consumers.push(ConsumerObject { name: projections::feed::kurrentdb::NAME, position: Position(position), lag, parked: 0 });
        }
        Ok(StatusObject {
            version: env!("CARGO_PKG_VERSION"),
            head: Position(head),
            events: number(head),
            backlog: backlog
                .into_iter()
                .map(|(route, priority, state, count)| BacklogObject {
                    channel: route.channel.into(),
                    priority: priority.into(),
                    sandbox: route.sandbox,
                    state,
                    deliveries: number(count),
                })
                .collect(),
            providers: services
                .providers
                .iter()
                .map(|provider| ProviderObject {
                    name: provider.name.clone(),
                    channel: provider.channel.into(),
                    breaker: provider.watched.breaker().state().name(),
                })
                .collect(),
            consumers,
            window: i32::try_from(engine.window.len()).unwrap_or(i32::MAX),
            followers: i32::try_from(engine.live.followers()).unwrap_or(i32::MAX),
            shared_queue: engine.shares_queue(),
            replicas: replicas(&engine.peers.borrow()),
        })
    }
}

fn replicas(peers: &Peers) -> Vec<ReplicaObject> {
    let replica = |peer: &Peer| ReplicaObject {
        number: number(peer.number),
        name: peer.name.clone(),
        version: peer.version.clone(),
        roles: peer.roles.clone(),
        this: peer.number == peers.me,
    };
    peers.living.iter().map(replica).collect()
}
