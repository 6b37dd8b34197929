//! Connections that can be cut, as by a network that fails or a process that is killed.

use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<CancellationToken>);

impl Connections {
    /// Cuts those there are.
    pub(crate) fn cut(&self) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *current).cancel();
    }

    pub(crate) fn wrap(&self, stream: TcpStream) -> Cuttable {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Cuttable { stream, cut: Box::pin(token.cancelled_owned()) }
    }
}

/// One of them.
pub(crate) struct Cuttable {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Cuttable {
    fn alive(&mut self, context: &mut Context<'_>) -> Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(Error::from(ErrorKind::ConnectionReset)),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        self.alive(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<Result<usize>> {
        self.alive(context)?;
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.alive(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected for Cuttable {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}
