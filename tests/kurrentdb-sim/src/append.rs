//! Append and BatchAppend.

use crate::Shared;
use crate::faults::Cut;
use crate::protocol::event_store::client::WrongExpectedVersion as WrongExpectedVersionDetails;
use crate::protocol::event_store::client::wrong_expected_version as details;
use crate::protocol::event_store::client::{AllStreamPosition, MaximumAppendSizeExceeded};
use crate::protocol::google::rpc::{Code, Status as BatchStatus};
use crate::protocol::streams::append_req::options::ExpectedStreamRevision;
use crate::protocol::streams::append_resp::wrong_expected_version as wrong;
use crate::protocol::streams::append_resp::{self, WrongExpectedVersion, success};
use crate::protocol::streams::batch_append_req::options::ExpectedStreamPosition;
use crate::protocol::streams::{AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, append_req, batch_append_resp};
use crate::protocol::{Empty, StreamIdentifier, Uuid as WireUuid, uuid as wire};
use crate::service::Answers;
use crate::store::{Appended, Expected, MAX_APPEND_BYTES, NewEvent, Refused};
use prost::Message;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::{Status, Streaming};
use uuid::Uuid;

/// Answers that wait for a client that does not read them.
const WAITING: usize = 64;

/// One append: the stream and what is expected of it, then the events.
pub(crate) async fn append(shared: &Shared, mut messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let Some(append_req::Content::Options(options)) = messages.message().await?.and_then(|message| message.content) else {
        return Err(Status::invalid_argument("the first message names the stream"));
    };
    let stream = name(options.stream_identifier)?;
    let expected = match options.expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(revision)) => Expected::Revision(revision),
        Some(ExpectedStreamRevision::NoStream(_)) => Expected::NoStream,
        Some(ExpectedStreamRevision::Any(_)) => Expected::Any,
        Some(ExpectedStreamRevision::StreamExists(_)) => Expected::StreamExists,
        None => return Err(Status::invalid_argument("the expected revision is missing")),
    };
    let mut events = Vec::new();
    while let Some(message) = messages.message().await? {
        let Some(append_req::Content::ProposedMessage(proposed)) = message.content else {
            return Err(Status::invalid_argument("an event was expected"));
        };
        events.push(event(proposed.id, proposed.metadata, proposed.custom_metadata, proposed.data)?);
    }
    let answer = match written(shared, &stream, expected, events)? {
        Ok(appended) => append_resp::Result::Success(append_resp::Success {
            current_revision_option: Some(
                appended.revision.map_or(success::CurrentRevisionOption::NoStream(Empty {}), success::CurrentRevisionOption::CurrentRevision),
            ),
            position_option: Some(appended.position.map_or(success::PositionOption::NoPosition(Empty {}), |at| {
                success::PositionOption::Position(append_resp::Position { commit_position: at, prepare_position: at })
            })),
        }),
        Err(Refused::WrongExpectedVersion { current }) => append_resp::Result::WrongExpectedVersion(WrongExpectedVersion {
            current_revision_option_20_6_0: None,
            expected_revision_option_20_6_0: None,
            current_revision_option: Some(
                current.map_or(wrong::CurrentRevisionOption::CurrentNoStream(Empty {}), wrong::CurrentRevisionOption::CurrentRevision),
            ),
            expected_revision_option: Some(match expected {
                Expected::Any => wrong::ExpectedRevisionOption::ExpectedAny(Empty {}),
                Expected::NoStream => wrong::ExpectedRevisionOption::ExpectedNoStream(Empty {}),
                Expected::StreamExists => wrong::ExpectedRevisionOption::ExpectedStreamExists(Empty {}),
                Expected::Revision(revision) => wrong::ExpectedRevisionOption::ExpectedRevision(revision),
            }),
        }),
        Err(Refused::TooLarge) => {
            let mut status = Status::invalid_argument(format!("Maximum Append Size of {MAX_APPEND_BYTES} Exceeded."));
            status.metadata_mut().insert("exception", MetadataValue::from_static("maximum-append-size-exceeded"));
            status.metadata_mut().insert("maximum-append-size", MetadataValue::from(MAX_APPEND_BYTES));
            return Err(status);
        }
    };
    Ok(AppendResp { result: Some(answer) })
}

