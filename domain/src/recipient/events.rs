//! Events of a recipient.

use crate::event::Personal;
use crate::values::{AddressId, Channel, Millis, RecipientId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The personal part of a profile: sealed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProfileDetails {
    /// The id the senders use.
    pub external_id: String,
    /// Attributes as a JSON object, for filters and templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
}

/// Says nothing personal: such types end up in traces by way of others that hold them.
impl fmt::Debug for ProfileDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileDetails").finish_non_exhaustive()
    }
}

/// Became known, or its profile changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileChanged {
    /// The recipient.
    pub recipient: RecipientId,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// BCP 47 locale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Sealed: the id that the senders use, attributes.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<ProfileDetails>,
}

/// The personal part of an address: sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressDetails {
    /// Device token, e-mail address, telephone number (E.164) or URL.
    pub value: String,
    /// Signing secret of a webhook; of a browser's push subscription its two keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Neither where a person is reached nor the secret.
impl fmt::Debug for AddressDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressDetails").finish_non_exhaustive()
    }
}

/// Can be reached at another (or a first) address on a channel that has one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressChanged {
    /// The recipient.
    pub recipient: RecipientId,
    /// The channel.
    pub channel: Channel,
    /// The address's id.
    pub address: AddressId,
    /// When (ms since the epoch).
    pub registered_at: Millis,
    /// Sealed: the address.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<AddressDetails>,
}

/// Why an address went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// Asked for by the recipient or a sender.
    Requested,
    /// The provider reported it dead.
    ReportedDead,
    /// The device was registered by another recipient.
    Rebound,
}

/// Cannot be reached at this address any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressRemoved {
    /// The channel.
    pub channel: Channel,
    /// The address's id.
    pub address: AddressId,
    /// Why.
    pub reason: RemovalReason,
}

/// A device can be pushed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRegistered {
    /// The recipient.
    pub recipient: RecipientId,
    /// The push channel.
    pub channel: Channel,
    /// The token's id.
    pub address: AddressId,
    /// When (ms since the epoch): a later report of death about an older registration is void.
    pub registered_at: Millis,
    /// Sealed: the token.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<AddressDetails>,
}

/// A device can no longer be pushed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRemoved {
    /// The push channel.
    pub channel: Channel,
    /// The token's id.
    pub address: AddressId,
    /// Why.
    pub reason: RemovalReason,
}

/// The person's key was destroyed: everything personal about them is unreadable for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// The recipient.
    pub recipient: RecipientId,
}

crate::personal_body!(ProfileChanged, subject = recipient);
crate::personal_body!(AddressChanged, subject = recipient);
crate::personal_body!(DeviceRegistered, subject = recipient);
crate::plain_bodies!(AddressRemoved, DeviceRemoved, Erased);
crate::events! {
    /// What can have happened to a recipient.
    RecipientEvent of Recipient {
        ProfileChanged = 1, AddressChanged = 1, AddressRemoved = 1, DeviceRegistered = 1,
        DeviceRemoved = 1, Erased = 1,
    }
}
