//! Reading a body: no more bytes than allowed and no longer than allowed. What is too long is
//! answered at once and then drained for a while: closing on a client that still writes would reset
//! the connection, and the answer would be lost with it.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

/// Bytes that are drained of a refused body.
const DRAINED_BYTES: usize = 4 << 20;
/// How long a refused body is drained.
const DRAINED_FOR: Duration = Duration::from_secs(1);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than allowed")]
    TooLarge,
    #[error("the body did not arrive in time")]
    Timeout,
    #[error("the body ended before its announced length")]
    Broken,
}

/// Reads the whole body. An announced length is checked before anything is read; one that lies is
/// found out while reading.
pub(super) async fn read(body: &mut Body, limit: usize, timeout: Duration) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(timeout, collect(body, limit)).await.unwrap_or(Err(BodyError::Timeout))
}

/// Reads what a refused client still writes, and throws it away.
pub(crate) async fn drain(mut body: Body) {
    let thrown_away = async {
        let mut left = DRAINED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Both ends are the same to a client that was answered already.
    let _ = tokio::time::timeout(DRAINED_FOR, thrown_away).await;
}

async fn collect(body: &mut Body, limit: usize) -> Result<Bytes, BodyError> {
    // Most bodies arrive in one frame and need no copy.
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length > limit {
            return Err(BodyError::TooLarge);
        }
        if let Some(rest) = &mut rest {
            rest.extend_from_slice(&data);
        } else if first.is_empty() {
            first = data;
        } else {
            let mut joined = BytesMut::with_capacity(length * 2);
            joined.extend_from_slice(&first);
            joined.extend_from_slice(&data);
            rest = Some(joined);
        }
    }
    Ok(rest.map_or(first, BytesMut::freeze))
}
