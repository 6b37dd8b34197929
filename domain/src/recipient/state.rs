//! The recipient's state and its decisions.

use super::events::{
    AddressChanged, AddressDetails, AddressRemoved, DeviceRegistered, DeviceRemoved, Erased, ProfileChanged, ProfileDetails, RecipientEvent, RemovalReason,
};
use crate::aggregate::Aggregate;
use crate::event::Personal;
use crate::values::{AddressId, Channel, Millis, RecipientId};
use serde::{Deserialize, Serialize};

/// Devices that one recipient may have; more is a client that registers anew at each start.
pub const MAX_DEVICES: usize = 50;

/// An address as the recipient's events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Its id.
    pub id: AddressId,
    /// Its channel.
    pub channel: Channel,
    /// When it was registered.
    pub registered_at: Millis,
    /// The address itself, unless erased.
    pub details: Personal<AddressDetails>,
}

/// What a profile is to become.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// BCP 47 locale.
    pub locale: Option<String>,
    /// The personal part.
    pub details: ProfileDetails,
}

/// A recipient as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Whether it is known.
    pub exists: bool,
    /// Its id.
    pub id: RecipientId,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// BCP 47 locale.
    pub locale: Option<String>,
    /// The personal part of the profile.
    pub details: Personal<ProfileDetails>,
    /// All addresses, oldest first.
    pub addresses: Vec<Address>,
    /// Whether it was erased.
    pub erased: bool,
}

/// What can be asked of a recipient.
#[derive(Debug, Clone)]
pub enum RecipientCommand {
    /// Make it known, or change its profile.
    ChangeProfile {
        /// The recipient.
        id: RecipientId,
        /// The new profile.
        profile: Profile,
    },
    /// Set the one address of a channel.
    ChangeAddress {
        /// The channel.
        channel: Channel,
        /// The address's id.
        address: AddressId,
        /// The address.
        details: AddressDetails,
        /// Now.
        now: Millis,
    },
    /// Remove the one address of a channel.
    RemoveAddress {
        /// The channel.
        channel: Channel,
        /// Why.
        reason: RemovalReason,
    },
    /// Add a device, or confirm it.
    RegisterDevice {
        /// The push channel.
        channel: Channel,
        /// The token's id.
        address: AddressId,
        /// The token.
        details: AddressDetails,
        /// Now.
        now: Millis,
    },
    /// Remove a device or other address by its id; void where it was registered after `as_of`.
    RemoveDevice {
        /// The token's id.
        address: AddressId,
        /// Why.
        reason: RemovalReason,
        /// Only a registration before this moment is removed.
        as_of: Option<Millis>,
    },
    /// Erase the person.
    Erase {
        /// The recipient.
        id: RecipientId,
    },
    /// Any of these, asked by who only rehearses: what is not there yet may come, and what is
    /// there may be repeated; nothing changes or goes.
    Rehearse(Box<Self>),
}

/// Why a recipient says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientRefusal {
    /// Unknown.
    #[error("there is no recipient of this id; create it with upsertRecipient")]
    NotFound,
    /// Erased.
    #[error("this recipient was erased; personal data is never taken up again under the same id")]
    Erased,
    /// Too many devices.
    #[error("a recipient has at most {MAX_DEVICES} devices; remove old ones first")]
    TooManyDevices,
    /// It has no such device.
    #[error("the recipient has no such device")]
    NoSuchDevice,
    /// A rehearsal would change or remove what is there.
    #[error("a sandbox key adds what is not there yet, and changes or removes nothing; use a key without `sandbox`")]
    Rehearsed,
}

impl Recipient {
    /// The addresses on a channel.
    pub fn addresses_on(&self, channel: Channel) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |address| address.channel == channel)
    }

    /// An address by id.
    pub fn address(&self, id: AddressId) -> Option<&Address> {
        self.addresses.iter().find(|address| address.id == id)
    }

    fn rehearse(&self, command: RecipientCommand) -> Result<Vec<RecipientEvent>, RecipientRefusal> {
        use RecipientEvent as E;
        let mut events = self.decide(command)?;
        // Confirming a device renews its registration; a rehearsal only repeats it.
        events.retain(|event| !matches!(event, E::DeviceRegistered(device) if self.address(device.address).is_some()));
        let adds = events.iter().all(|event| match event {
            E::ProfileChanged(_) => !self.exists,
            E::AddressChanged(AddressChanged { channel, .. }) | E::DeviceRegistered(DeviceRegistered { channel, .. }) => {
                self.addresses_on(*channel).next().is_none()
            }
            E::AddressRemoved(_) | E::DeviceRemoved(_) | E::Erased(_) => false,
        });
        if adds { Ok(events) } else { Err(RecipientRefusal::Rehearsed) }
    }

    fn put(&mut self, address: Address) {
        self.addresses.retain(|other| other.id != address.id && (address.channel.is_device() || other.channel != address.channel));
        self.addresses.push(address);
    }
}

