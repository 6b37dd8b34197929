//! An item as bytes: the member of a sorted set.
//!
//! Equal items are equal bytes, so that Redis itself knows what it has already. The beginning has
//! fixed places, because the scripts read it: version, stream, delivery (together the item's
//! *id*), sequence (so that of two shapes of one delivery the newer sorts behind the older), priority,
//! sender. Holds no personal data: recipients and addresses are keyed hashes, and the content is left
//! out; a worker reads it from the log.
//!
//! Rejected: JSON, three times as long, and Redis would compare and copy all of it.

use crate::pending::Item;
use domain::notification::{Delivery, DeliveryState};
use domain::values::{AddressId, CategoryKey, Channel, NotificationId, Priority, RecipientId, SenderKey, TopicKey};
use uuid::Uuid;

/// Of this layout. The scripts know it too.
const VERSION: u8 = 1;
/// Where the id ends.
const ID_END: usize = 11;

const SANDBOX: u8 = 1;
const AFTER_UNKNOWN: u8 = 2;
const ADDRESS: u8 = 4;
const EXPIRES: u8 = 8;
/// Replicas from before topics take what has it for garbage, and leave it to the others.
const TOPIC: u8 = 16;

/// Stream and delivery, as at the beginning of an encoded item.
pub(super) fn id(item: &Item) -> [u8; 10] {
    let mut id = [0; 10];
    id[..8].copy_from_slice(&item.stream.to_be_bytes());
    id[8..].copy_from_slice(&item.delivery.number.to_be_bytes());
    id
}

/// The id in what was encoded; of garbage, what the scripts take for it.
pub(super) fn id_in(bytes: &[u8]) -> &[u8] {
    bytes.get(1..bytes.len().min(ID_END)).unwrap_or_default()
}

/// Everything but `requested`.
pub(super) fn encode(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.push(VERSION);
    bytes.extend(id(item));
    bytes.extend(item.sequence.to_be_bytes());
    bytes.push(item.priority.rank());
    text(&mut bytes, item.sender.as_str());
    text(&mut bytes, item.category.as_str());
    bytes.extend(item.notification.0.as_bytes());
    bytes.extend(item.recipient.0.as_bytes());
    let Delivery { number: _, channel, address, state, attempt, counted, after_unknown, unknown_repeats } = &item.delivery;
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    bytes.push(
        flag(item.sandbox, SANDBOX)
            | flag(*after_unknown, AFTER_UNKNOWN)
            | flag(address.is_some(), ADDRESS)
            | flag(item.expires_at.is_some(), EXPIRES)
            | flag(item.topic.is_some(), TOPIC),
    );
    bytes.push(channel.number());
    if let Some(address) = address {
        bytes.extend(address.0.as_bytes());
    }
    let (state, due) = state_number(*state);
    bytes.push(state);
    if let Some(due) = due {
        signed(&mut bytes, due);
    }
    for number in [attempt, counted, unknown_repeats] {
        unsigned(&mut bytes, u64::from(*number));
    }
    unsigned(&mut bytes, item.requested_position);
    signed(&mut bytes, item.requested_at);
    if let Some(at) = item.expires_at {
        signed(&mut bytes, at);
    }
    if let Some(topic) = &item.topic {
        text(&mut bytes, topic.as_str());
    }
    bytes
}

/// Reads it back; none of what is not a whole item of this version.
pub(super) fn decode(bytes: &[u8]) -> Option<Item> {
    let mut rest = Rest(bytes);
    if rest.byte()? != VERSION {
        return None;
    }
    let stream = u64::from_be_bytes(rest.array()?);
    let number = u16::from_be_bytes(rest.array()?);
    let sequence = u64::from_be_bytes(rest.array()?);
    let priority = Priority::from_rank(rest.byte()?)?;
    let sender = rest.key(SenderKey::new)?;
    let category = rest.key(CategoryKey::new)?;
    let notification = NotificationId(rest.uuid()?);
    let recipient = RecipientId(rest.uuid()?);
    let flags = rest.byte()?;
    if flags & !(SANDBOX | AFTER_UNKNOWN | ADDRESS | EXPIRES | TOPIC) != 0 {
        return None;
    }
    let has = |flag: u8| flags & flag != 0;
    let channel = Channel::from_number(rest.byte()?)?;
    let address = if has(ADDRESS) { Some(AddressId(rest.uuid()?)) } else { None };
    let state = rest.state()?;
    let delivery = Delivery {
        number,
        channel,
        address,
        state,
        attempt: rest.small()?,
        counted: rest.small()?,
        after_unknown: has(AFTER_UNKNOWN),
        unknown_repeats: rest.small()?,
    };
    let requested_position = rest.unsigned()?;
    let requested_at = rest.signed()?;
    let expires_at = if has(EXPIRES) { Some(rest.signed()?) } else { None };
    let topic = if has(TOPIC) { Some(TopicKey::new(rest.text()?).ok()?) } else { None };
    let sandbox = has(SANDBOX);
    let item = Item {
        notification,
        stream,
        sequence,
        delivery,
        recipient,
        sender,
        category,
        topic,
        priority,
        sandbox,
        requested_position,
        requested_at,
        expires_at,
        requested: None,
    };
    rest.0.is_empty().then_some(item)
}

fn text(bytes: &mut Vec<u8>, key: &str) {
    // A key has at most 64 bytes, by its construction.
    bytes.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
    bytes.extend(key.as_bytes());
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn unsigned(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Zigzag, so that small negative numbers are short too.
fn signed(bytes: &mut Vec<u8>, number: i64) {
    unsigned(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

const fn state_number(state: DeliveryState) -> (u8, Option<i64>) {
    match state {
        DeliveryState::Ready => (0, None),
        DeliveryState::Waiting { due } => (1, Some(due)),
        DeliveryState::InFlight => (2, None),
        DeliveryState::Sent => (3, None),
        DeliveryState::Failed => (4, None),
        DeliveryState::Cancelled => (5, None),
        DeliveryState::Expired => (6, None),
        DeliveryState::Suppressed => (7, None),
        DeliveryState::DeadLettered => (8, None),
        DeliveryState::Discarded => (9, None),
        DeliveryState::Delivered => (10, None),
        DeliveryState::Bounced => (11, None),
    }
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(self.byte()?);
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn key<T: Default, E>(&mut self, new: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        if text.is_empty() { Some(T::default()) } else { new(text).ok() }
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.unsigned()?).ok()
    }

    fn state(&mut self) -> Option<DeliveryState> {
        Some(match self.byte()? {
            0 => DeliveryState::Ready,
            1 => DeliveryState::Waiting { due: self.signed()? },
            2 => DeliveryState::InFlight,
            3 => DeliveryState::Sent,
            4 => DeliveryState::Failed,
            5 => DeliveryState::Cancelled,
            6 => DeliveryState::Expired,
            7 => DeliveryState::Suppressed,
            8 => DeliveryState::DeadLettered,
            9 => DeliveryState::Discarded,
            10 => DeliveryState::Delivered,
            11 => DeliveryState::Bounced,
            _ => return None,
        })
    }
}