/// Appends under ids of their own, in one call; each is answered when it is done.
pub(crate) fn batch(shared: Arc<Shared>, mut messages: Streaming<BatchAppendReq>) -> Answers<BatchAppendResp> {
    let (sender, answers) = tokio::sync::mpsc::channel(WAITING);
    tokio::spawn(async move {
        // What has come of appends that take several messages.
        let mut begun: HashMap<Uuid, Begun> = HashMap::new();
        loop {
            let answer = match messages.message().await {
                Ok(Some(message)) => one(&shared, &mut begun, message).transpose(),
                Ok(None) => break,
                Err(status) => Some(Err(status)),
            };
            if let Some(answer) = answer {
                let over = answer.is_err();
                if sender.send(answer).await.is_err() || over {
                    break;
                }
            }
        }
    });
    ReceiverStream::new(answers)
}

struct Begun {
    stream: String,
    expected: Expected,
    events: Vec<NewEvent>,
}

fn one(shared: &Shared, begun: &mut HashMap<Uuid, Begun>, message: BatchAppendReq) -> Result<Option<BatchAppendResp>, Status> {
    let id = read_id(message.correlation_id)?;
    if let Some(options) = message.options {
        let expected = match options.expected_stream_position {
            Some(ExpectedStreamPosition::StreamPosition(revision)) => Expected::Revision(revision),
            Some(ExpectedStreamPosition::NoStream(())) => Expected::NoStream,
            Some(ExpectedStreamPosition::Any(())) => Expected::Any,
            Some(ExpectedStreamPosition::StreamExists(())) => Expected::StreamExists,
            None => return Err(Status::invalid_argument("the expected position is missing")),
        };
        begun.insert(id, Begun { stream: name(options.stream_identifier)?, expected, events: Vec::new() });
    }
    let Some(append) = begun.get_mut(&id) else {
        return Err(Status::invalid_argument("the first message of an append names the stream"));
    };
    for proposed in message.proposed_messages {
        append.events.push(event(proposed.id, proposed.metadata, proposed.custom_metadata, proposed.data)?);
    }
    if !message.is_final {
        return Ok(None);
    }
    let Some(Begun { stream, expected, events }) = begun.remove(&id) else { return Ok(None) };
    let result = match written(shared, &stream, expected, events)? {
        Ok(appended) => batch_append_resp::Result::Success(batch_success(appended)),
        Err(refused) => batch_append_resp::Result::Error(batch_error(refused, expected)),
    };
    Ok(Some(BatchAppendResp {
        correlation_id: Some(wire_id(id)),
        stream_identifier: Some(StreamIdentifier { stream_name: stream.into_bytes() }),
        expected_stream_position: Some(match expected {
            Expected::Any => batch_append_resp::ExpectedStreamPosition::Any(()),
            Expected::NoStream => batch_append_resp::ExpectedStreamPosition::NoStream(()),
            Expected::StreamExists => batch_append_resp::ExpectedStreamPosition::StreamExists(()),
            Expected::Revision(revision) => batch_append_resp::ExpectedStreamPosition::StreamPosition(revision),
        }),
        result: Some(result),
    }))
}

fn batch_success(appended: Appended) -> batch_append_resp::Success {
    use batch_append_resp::success::{CurrentRevisionOption, PositionOption};
    batch_append_resp::Success {
        current_revision_option: Some(appended.revision.map_or(CurrentRevisionOption::NoStream(()), CurrentRevisionOption::CurrentRevision)),
        position_option: Some(
            appended
                .position
                .map_or(PositionOption::NoPosition(()), |at| PositionOption::Position(AllStreamPosition { commit_position: at, prepare_position: at })),
        ),
    }
}