impl Aggregate for Recipient {
    type Command = RecipientCommand;
    type Event = RecipientEvent;
    type Refusal = RecipientRefusal;

    fn decide(&self, command: RecipientCommand) -> Result<Vec<RecipientEvent>, RecipientRefusal> {
        use RecipientCommand as C;
        if self.erased {
            return if matches!(command, C::Erase { .. }) { Ok(Vec::new()) } else { Err(RecipientRefusal::Erased) };
        }
        if !self.exists && !matches!(command, C::ChangeProfile { .. } | C::Rehearse(_)) {
            return Err(RecipientRefusal::NotFound);
        }
        let recipient = self.id;
        Ok(match command {
            C::ChangeProfile { id, profile } => {
                let same =
                    self.exists && self.time_zone == profile.time_zone && self.locale == profile.locale && self.details.known() == Some(&profile.details);
                if same {
                    Vec::new()
                } else {
                    vec![RecipientEvent::ProfileChanged(ProfileChanged {
                        recipient: id,
                        time_zone: profile.time_zone,
                        locale: profile.locale,
                        personal: Personal::from(profile.details),
                    })]
                }
            }
            C::ChangeAddress { channel, address, details, now } => {
                if self.address(address).is_some_and(|known| known.details.known() == Some(&details)) {
                    Vec::new()
                } else {
                    vec![RecipientEvent::AddressChanged(AddressChanged { recipient, channel, address, registered_at: now, personal: Personal::from(details) })]
                }
            }
            C::RemoveAddress { channel, reason } => {
                self.addresses_on(channel).map(|address| RecipientEvent::AddressRemoved(AddressRemoved { channel, address: address.id, reason })).collect()
            }
            C::RegisterDevice { channel, address, details, now } => {
                let known = self.address(address).is_some();
                if !known && self.addresses.iter().filter(|address| address.channel.is_device()).count() >= MAX_DEVICES {
                    return Err(RecipientRefusal::TooManyDevices);
                }
                // Confirming a device renews its registration: a report of death about the older
                // registration must not remove it. Once a day is enough for that, unless a browser
                // came with other keys, without which it can read nothing.
                let same = |device: &Address| device.details.known() == Some(&details);
                if self.address(address).is_some_and(|device| same(device) && now - device.registered_at < 86_400_000) {
                    Vec::new()
                } else {
                    vec![RecipientEvent::DeviceRegistered(DeviceRegistered {
                        recipient,
                        channel,
                        address,
                        registered_at: now,
                        personal: Personal::from(details),
                    })]
                }
            }
            C::RemoveDevice { address, reason, as_of } => match self.address(address) {
                None if reason == RemovalReason::Requested => {
                    return Err(RecipientRefusal::NoSuchDevice);
                }
                None => Vec::new(),
                Some(known) if as_of.is_some_and(|moment| known.registered_at >= moment) => Vec::new(),
                Some(known) if known.channel.is_device() => {
                    vec![RecipientEvent::DeviceRemoved(DeviceRemoved { channel: known.channel, address, reason })]
                }
                Some(known) => vec![RecipientEvent::AddressRemoved(AddressRemoved { channel: known.channel, address, reason })],
            },
            C::Erase { id } => vec![RecipientEvent::Erased(Erased { recipient: id })],
            C::Rehearse(command) => return self.rehearse(*command),
        })
    }

    fn evolve(&mut self, event: &RecipientEvent) {
        match event {
            RecipientEvent::ProfileChanged(e) => {
                self.exists = true;
                self.id = e.recipient;
                self.time_zone.clone_from(&e.time_zone);
                self.locale.clone_from(&e.locale);
                self.details = e.personal.clone();
            }
            RecipientEvent::AddressChanged(e) => {
                self.put(Address { id: e.address, channel: e.channel, registered_at: e.registered_at, details: e.personal.clone() })
            }
            RecipientEvent::DeviceRegistered(e) => {
                self.put(Address { id: e.address, channel: e.channel, registered_at: e.registered_at, details: e.personal.clone() })
            }
            RecipientEvent::AddressRemoved(AddressRemoved { address, .. }) | RecipientEvent::DeviceRemoved(DeviceRemoved { address, .. }) => {
                self.addresses.retain(|known| known.id != *address);
            }
            RecipientEvent::Erased(_) => {
                self.erased = true;
                self.details = Personal::Erased;
                self.addresses.clear();
            }
        }
    }
}
