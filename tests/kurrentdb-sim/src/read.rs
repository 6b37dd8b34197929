//! Reading and subscribing, of one stream and of `$all`.
//!
//! A position of `$all` is included when reading forwards and left out when reading backwards; a
//! subscription begins behind it. A revision of a stream is included in both directions.

use crate::Shared;
use crate::append::wire_id;
use crate::protocol::StreamIdentifier;
use crate::protocol::streams::read_req::options::all_options::AllOption;
use crate::protocol::streams::read_req::options::filter_options::Filter;
use crate::protocol::streams::read_req::options::stream_options::RevisionOption;
use crate::protocol::streams::read_req::options::{CountOption, FilterOption, ReadDirection, StreamOption};
use crate::protocol::streams::read_resp::read_event::{Position as EventPosition, RecordedEvent};
use crate::protocol::streams::read_resp::{CaughtUp, Checkpoint, Content, ReadEvent, StreamNotFound, SubscriptionConfirmation};
use crate::protocol::streams::{ReadReq, ReadResp, read_resp};
use crate::service::Answers;
use crate::store::Record;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Answers that wait for a client that does not read them.
const WAITING: usize = 64;
/// Moment that every event and subscription is of: the simulator reads no clock.
const CREATED: prost_types::Timestamp = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 };

/// Answers a request.
pub(crate) fn read(shared: &Arc<Shared>, request: ReadReq) -> Result<Answers<ReadResp>, Status> {
    let missing = |what: &str| Status::invalid_argument(format!("{what} is missing"));
    let options = request.options.ok_or_else(|| missing("options"))?;
    let filter = Prefixes::of(options.filter_option)?;
    let source = match options.stream_option.ok_or_else(|| missing("stream"))? {
        StreamOption::Stream(stream) => {
            let name = stream.stream_identifier.and_then(|stream| String::from_utf8(stream.stream_name).ok()).ok_or_else(|| missing("stream"))?;
            Source::Stream(name, stream.revision_option.ok_or_else(|| missing("revision"))?)
        }
        StreamOption::All(all) => Source::All(all.all_option.ok_or_else(|| missing("position"))?),
    };
    let backwards = options.read_direction == i32::from(ReadDirection::Backwards);
    let (sender, answers) = channel(WAITING);
    match options.count_option.ok_or_else(|| missing("count"))? {
        CountOption::Count(count) => tokio::spawn(page(Arc::clone(shared), source, backwards, count, filter, sender)),
        CountOption::Subscription(_) => tokio::spawn(follow(Arc::clone(shared), source, filter, sender)),
    };
    Ok(ReceiverStream::new(answers))
}

/// Where to read from.
enum Source {
    Stream(String, RevisionOption),
    All(AllOption),
}

impl Source {
    /// Whether an event lies at or behind the beginning, in the direction of reading.
    fn includes(&self, record: &Record, backwards: bool) -> bool {
        match self {
            Self::Stream(name, revision) => {
                record.stream == *name
                    && match revision {
                        RevisionOption::Start(_) => !backwards || record.revision == 0,
                        RevisionOption::End(_) => backwards,
                        RevisionOption::Revision(from) if backwards => record.revision <= *from,
                        RevisionOption::Revision(from) => record.revision >= *from,
                    }
            }
            Self::All(AllOption::Start(_)) => !backwards,
            Self::All(AllOption::End(_)) => backwards,
            Self::All(AllOption::Position(from)) if backwards => record.position < from.commit_position,
            Self::All(AllOption::Position(from)) => record.position >= from.commit_position,
        }
    }

    /// Whether a subscription is to tell of an event that was there before it.
    fn behind(&self, record: &Record) -> bool {
        match self {
            Self::Stream(name, revision) => {
                record.stream == *name
                    && match revision {
                        RevisionOption::Start(_) => true,
                        RevisionOption::End(_) => false,
                        RevisionOption::Revision(from) => record.revision > *from,
                    }
            }
            Self::All(AllOption::Start(_)) => true,
            Self::All(AllOption::End(_)) => false,
            Self::All(AllOption::Position(from)) => record.position > from.commit_position,
        }
    }
}

/// Beginnings of names of streams or types; none lets everything through.
struct Prefixes {
    of_stream: bool,
    prefixes: Vec<String>,
}

