//! A tap on the frames of one HTTP/2 connection: what APNs does below HTTP and hyper's server cannot.
//!
//! hyper and h2 fix SETTINGS_MAX_CONCURRENT_STREAMS at the handshake and cannot attach a reason to GOAWAY. So the
//! first SETTINGS frame is changed to allow one stream, a second one that allows more is inserted between two frames
//! once a valid token was seen (its acknowledgement is withheld from h2, which sent none), and GOAWAY with JSON is
//! inserted likewise. The one stream is advertised, not enforced. Rejected: an HTTP/2 server of our own.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const HEADER: usize = 9;
const PREFACE: usize = 24;
const TYPE_HEADERS: u8 = 1;
const TYPE_SETTINGS: u8 = 4;
const TYPE_GOAWAY: u8 = 7;
const FLAG_ACK: u8 = 1;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const RAISED: u32 = 1_000;

#[derive(Debug, Default)]
struct Wishes {
    raise: bool,
    raised: bool,
    goaway: Option<String>,
    waker: Option<Waker>,
}

/// Where the request handler asks the connection for frames.
#[derive(Debug, Clone, Default)]
pub(crate) struct FrameControl(Arc<Mutex<Wishes>>);

impl FrameControl {
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows more streams; the answer about to be written carries the frame along.
    pub(super) fn raise_streams(&self) {
        let mut wishes = self.lock();
        wishes.raise = !wishes.raised;
    }

    /// Ends the connection with a reason. The newest stream counts as unprocessed, which is exact when the request
    /// that asked for it is the newest.
    pub(super) fn goaway(&self, reason: &str) {
        let mut wishes = self.lock();
        wishes.goaway = Some(reason.to_owned());
        if let Some(waker) = wishes.waker.take() {
            waker.wake();
        }
    }
}

/// Follows frame boundaries in one direction.
#[derive(Debug, Default)]
struct Boundary {
    header: [u8; HEADER],
    have: usize,
    payload_left: usize,
}

impl Boundary {
    fn between_frames(&self) -> bool {
        self.have == 0 && self.payload_left == 0
    }

    /// Consumes some of `bytes`: up to the end of a header (then returned) or of a payload.
    fn step(&mut self, bytes: &[u8]) -> (usize, Option<[u8; HEADER]>) {
        if self.payload_left > 0 {
            let taken = self.payload_left.min(bytes.len());
            self.payload_left -= taken;
            return (taken, None);
        }
        let taken = (HEADER - self.have).min(bytes.len());
        self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
        self.have += taken;
        if self.have < HEADER {
            return (taken, None);
        }
        self.have = 0;
        self.payload_left = length(&self.header);
        (taken, Some(self.header))
    }
}

fn length(header: &[u8]) -> usize {
    usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2])
}

/// The stream with the tap in it.
pub(crate) struct FrameTap<I> {
    io: I,
    control: FrameControl,
    outgoing: Boundary,
    incoming: Boundary,
    /// Bytes to write before anything else.
    first: VecDeque<u8>,
    /// Bytes read and sifted, not yet handed on.
    sifted: VecDeque<u8>,
    preface_left: usize,
    patched: bool,
    acks: u32,
    newest_stream: u32,
    /// GOAWAY is on its way; the connection ends after it.
    closing: bool,
}

impl<I> FrameTap<I> {
    pub(super) fn new(io: I, control: FrameControl) -> Self {
        Self {
            io,
            control,
            outgoing: Boundary::default(),
            incoming: Boundary::default(),
            first: VecDeque::new(),
            sifted: VecDeque::new(),
            preface_left: PREFACE,
            patched: false,
            acks: 0,
            newest_stream: 0,
            closing: false,
        }
    }

