//! What the simulator answers, told by the official client: against the simulator, or against a
//! real server where `BONGSU_TEST_KURRENTDB` holds its connection string.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use eventstore::{
    AppendToStreamOptions, Client, CurrentRevision, Error, EventData, ReadAllOptions, ReadStreamOptions, StreamPosition, StreamState, SubscribeToAllOptions,
    SubscriptionEvent, SubscriptionFilter,
};
use kurrentdb_sim::Simulator;
use uuid::Uuid;

/// A server, and a beginning of stream names that nobody else uses.
struct Server {
    client: Client,
    prefix: String,
    simulator: Option<Simulator>,
}

impl Server {
    async fn start(test: u128) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let named = std::env::var("BONGSU_TEST_KURRENTDB").ok();
        let simulator = if named.is_some() { None } else { Some(Simulator::start().await.unwrap()) };
        let text = named.unwrap_or_else(|| simulator.as_ref().unwrap().connection_string());
        let client = Client::new(text.parse().unwrap()).unwrap();
        let process = std::process::id();
        Self { client, prefix: format!("sim{process}x{test}."), simulator }
    }

    fn stream(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn append(&self, stream: &str, state: StreamState, ids: &[u128]) -> eventstore::Result<u64> {
        let events: Vec<EventData> = ids.iter().map(|id| self.event(*id)).collect();
        let options = AppendToStreamOptions::default().stream_state(state);
        self.client.append_to_stream(self.stream(stream), &options, events).await.map(|result| result.next_expected_version)
    }

    fn event(&self, id: u128) -> EventData {
        EventData::json("Happened", &id.to_string()).unwrap().id(self.id(id)).metadata("{}".into())
    }

    /// Differs from run to run, so that a real server takes it as new.
    fn id(&self, id: u128) -> Uuid {
        Uuid::from_u128(id + (u128::from(std::process::id()) << 64))
    }

    async fn ids(&self, stream: &str, options: ReadStreamOptions) -> eventstore::Result<Vec<Uuid>> {
        let mut events = self.client.read_stream(self.stream(stream), &options).await?;
        let mut ids = Vec::new();
        while let Some(event) = events.next().await? {
            ids.push(event.get_original_event().id);
        }
        Ok(ids)
    }
}