impl Prefixes {
    fn of(option: Option<FilterOption>) -> Result<Option<Self>, Status> {
        let Some(FilterOption::Filter(options)) = option else { return Ok(None) };
        let (of_stream, expression) = match options.filter {
            Some(Filter::StreamIdentifier(expression)) => (true, expression),
            Some(Filter::EventType(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("the filter is empty")),
        };
        if !expression.regex.is_empty() {
            return Err(Status::unimplemented("the simulator knows filters by prefix only"));
        }
        Ok(Some(Self { of_stream, prefixes: expression.prefix }))
    }

    fn lets(filter: Option<&Self>, record: &Record) -> bool {
        filter.is_none_or(|filter| {
            let name = if filter.of_stream { &record.stream } else { &record.event.event_type };
            filter.prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
    }
}

async fn page(shared: Arc<Shared>, source: Source, backwards: bool, count: u64, filter: Option<Prefixes>, answers: Sender<Result<ReadResp, Status>>) {
    if let Source::Stream(name, _) = &source
        && shared.store.stream(name).is_none()
    {
        let identifier = StreamIdentifier { stream_name: name.clone().into_bytes() };
        let _ = answers.send(Ok(content(Content::StreamNotFound(StreamNotFound { stream_identifier: Some(identifier) })))).await;
        return;
    }
    let mut records = shared.store.all();
    if backwards {
        records.reverse();
    }
    let wanted = records.iter().filter(|record| source.includes(record, backwards) && Prefixes::lets(filter.as_ref(), record));
    for record in wanted.take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if answers.send(Ok(told(record))).await.is_err() {
            return;
        }
    }
}

async fn follow(shared: Arc<Shared>, source: Source, filter: Option<Prefixes>, answers: Sender<Result<ReadResp, Status>>) {
    let mut length = shared.store.watch();
    let confirmation = Content::Confirmation(SubscriptionConfirmation { subscription_id: "simulated".to_owned() });
    if answers.send(Ok(content(confirmation))).await.is_err() {
        return;
    }
    let (mut next, mut live) = (0, false);
    loop {
        length.borrow_and_update();
        let page = shared.store.all_from(next);
        next += page.len();
        let (mut sent, mut last) = (false, None);
        for record in &page {
            last = Some(record.position);
            let wanted = if live { matches!(source, Source::All(_)) || source.names(record) } else { source.behind(record) };
            sent = wanted && Prefixes::lets(filter.as_ref(), record);
            if sent && answers.send(Ok(told(record))).await.is_err() {
                return;
            }
        }
        // Whoever filters is told how far the server has looked.
        if let (Some(at), true, false) = (last, filter.is_some(), sent) {
            let checkpoint = Checkpoint { commit_position: at, prepare_position: at, timestamp: Some(CREATED) };
            if answers.send(Ok(content(Content::Checkpoint(checkpoint)))).await.is_err() {
                return;
            }
        }
        if !live {
            live = true;
            let all = matches!(source, Source::All(_));
            let position = last.filter(|_| all).map(|at| read_resp::Position { commit_position: at, prepare_position: at });
            let caught_up = CaughtUp { timestamp: Some(CREATED), stream_revision: None, position };
            if answers.send(Ok(content(Content::CaughtUp(caught_up)))).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = length.changed() => if changed.is_err() { return },
            () = answers.closed() => return,
        }
    }
}

impl Source {
    fn names(&self, record: &Record) -> bool {
        matches!(self, Self::Stream(name, _) if *name == record.stream)
    }
}

fn content(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}

fn told(record: &Record) -> ReadResp {
    let metadata = HashMap::from([
        ("type".to_owned(), record.event.event_type.clone()),
        ("content-type".to_owned(), record.event.content_type.clone()),
        // In units of 100 ns.
        ("created".to_owned(), (CREATED.seconds * 10_000_000).to_string()),
    ]);
    let event = RecordedEvent {
        id: Some(wire_id(record.event.id)),
        stream_identifier: Some(StreamIdentifier { stream_name: record.stream.clone().into_bytes() }),
        stream_revision: record.revision,
        prepare_position: record.position,
        commit_position: record.position,
        metadata,
        custom_metadata: record.event.metadata.clone(),
        data: record.event.data.clone(),
    };
    content(Content::Event(ReadEvent { event: Some(event), link: None, position: Some(EventPosition::CommitPosition(record.position)) }))
}
