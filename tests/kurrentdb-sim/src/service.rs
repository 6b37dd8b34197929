//! The services, and the listener that serves them.

use crate::Shared;
use crate::protocol::server_features::server_features_server::{ServerFeatures, ServerFeaturesServer};
use crate::protocol::server_features::{SupportedMethod, SupportedMethods};
use crate::protocol::streams::streams_server::{Streams, StreamsServer};
use crate::protocol::streams::{AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq, ReadResp, TombstoneReq, TombstoneResp};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// A frame may be a little larger than the largest event.
const LARGEST_MESSAGE: usize = 17 << 20;

/// Streams of answers.
pub(crate) type Answers<T> = ReceiverStream<Result<T, Status>>;

/// All services.
#[derive(Debug, Clone)]
pub(crate) struct Service(pub(crate) Arc<Shared>);

/// Serves until it is aborted.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let accepting = Arc::clone(&shared);
    let connections = TcpListenerStream::new(listener).map(move |stream| stream.map(|stream| accepting.connections.wrap(stream)));
    let service = Service(shared);
    // An error here is the test's to notice: nobody answers any more.
    let _ = tonic::transport::Server::builder()
        .add_service(StreamsServer::new(service.clone()).max_decoding_message_size(LARGEST_MESSAGE))
        .add_service(ServerFeaturesServer::new(service))
        .serve_with_incoming(connections)
        .await;
}

impl Service {
    /// As the server refuses whoever may not.
    fn allowed(&self) -> Result<(), Status> {
        if !self.0.faults.denies() {
            return Ok(());
        }
        let mut status = Status::permission_denied("Access Denied");
        status.metadata_mut().insert("exception", tonic::metadata::MetadataValue::from_static("access-denied"));
        Err(status)
    }
}

#[tonic::async_trait]
impl ServerFeatures for Service {
    async fn get_supported_methods(&self, _request: Request<crate::protocol::Empty>) -> Result<Response<SupportedMethods>, Status> {
        let method =
            |name: &str| SupportedMethod { method_name: name.to_owned(), service_name: "event_store.client.streams.streams".to_owned(), features: Vec::new() };
        Ok(Response::new(SupportedMethods {
            methods: ["append", "batchappend", "read"].into_iter().map(method).collect(),
            event_store_server_version: "24.10.0".to_owned(),
        }))
    }
}

#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Answers<ReadResp>;
    type BatchAppendStream = Answers<BatchAppendResp>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        self.allowed()?;
        crate::read::read(&self.0, request.into_inner()).map(Response::new)
    }

    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.allowed()?;
        crate::append::append(&self.0, request.into_inner()).await.map(Response::new)
    }

    async fn batch_append(&self, request: Request<Streaming<BatchAppendReq>>) -> Result<Response<Self::BatchAppendStream>, Status> {
        self.allowed()?;
        Ok(Response::new(crate::append::batch(Arc::clone(&self.0), request.into_inner())))
    }

    async fn delete(&self, _request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(Status::unimplemented("the simulator does not delete"))
    }

    async fn tombstone(&self, _request: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        Err(Status::unimplemented("the simulator does not delete"))
    }
}
