//! The address's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{AddressId, RecipientId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answers of which the ids are kept, to know one that comes again.
const KEPT_REPLIES: usize = 16;

/// Longest id of an answer that is kept, in characters.
const MAX_REPLY_ID: usize = 64;

/// Longest reason or note, in characters.
pub const MAX_WORDS: usize = 500;

/// Belongs to this recipient from now on, and to nobody else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressBound {
    /// The address.
    pub address: AddressId,
    /// Its owner.
    pub recipient: RecipientId,
}

/// Belongs to nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressReleased {
    /// The address.
    pub address: AddressId,
}

/// Why nothing goes to an address any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// Its provider said that it does not exist.
    HardBounce,
    /// Somebody there called it spam.
    Complaint,
    /// Somebody there answered `STOP`.
    Stop,
    /// An administrator took it off.
    Manual,
}

/// Nothing goes there any more, whoever asks, until an administrator reinstates it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressSuppressed {
    /// The address.
    pub address: AddressId,
    /// Why.
    pub reason: SuppressionReason,
    /// The provider's code or an operator's note; not personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What somebody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyWord {
    /// Nothing more.
    Stop,
    /// Go on again.
    Start,
}

/// Somebody there answered with a word that means something. What else people write is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replied {
    /// The address.
    pub address: AddressId,
    /// The word.
    pub word: ReplyWord,
    /// The provider's id for the answer: the same answer counts once.
    pub id: String,
}

/// Notifications may go there again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressReinstated {
    /// The address.
    pub address: AddressId,
    /// The administrator's words; an operator's note, not personal.
    pub reason: String,
}

crate::plain_bodies!(AddressBound, AddressReleased, AddressSuppressed, AddressReinstated, Replied);
crate::events! {
    /// What can have happened to an address.
    AddressEvent of Address { AddressBound = 1, AddressReleased = 1, AddressSuppressed = 1, AddressReinstated = 1, Replied = 1 }
}

/// Who owns an address and whether anything may go there, as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressOwnership {
    /// The owner.
    pub owner: Option<RecipientId>,
    /// Why nothing goes there. Stays with the address when its owner changes.
    #[serde(default)]
    pub suppressed: Option<SuppressionReason>,
    /// What a person's STOP stands before, and their START leaves in place.
    #[serde(default)]
    pub beneath: Option<SuppressionReason>,
    /// Ids of the last answers, the newest last.
    #[serde(default)]
    pub replies: Vec<String>,
}

/// What can be asked of an address.
#[derive(Debug, Clone)]
pub enum AddressCommand {
    /// Bind it to a recipient.
    Bind {
        /// The address.
        address: AddressId,
        /// The new owner.
        recipient: RecipientId,
    },
    /// Release it, if it is this recipient's.
    Release {
        /// The address.
        address: AddressId,
        /// The owner that lets go.
        recipient: RecipientId,
    },
    /// Let nothing go there any more.
    Suppress {
        /// The address.
        address: AddressId,
        /// Why.
        reason: SuppressionReason,
        /// In words, up to 500 characters.
        note: Option<String>,
    },
    /// Do as somebody there answered.
    Hear {
        /// The address.
        address: AddressId,
        /// The word.
        word: ReplyWord,
        /// The provider's id for the answer.
        id: String,
    },
    /// Let notifications go there again.
    Reinstate {
        /// The address.
        address: AddressId,
        /// Why, 1 to 500 characters.
        reason: String,
    },
}

/// Why an address says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// Who looks at it later has to understand it.
    #[error("give a reason of 1 to {MAX_WORDS} characters for reinstating the address")]
    Reason,
    /// Too long.
    #[error("a note on a suppressed address has at most {MAX_WORDS} characters; shorten it")]
    Note,
}

impl AddressOwnership {
    /// An answer that came before changes nothing, though another came since. A person's own word goes
    /// before every other reason, so that an administrator who lifts that one does not lift the word.
    fn hear(&self, address: AddressId, word: ReplyWord, id: &str) -> Vec<AddressEvent> {
        let id: String = id.chars().take(MAX_REPLY_ID).collect();
        if self.replies.contains(&id) {
            return Vec::new();
        }
        let replied = AddressEvent::Replied(Replied { address, word, id });
        let stopped = self.suppressed == Some(SuppressionReason::Stop);
        let change = match word {
            ReplyWord::Stop if stopped => None,
            ReplyWord::Stop => Some(AddressEvent::AddressSuppressed(AddressSuppressed { address, reason: SuppressionReason::Stop, note: None })),
            // What it stood before stands again.
            ReplyWord::Start if let Some(reason) = self.beneath.filter(|_| stopped) => {
                Some(AddressEvent::AddressSuppressed(AddressSuppressed { address, reason, note: None }))
            }
            ReplyWord::Start if stopped => Some(AddressEvent::AddressReinstated(AddressReinstated { address, reason: "START".to_owned() })),
            ReplyWord::Start => None,
        };
        std::iter::once(replied).chain(change).collect()
    }
}

impl Aggregate for AddressOwnership {
    type Command = AddressCommand;
    type Event = AddressEvent;
    type Refusal = AddressRefusal;

    fn decide(&self, command: AddressCommand) -> Result<Vec<AddressEvent>, AddressRefusal> {
        Ok(match command {
            AddressCommand::Bind { address, recipient } if self.owner != Some(recipient) => {
                vec![AddressEvent::AddressBound(AddressBound { address, recipient })]
            }
            AddressCommand::Release { address, recipient } if self.owner == Some(recipient) => {
                vec![AddressEvent::AddressReleased(AddressReleased { address })]
            }
            AddressCommand::Bind { .. } | AddressCommand::Release { .. } => Vec::new(),
            AddressCommand::Suppress { note, .. } if note.as_ref().is_some_and(|note| note.chars().count() > MAX_WORDS) => {
                return Err(AddressRefusal::Note);
            }
            AddressCommand::Suppress { .. } if self.suppressed.is_some() => Vec::new(),
            AddressCommand::Suppress { address, reason, note } => vec![AddressEvent::AddressSuppressed(AddressSuppressed { address, reason, note })],
            AddressCommand::Hear { address, word, id } => self.hear(address, word, &id),
            AddressCommand::Reinstate { reason, .. } if reason.trim().is_empty() || reason.chars().count() > MAX_WORDS => {
                return Err(AddressRefusal::Reason);
            }
            AddressCommand::Reinstate { .. } if self.suppressed.is_none() => Vec::new(),
            AddressCommand::Reinstate { address, reason } => vec![AddressEvent::AddressReinstated(AddressReinstated { address, reason })],
        })
    }

    fn evolve(&mut self, event: &AddressEvent) {
        match event {
            AddressEvent::AddressBound(e) => self.owner = Some(e.recipient),
            AddressEvent::AddressReleased(_) => self.owner = None,
            AddressEvent::AddressSuppressed(e) => {
                let stop = e.reason == SuppressionReason::Stop;
                self.beneath = self.suppressed.filter(|before| stop && *before != SuppressionReason::Stop);
                self.suppressed = Some(e.reason);
            }
            AddressEvent::AddressReinstated(_) => {
                self.suppressed = None;
                self.beneath = None;
            }
            AddressEvent::Replied(e) => {
                if self.replies.len() >= KEPT_REPLIES {
                    self.replies.remove(0);
                }
                self.replies.push(e.id.clone());
            }
        }
    }
}