fn wrong(result: eventstore::Result<u64>, current: CurrentRevision) {
    match result {
        Err(Error::WrongExpectedVersion { current: found, .. }) => assert_eq!(found, current),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn revisions_are_checked_and_repeats_are_known_by_their_ids() {
    let server = Server::start(1).await;
    wrong(server.append("a", StreamState::StreamRevision(0), &[1]).await, CurrentRevision::NoStream);
    wrong(server.append("a", StreamState::StreamExists, &[1]).await, CurrentRevision::NoStream);
    assert_eq!(server.append("a", StreamState::NoStream, &[1, 2]).await.unwrap(), 1);
    // The same again is answered as if it were the first.
    assert_eq!(server.append("a", StreamState::NoStream, &[1, 2]).await.unwrap(), 1);
    assert_eq!(server.append("a", StreamState::StreamRevision(0), &[2]).await.unwrap(), 1);
    assert_eq!(server.append("a", StreamState::Any, &[1]).await.unwrap(), 0);
    // Another in its place, or more than is there, is not.
    wrong(server.append("a", StreamState::NoStream, &[3]).await, CurrentRevision::Current(1));
    wrong(server.append("a", StreamState::NoStream, &[1, 2, 3]).await, CurrentRevision::Current(1));
    wrong(server.append("a", StreamState::StreamRevision(7), &[3]).await, CurrentRevision::Current(1));
    assert_eq!(server.append("a", StreamState::StreamRevision(1), &[3]).await.unwrap(), 2);
    assert_eq!(server.ids("a", ReadStreamOptions::default()).await.unwrap(), [server.id(1), server.id(2), server.id(3)]);
}

#[tokio::test]
async fn streams_are_read_in_both_directions_and_absent_ones_are_told() {
    let server = Server::start(2).await;
    server.append("a", StreamState::NoStream, &[1, 2, 3]).await.unwrap();
    server.append("b", StreamState::NoStream, &[4]).await.unwrap();
    let from = |revision| ReadStreamOptions::default().position(StreamPosition::Position(revision));
    assert_eq!(server.ids("a", from(1)).await.unwrap(), [server.id(2), server.id(3)]);
    assert_eq!(server.ids("a", from(1).backwards()).await.unwrap(), [server.id(2), server.id(1)]);
    assert_eq!(server.ids("a", ReadStreamOptions::default().position(StreamPosition::End).max_count(1)).await.unwrap(), [server.id(3)]);
    assert!(matches!(server.ids("c", ReadStreamOptions::default()).await, Err(Error::ResourceNotFound)));
}

#[tokio::test]
async fn all_is_one_order_that_can_be_filtered_and_gone_on_with() {
    let server = Server::start(3).await;
    server.append("a", StreamState::NoStream, &[1]).await.unwrap();
    server.append("b", StreamState::NoStream, &[2]).await.unwrap();
    server.append("a", StreamState::StreamRevision(0), &[3]).await.unwrap();
    let filter = || SubscriptionFilter::on_stream_name().add_prefix(&server.prefix);
    let read = async |options: ReadAllOptions| {
        let mut events = server.client.read_all(&options.filter(filter())).await.unwrap();
        let mut found = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            let event = event.get_original_event();
            found.push((event.id, event.position));
        }
        found
    };
    let forwards = read(ReadAllOptions::default()).await;
    assert_eq!(forwards.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [server.id(1), server.id(2), server.id(3)]);
    assert!(forwards.is_sorted_by_key(|(_, position)| *position));
    let second = StreamPosition::Position(forwards[1].1);
    assert_eq!(read(ReadAllOptions::default().position(second)).await, forwards[1..], "a position is included");
    let backwards = read(ReadAllOptions::default().position(StreamPosition::End).max_count(2)).await;
    assert_eq!(backwards, [forwards[2], forwards[1]]);
}

#[tokio::test]
async fn a_subscription_tells_what_was_and_then_what_comes() {
    let server = Server::start(4).await;
    server.append("a", StreamState::NoStream, &[1]).await.unwrap();
    let filter = SubscriptionFilter::on_stream_name().add_prefix(&server.prefix);
    let options = SubscribeToAllOptions::default().filter(filter).position(StreamPosition::Start);
    let mut subscription = server.client.subscribe_to_all(&options).await;
    let (mut ids, mut caught_up) = (Vec::new(), false);
    while ids.len() < 2 {
        match subscription.next_subscription_event().await.unwrap() {
            SubscriptionEvent::EventAppeared(event) => ids.push(event.get_original_event().id),
            SubscriptionEvent::CaughtUp(_) if !caught_up => {
                caught_up = true;
                assert_eq!(ids, [server.id(1)]);
                server.append("a", StreamState::StreamRevision(0), &[2]).await.unwrap();
            }
            _ => {}
        }
    }
    assert_eq!((ids, caught_up), (vec![server.id(1), server.id(2)], true));
}

#[tokio::test]
async fn batches_of_appends_are_answered_each() {
    let server = Server::start(5).await;
    let batch = server.client.batch_append(&Default::default()).await.unwrap();
    let first = batch.append_to_stream(server.stream("a"), StreamState::NoStream, vec![server.event(1), server.event(2)]).await.unwrap();
    assert_eq!(first.current_revision(), Some(1));
    let again = batch.append_to_stream(server.stream("a"), StreamState::NoStream, vec![server.event(1), server.event(2)]).await.unwrap();
    assert_eq!(again.current_revision(), Some(1));
    batch.append_to_stream(server.stream("b"), StreamState::Any, vec![server.event(3)]).await.unwrap();
    assert!(batch.append_to_stream(server.stream("b"), StreamState::NoStream, vec![server.event(4)]).await.is_err());
    assert_eq!(server.ids("a", ReadStreamOptions::default()).await.unwrap(), [server.id(1), server.id(2)]);
}

#[tokio::test]
async fn too_much_at_once_is_refused() {
    let server = Server::start(6).await;
    let event = EventData::binary("Large", vec![0; 2 << 20].into()).id(server.id(1));
    let refused = server.client.append_to_stream(server.stream("a"), &AppendToStreamOptions::default(), event).await;
    assert!(matches!(&refused, Err(Error::Grpc { message, .. }) if message.contains("Maximum Append Size")), "{refused:?}");
}

#[tokio::test]
async fn a_cut_connection_loses_the_answer_and_not_what_was_stored() {
    let server = Server::start(7).await;
    // No real server can be told to do this.
    let Some(simulator) = &server.simulator else { return };
    simulator.faults().cut_at(2, kurrentdb_sim::faults::Cut::After);
    server.append("a", StreamState::NoStream, &[1]).await.unwrap();
    server.append("a", StreamState::StreamRevision(0), &[2]).await.unwrap_err();
    assert_eq!(simulator.store().stream(&server.stream("a")).unwrap().len(), 2);
    simulator.faults().cut_at(1, kurrentdb_sim::faults::Cut::Before);
    let again = Client::new(simulator.connection_string().parse().unwrap()).unwrap();
    let options = AppendToStreamOptions::default().stream_state(StreamState::StreamRevision(1));
    again.append_to_stream(server.stream("a"), &options, server.event(3)).await.unwrap_err();
    assert_eq!(simulator.store().stream(&server.stream("a")).unwrap().len(), 2);
}
