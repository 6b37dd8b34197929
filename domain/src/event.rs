//! What every event has: a name, a version, a payload anybody may read, and perhaps a personal
//! part that is sealed before it is stored.
//!
//! The two parts are separate values, so that the log can keep the payload for ever as plain
//! JSON while the personal part is encrypted with its subject's key. One encrypted document
//! was rejected: decisions and counters must stay readable after a person is erased.

use crate::values::RecipientId;
use serde::{Deserialize, Serialize};

/// The personal part of an event: known, or erased together with its subject's key.
///
/// Apart from the event, since an event of any kind takes as much memory as the largest one, and tens of thousands are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Personal<T> {
    /// Readable.
    Known(Box<T>),
    /// The subject's key is gone, or the event never had this part.
    #[default]
    Erased,
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self::Known(Box::new(value))
    }
}

impl<T> Personal<T> {
    /// The value, unless erased.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Erased => None,
        }
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Erased, Self::from))
    }
}

/// Why a stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A name or version that this build does not know: written by a newer one.
    #[error("event {name} version {version} is not known to this version of bongsu; upgrade it")]
    Unknown {
        /// Name as stored.
        name: String,
        /// Version as stored.
        version: u16,
    },
    /// The name is known, the content is not what it should be.
    #[error("event {name} cannot be read: {reason}")]
    Malformed {
        /// Name as stored.
        name: String,
        /// What the parser says, without the content.
        reason: String,
    },
}

/// An event as the log sees it.
pub trait EventBody: Send + Sync + std::fmt::Debug + 'static {
    /// Name in the past tense: part of the public contract.
    fn name(&self) -> &'static str;
    /// Version of the shape, from 1.
    fn version(&self) -> u16;
    /// Appends the readable payload as JSON.
    fn encode(&self, into: &mut Vec<u8>);
    /// Whose key seals the personal part, where the stream itself does not say it.
    fn subject(&self) -> Option<RecipientId> {
        None
    }
    /// Appends the personal part as JSON; false where there is none.
    fn encode_personal(&self, into: &mut Vec<u8>) -> bool;
}

/// A body of one event type; implemented by [`event_body!`](crate::event_body) and by hand
/// where there is a personal part.
pub trait Body: Serialize + for<'de> Deserialize<'de> {
    /// See [`EventBody::subject`].
    fn subject(&self) -> Option<RecipientId> {
        None
    }
    /// See [`EventBody::encode_personal`].
    fn encode_personal(&self, _into: &mut Vec<u8>) -> bool {
        false
    }
    /// Puts the opened personal part back.
    fn attach_personal(&mut self, _json: &[u8]) -> Result<(), serde_json::Error> {
        Ok(())
    }
}

/// Writes a value as JSON behind what is already there. Our own types have no fallible
/// serialisers, so an error cannot happen; it would leave the buffer as it was.
pub fn write_json<T: Serialize>(value: &T, into: &mut Vec<u8>) {
    let start = into.len();
    if serde_json::to_writer(&mut *into, value).is_err() {
        into.truncate(start);
    }
}

/// Declares bodies without a personal part.
#[macro_export]
macro_rules! plain_bodies {
    ($($body:ty),+ $(,)?) => { $(impl $crate::event::Body for $body {})+ };
}

/// Declares that the field `personal: Personal<_>` of a body is its personal part.
#[macro_export]
macro_rules! personal_body {
    ($body:ty $(, subject = $subject:ident)?) => {
        impl $crate::event::Body for $body {
            $(fn subject(&self) -> Option<$crate::values::RecipientId> {
                Some(self.$subject)
            })?
            fn encode_personal(&self, into: &mut Vec<u8>) -> bool {
                match &self.personal {
                    $crate::event::Personal::Known(value) => {
                        $crate::event::write_json(value, into);
                        true
                    }
                    $crate::event::Personal::Erased => false,
                }
            }
            fn attach_personal(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
                self.personal = $crate::event::Personal::Known(Box::new(serde_json::from_slice(json)?));
                Ok(())
            }
        }
    };
}

/// Declares an aggregate's events: one line each, `Name = version` of a body type of that name.
///
/// Makes the enum, [`EventBody`], `cqrs_es::DomainEvent`, `decode` and the entries of the
/// catalogue, so that a new event is registered in one place.
#[macro_export]
macro_rules! events {
    ($(#[$meta:meta])* $events:ident of $kind:ident { $($name:ident = $version:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[allow(clippy::large_enum_variant, reason = "the large one is the common one; a box would cost an allocation an event")]
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $events {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)+
        }

        impl $crate::event::EventBody for $events {
            fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)+ }
            }
            fn version(&self) -> u16 {
                match self { $(Self::$name(_) => $version,)+ }
            }
            fn encode(&self, into: &mut Vec<u8>) {
                match self { $(Self::$name(body) => $crate::event::write_json(body, into),)+ }
            }
            fn subject(&self) -> Option<$crate::values::RecipientId> {
                match self { $(Self::$name(body) => $crate::event::Body::subject(body),)+ }
            }
            fn encode_personal(&self, into: &mut Vec<u8>) -> bool {
                match self { $(Self::$name(body) => $crate::event::Body::encode_personal(body, into),)+ }
            }
        }

        impl cqrs_es::DomainEvent for $events {
            fn event_type(&self) -> String {
                $crate::event::EventBody::name(self).to_owned()
            }
            fn event_version(&self) -> String {
                $crate::event::EventBody::version(self).to_string()
            }
        }

        impl $events {
            /// Reads a stored event of today's shape; `personal` is the opened personal part.
            pub fn decode(
                name: &str,
                version: u16,
                payload: &[u8],
                personal: Option<&[u8]>,
            ) -> Result<Self, $crate::event::DecodeError> {
                let malformed = |error: serde_json::Error| $crate::event::DecodeError::Malformed {
                    name: name.to_owned(),
                    reason: error.to_string(),
                };
                match (name, version) {
                    $((stringify!($name), $version) => {
                        let mut body: $name = serde_json::from_slice(payload).map_err(malformed)?;
                        if let Some(json) = personal {
                            $crate::event::Body::attach_personal(&mut body, json).map_err(malformed)?;
                        }
                        Ok(Self::$name(body))
                    })+
                    _ => Err($crate::event::DecodeError::Unknown { name: name.to_owned(), version }),
                }
            }

            /// Entries of these events in the catalogue.
            pub fn catalogue() -> Vec<$crate::catalogue::Entry> {
                vec![$($crate::catalogue::Entry::of::<$name>(
                    $crate::AggregateKind::$kind, stringify!($name), $version),)+]
            }
        }
    };
}