    fn grant_wishes(&mut self) {
        if !self.outgoing.between_frames() || !self.patched {
            return;
        }
        let mut wishes = self.control.lock();
        if std::mem::take(&mut wishes.raise) {
            wishes.raised = true;
            self.first.extend(frame(TYPE_SETTINGS, &setting(RAISED)));
        }
        if let Some(reason) = wishes.goaway.take() {
            let mut payload = self.newest_stream.saturating_sub(2).to_be_bytes().to_vec();
            payload.extend_from_slice(&0_u32.to_be_bytes());
            payload.extend_from_slice(serde_json::json!({ "reason": reason }).to_string().as_bytes());
            self.first.extend(frame(TYPE_GOAWAY, &payload));
            self.closing = true;
        }
    }

    /// The frames to hand on of what was read.
    fn sift(&mut self, mut bytes: &[u8]) {
        let preface = self.preface_left.min(bytes.len());
        self.preface_left -= preface;
        self.sifted.extend(&bytes[..preface]);
        bytes = &bytes[preface..];
        while !bytes.is_empty() {
            let in_payload = self.incoming.payload_left > 0;
            let (taken, header) = self.incoming.step(bytes);
            if in_payload {
                self.sifted.extend(&bytes[..taken]);
            }
            if let Some(header) = header {
                if header[3] == TYPE_HEADERS {
                    let id = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
                    self.newest_stream = self.newest_stream.max(id & 0x7fff_ffff);
                }
                let ack = header[3] == TYPE_SETTINGS && header[4] & FLAG_ACK != 0;
                self.acks += u32::from(ack);
                // The second acknowledgement answers the frame h2 does not know of.
                if !(ack && self.acks == 2) {
                    self.sifted.extend(&header);
                }
            }
            bytes = &bytes[taken..];
        }
    }
}

fn setting(value: u32) -> Vec<u8> {
    let mut payload = MAX_CONCURRENT_STREAMS.to_be_bytes().to_vec();
    payload.extend_from_slice(&value.to_be_bytes());
    payload
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// The server's first SETTINGS frame with the stream limit set to one, when `bytes` starts with all of it.
fn patched_settings(bytes: &[u8]) -> Option<Vec<u8>> {
    let payload = bytes.get(HEADER..HEADER + length(bytes.get(..HEADER)?))?;
    if bytes[3] != TYPE_SETTINGS {
        return None;
    }
    let mut settings: Vec<u8> = payload.chunks_exact(6).filter(|entry| entry[..2] != MAX_CONCURRENT_STREAMS.to_be_bytes()).flatten().copied().collect();
    settings.extend(setting(1));
    Some(frame(TYPE_SETTINGS, &settings))
}

impl<I: AsyncWrite + Unpin> FrameTap<I> {
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.grant_wishes();
        while !self.first.is_empty() {
            let (bytes, _) = self.first.as_slices();
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.first.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FrameTap<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if !this.patched {
            this.patched = true;
            if let Some(settings) = patched_settings(bytes) {
                this.first.extend(settings);
                return Poll::Ready(Ok(HEADER + length(bytes)));
            }
        }
        ready!(this.poll_first(cx))?;
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, bytes))?;
        let mut rest = &bytes[..written];
        while !rest.is_empty() {
            let (taken, _) = this.outgoing.step(rest);
            rest = &rest[taken..];
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_first(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_first(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for FrameTap<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Reading is polled whenever the connection wakes, so a GOAWAY leaves even when nothing is to be written.
        this.control.lock().waker = Some(cx.waker().clone());
        if let Poll::Ready(result) = this.poll_first(cx) {
            result?;
        }
        if this.closing && this.first.is_empty() {
            ready!(Pin::new(&mut this.io).poll_flush(cx))?;
            return Poll::Ready(Ok(()));
        }
        while this.sifted.is_empty() {
            let mut space = [0_u8; 8_192];
            let mut chunk = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.sift(chunk.filled());
        }
        let (bytes, _) = this.sifted.as_slices();
        let taken = bytes.len().min(buffer.remaining());
        buffer.put_slice(&bytes[..taken]);
        this.sifted.drain(..taken);
        Poll::Ready(Ok(()))
    }
}