fn batch_error(refused: Refused, expected: Expected) -> BatchStatus {
    let packed = |kind: &str, value: Vec<u8>| Some(prost_types::Any { type_url: format!("type.googleapis.com/event_store.client.{kind}"), value });
    match refused {
        Refused::WrongExpectedVersion { current } => {
            let told = WrongExpectedVersionDetails {
                current_stream_revision_option: Some(
                    current.map_or(details::CurrentStreamRevisionOption::CurrentNoStream(()), details::CurrentStreamRevisionOption::CurrentStreamRevision),
                ),
                expected_stream_position_option: Some(match expected {
                    Expected::Any => details::ExpectedStreamPositionOption::ExpectedAny(()),
                    Expected::NoStream => details::ExpectedStreamPositionOption::ExpectedNoStream(()),
                    Expected::StreamExists => details::ExpectedStreamPositionOption::ExpectedStreamExists(()),
                    Expected::Revision(revision) => details::ExpectedStreamPositionOption::ExpectedStreamPosition(revision),
                }),
            };
            BatchStatus {
                code: Code::AlreadyExists.into(),
                message: "WrongExpectedVersion".to_owned(),
                details: packed("WrongExpectedVersion", told.encode_to_vec()),
            }
        }
        Refused::TooLarge => {
            let told = MaximumAppendSizeExceeded { max_append_size: u32::try_from(MAX_APPEND_BYTES).unwrap_or(u32::MAX) };
            BatchStatus {
                code: Code::InvalidArgument.into(),
                message: "MaximumAppendSizeExceeded".to_owned(),
                details: packed("MaximumAppendSizeExceeded", told.encode_to_vec()),
            }
        }
    }
}

/// Appends, and lets go wrong what the test said.
fn written(shared: &Shared, stream: &str, expected: Expected, events: Vec<NewEvent>) -> Result<Result<Appended, Refused>, Status> {
    let cut = shared.faults.append();
    let lost = || {
        shared.connections.cut();
        Status::unavailable("the connection was cut")
    };
    if cut == Some(Cut::Before) {
        return Err(lost());
    }
    let done = shared.store.append(stream, expected, events);
    if cut == Some(Cut::After) { Err(lost()) } else { Ok(done) }
}

fn event(id: Option<WireUuid>, mut metadata: HashMap<String, String>, custom: Vec<u8>, data: Vec<u8>) -> Result<NewEvent, Status> {
    let mut required = |key: &str| metadata.remove(key).ok_or_else(|| Status::invalid_argument(format!("Required Metadata Property '{key}' is missing")));
    Ok(NewEvent { id: read_id(id)?, event_type: required("type")?, content_type: required("content-type")?, data, metadata: custom })
}

fn name(stream: Option<StreamIdentifier>) -> Result<String, Status> {
    let name = stream.map(|stream| String::from_utf8(stream.stream_name)).and_then(Result::ok).filter(|name| !name.is_empty());
    name.ok_or_else(|| Status::invalid_argument("the stream has no name"))
}

fn read_id(id: Option<WireUuid>) -> Result<Uuid, Status> {
    let id = match id.and_then(|id| id.value) {
        Some(wire::Value::String(text)) => Uuid::parse_str(&text).ok(),
        Some(wire::Value::Structured(halves)) => {
            Some(Uuid::from_u64_pair(halves.most_significant_bits.cast_unsigned(), halves.least_significant_bits.cast_unsigned()))
        }
        None => None,
    };
    id.filter(|id| !id.is_nil()).ok_or_else(|| Status::invalid_argument("an id is missing or empty"))
}

/// An id as the server writes it where it was not asked for halves.
pub(crate) fn wire_id(id: Uuid) -> WireUuid {
    WireUuid { value: Some(wire::Value::String(id.to_string())) }
}
