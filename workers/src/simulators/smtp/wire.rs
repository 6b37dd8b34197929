//! Lines and message data on the connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// RFC 5321 section 4.5.3.2.7.
const IDLE: Duration = Duration::from_secs(300);
/// Longest command line, generous for AUTH.
const MAX_LINE: usize = 4_096;
/// Longest line within a message; RFC 5321 asks for 1,000, real servers take more.
const MAX_DATA_LINE: usize = 1024 * 1024;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The session is over.
#[derive(Debug)]
pub(super) struct Ended;

/// One command line without its end.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Ended by LF alone or holds a stray CR.
    pub(super) bare: bool,
}

/// A message as received, dots removed.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) bytes: Vec<u8>,
    pub(super) bare: bool,
    pub(super) too_big: bool,
}

pub(super) struct Wire {
    io: Box<dyn Io>,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) fn new(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { io: Box::new(io), buffer: Vec::new() }
    }

    /// Continues under TLS. What was sent ahead in clear is forgotten (RFC 3207 section 4.2).
    pub(super) async fn secured(self, tls: &TlsAcceptor) -> Result<Self, Ended> {
        let stream = tls.accept(self.io).await.map_err(|_| Ended)?;
        Ok(Self::new(stream))
    }

    /// Whether the client has sent more than was read.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub(super) async fn reply(&mut self, text: &str) -> Result<(), Ended> {
        let line = format!("{text}\r\n");
        self.io.write_all(line.as_bytes()).await.map_err(|_| Ended)?;
        self.io.flush().await.map_err(|_| Ended)
    }

    async fn more(&mut self) -> Result<(), Ended> {
        let mut chunk = [0_u8; 8_192];
        let read = tokio::time::timeout(IDLE, self.io.read(&mut chunk)).await;
        match read {
            Ok(Ok(read)) if read > 0 => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
            _ => Err(Ended),
        }
    }

    pub(super) async fn line(&mut self) -> Result<Line, Ended> {
        let end = loop {
            match self.buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => break end,
                None if self.buffer.len() > MAX_LINE => return Err(Ended),
                None => self.more().await?,
            }
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        let (text, crlf) = match line.strip_suffix(b"\r\n") {
            Some(text) => (text, true),
            None => (&line[..end], false),
        };
        let bare = !crlf || text.contains(&b'\r');
        Ok(Line { text: String::from_utf8_lossy(text).into_owned(), bare })
    }

    /// Reads up to CRLF.CRLF, the only end there is.
    pub(super) async fn data(&mut self, max_size: usize) -> Result<Data, Ended> {
        let mut data = Data::default();
        let mut searched = 0;
        loop {
            let found = self.buffer[searched..].windows(2).position(|pair| pair == b"\r\n");
            let Some(offset) = found else {
                if self.buffer.len() > MAX_DATA_LINE {
                    return Err(Ended);
                }
                // The last byte may be the CR of a pair still to come.
                searched = self.buffer.len().saturating_sub(1);
                self.more().await?;
                continue;
            };
            let line: Vec<u8> = self.buffer.drain(..searched + offset + 2).collect();
            searched = 0;
            let text = &line[..line.len() - 2];
            if text == b"." {
                return Ok(data);
            }
            data.bare |= text.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
            let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
            if data.bytes.len() + unstuffed.len() > max_size {
                data.too_big = true;
            } else {
                data.bytes.extend_from_slice(unstuffed);
            }
        }
    }
}
