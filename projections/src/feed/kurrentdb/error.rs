//! Why the mirror does not go on, and whether trying again soon may help.

use commands::log::{LogError, Position};

/// See the module.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MirrorError {
    /// The server does not answer, or not in time.
    #[error("KurrentDB does not answer: {reason}")]
    Unreachable {
        /// What the client says.
        reason: String,
    },
    /// The server answers no.
    #[error("KurrentDB refuses: {reason}; check the user's rights (it must read $all, and read and write the mirror's streams) and the server's MaxAppendSize")]
    Refused {
        /// What it says.
        reason: String,
    },
    /// The log cannot be read.
    #[error("the log cannot be read: {} ({error})", error.reason())]
    Log {
        /// Why.
        #[from]
        error: LogError,
    },
    /// There is something in the mirror that this log did not write.
    #[error(
        "stream {stream} of the mirror holds what this log did not write: event {revision} {reason}. Nothing more is copied. \
         Either another log uses the same mirror.prefix, or this log was set back: mirror it under another prefix"
    )]
    Foreign {
        /// Which stream.
        stream: String,
        /// Which event of it.
        revision: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The mirror has more than the log.
    #[error(
        "the mirror goes up to position {mirrored}, the log ends at {head}: the log was set back. Nothing more is copied. \
         Rebuild the log with `bongsu restore --from` the mirror, or mirror it under another prefix"
    )]
    Ahead {
        /// Newest position in the mirror.
        mirrored: Position,
        /// Newest position of the log.
        head: Position,
    },
    /// The mirror has less than was written there.
    #[error(
        "stream {stream} of the mirror lacks events before revision {revision}: somebody deleted or truncated it. Nothing more is copied. \
         Mirror the log under another prefix"
    )]
    Gone {
        /// Which stream.
        stream: String,
        /// What was to be appended.
        revision: u64,
    },
    /// An event that has no form in the mirror.
    #[error("the event of position {position} cannot be copied: {reason}")]
    Unfit {
        /// Which.
        position: Position,
        /// Why.
        reason: String,
    },
}

impl MirrorError {
    /// Whether a person has to do something first.
    pub const fn needs_a_person(&self) -> bool {
        !matches!(self, Self::Unreachable { .. } | Self::Log { .. })
    }
}

impl From<eventstore::Error> for MirrorError {
    fn from(error: eventstore::Error) -> Self {
        use eventstore::Error;
        let reason = error.to_string();
        match error {
            Error::AccessDenied | Error::ResourceDeleted | Error::UnsupportedFeature => Self::Refused { reason },
            // Too large, or malformed: it will be the next time too. Other codes are of the moment.
            Error::Grpc { code, message } if matches!(code as i32, INVALID_ARGUMENT | OUT_OF_RANGE) => Self::Refused { reason: message },
            _ => Self::Unreachable { reason },
        }
    }
}

/// Codes of gRPC; the client passes them on in a type of another crate.
const INVALID_ARGUMENT: i32 = 3;
const OUT_OF_RANGE: i32 = 11;
