//! What a provider reports of a delivery after it took it, and what that changes.
//!
//! Guarantee: a report changes a notification once, however often and in whatever order it comes, and
//! what a later one of the same attempt said is not undone by an earlier one that comes late. An
//! attempt of which nobody knew what became of it is known by its report, and not repeated. Writing
//! each report down was rejected: a picture in a mail is fetched a hundred times, and a stream must not
//! grow by what strangers do.

#[cfg(test)]
mod tests;

use super::delivery::{Delivery, DeliveryState};
use super::events::{FailureClass, NotificationEvent};
use super::receipt_events::{Bounced, Clicked, Complained, ComplaintKind, Delivered, Opened, Stood};
use crate::values::{DeliveryNo, Millis};
use serde::{Deserialize, Serialize};

/// Links of a message whose clicks are told apart; those behind count as the last.
pub const MAX_LINKS: u16 = 64;

/// Words on whether a delivery arrived that are recorded. Each may contradict the one before, and who sends
/// forged reports with ever later dates must not grow the stream.
const MAX_WORDS: u8 = 8;

/// A report on one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt, where the report tells.
    pub attempt: Option<u32>,
    /// The provider's id for the message.
    pub provider_id: Option<String>,
    /// The provider's moment (ms since the epoch).
    pub at: Option<Millis>,
    /// What happened.
    pub said: Said,
}

/// What a provider reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It arrived.
    Delivered,
    /// It did not.
    Bounced {
        /// In which way.
        class: FailureClass,
        /// The address does not exist.
        dead: bool,
        /// The provider's code; not personal.
        code: String,
    },
    /// It was not wanted.
    Complained {
        /// In which way.
        kind: ComplaintKind,
    },
    /// It was opened.
    Opened {
        /// By a program, as far as one can tell.
        automatic: bool,
    },
    /// A link in it was followed.
    Clicked {
        /// Which, from 0.
        link: u16,
        /// By a program, as far as one can tell.
        automatic: bool,
    },
}

/// What was reported of a delivery so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// The attempt and the provider's moment of the last report on whether it arrived.
    pub arrival: (Option<u32>, Option<Millis>),
    /// The attempts that are known to have arrived; a bit each, the first for those that no report names.
    pub arrived: u64,
    /// Words on whether it arrived, so far.
    pub words: u8,
    /// Somebody complained.
    pub complained: bool,
    /// Somebody opened it, and a program did.
    pub opened: [bool; 2],
    /// The links that somebody followed, and that programs did; a bit each.
    pub clicked: [u64; 2],
}

impl NotificationEvent {
    /// Whether it tells what a provider reported, and says nothing of a call under way.
    pub const fn is_report(&self) -> bool {
        matches!(self, Self::Delivered(_) | Self::Bounced(_) | Self::Complained(_) | Self::Opened(_) | Self::Clicked(_))
    }
}

/// What follows from a report. Nothing where it says nothing new.
pub(super) fn report(delivery: &Delivery, known: &Reports, receipt: &Receipt) -> Vec<NotificationEvent> {
    // Nothing can be said of what was never handed over.
    if delivery.attempt == 0 || receipt.attempt.is_some_and(|attempt| attempt == 0 || attempt > delivery.attempt) {
        return Vec::new();
    }
    let (number, attempt, at) = (delivery.number, receipt.attempt, receipt.at);
    let stood = stood(delivery.state);
    let arrived = |at| NotificationEvent::Delivered(Delivered { delivery: number, stood, attempt, provider_id: receipt.provider_id.clone(), at });
    let came = match &receipt.said {
        Said::Delivered => return if arrives(delivery, known, receipt) { vec![arrived(at)] } else { Vec::new() },
        Said::Bounced { class, dead, code } => {
            let bounced = Bounced { delivery: number, stood, attempt, class: *class, code: code.clone(), address_dead: *dead, at };
            return if bounces(delivery, known, receipt, *class) { vec![NotificationEvent::Bounced(bounced)] } else { Vec::new() };
        }
        Said::Complained { kind } => (!known.complained).then_some(NotificationEvent::Complained(Complained { delivery: number, kind: *kind, at })),
        Said::Opened { automatic } => {
            (!known.opened[usize::from(*automatic)]).then_some(NotificationEvent::Opened(Opened { delivery: number, automatic: *automatic, at }))
        }
        Said::Clicked { link, automatic } => {
            let link = (*link).min(MAX_LINKS - 1);
            (known.clicked[usize::from(*automatic)] & bit(link) == 0).then_some(NotificationEvent::Clicked(Clicked {
                delivery: number,
                link,
                automatic: *automatic,
                at,
            }))
        }
    };
    // Whoever opened it or complained about it has it: that is worth as much as a report of its arrival.
    // Not so what a program fetched, which may be the mail server that refuses it then; nor of what is known
    // to have failed and is tried again.
    let by_a_person = !matches!(receipt.said, Said::Opened { automatic: true } | Said::Clicked { automatic: true, .. });
    let doubtful = by_a_person
        && match delivery.state {
            DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Bounced => false,
            DeliveryState::Ready | DeliveryState::Waiting { .. } => delivery.after_unknown,
            _ => true,
        };
    // When, is not known by that.
    let arrived = (came.is_some() && doubtful).then(|| arrived(None));
    arrived.into_iter().chain(came).collect()
}

const fn stood(state: DeliveryState) -> Stood {
    match state {
        DeliveryState::Sent => Stood::Sent,
        DeliveryState::Ready | DeliveryState::Waiting { .. } | DeliveryState::InFlight => Stood::Owed,
        DeliveryState::DeadLettered => Stood::DeadLettered,
        DeliveryState::Delivered
        | DeliveryState::Bounced
        | DeliveryState::Failed
        | DeliveryState::Cancelled
        | DeliveryState::Expired
        | DeliveryState::Suppressed
        | DeliveryState::Discarded => Stood::Over,
    }
}

fn arrives(delivery: &Delivery, known: &Reports, receipt: &Receipt) -> bool {
    match delivery.state {
        _ if known.words >= MAX_WORDS => false,
        // That it was opened was known before; or it arrived a second time, by another attempt.
        DeliveryState::Delivered => (known.arrival.1.is_none() && receipt.at.is_some()) || known.is_another(receipt.attempt),
        DeliveryState::Bounced => is_newer(known, receipt),
        _ => true,
    }
}

fn bounces(delivery: &Delivery, known: &Reports, receipt: &Receipt, class: FailureClass) -> bool {
    let of_last = receipt.attempt.is_none_or(|attempt| attempt == delivery.attempt);
    match delivery.state {
        _ if known.words >= MAX_WORDS => false,
        DeliveryState::Sent => of_last,
        // A mail that a server took and another one refused afterwards.
        DeliveryState::Delivered => of_last && (known.arrival.1.is_none() || receipt.at.is_none() || is_newer(known, receipt)),
        DeliveryState::InFlight => of_last || class == FailureClass::BadAddress,
        DeliveryState::Ready | DeliveryState::Waiting { .. } => class != FailureClass::Transient && (of_last || class == FailureClass::BadAddress),
        DeliveryState::DeadLettered => delivery.after_unknown && of_last,
        DeliveryState::Bounced
        | DeliveryState::Failed
        | DeliveryState::Cancelled
        | DeliveryState::Expired
        | DeliveryState::Suppressed
        | DeliveryState::Discarded => false,
    }
}

/// Whether a report is about a later attempt, or of a later moment, than the last one on the arrival.
fn is_newer(known: &Reports, receipt: &Receipt) -> bool {
    let (attempt, at) = known.arrival;
    match (receipt.attempt, attempt) {
        (Some(this), Some(last)) if this != last => this > last,
        _ => matches!((receipt.at, at), (Some(this), Some(last)) if this > last),
    }
}

const fn attempt_bit(attempt: Option<u32>) -> u64 {
    match attempt {
        Some(attempt @ 0..=62) => 2 << attempt >> 1,
        Some(_) => 1 << 63,
        None => 1,
    }
}

fn bit(link: u16) -> u64 {
    1 << u32::from(link.min(MAX_LINKS - 1))
}

impl Reports {
    /// Folds an event of this delivery.
    pub(super) fn evolve(&mut self, event: &NotificationEvent) {
        if matches!(event, NotificationEvent::Delivered(_) | NotificationEvent::Bounced(_)) {
            self.words = self.words.saturating_add(1);
        }
        match event {
            NotificationEvent::Delivered(e) => {
                self.arrival = (e.attempt, e.at);
                self.arrived |= attempt_bit(e.attempt);
            }
            NotificationEvent::Bounced(e) => self.arrival = (e.attempt, e.at),
            NotificationEvent::Complained(_) => self.complained = true,
            NotificationEvent::Opened(e) => self.opened[usize::from(e.automatic)] = true,
            NotificationEvent::Clicked(e) => self.clicked[usize::from(e.automatic)] |= bit(e.link),
            _ => {}
        }
    }

    /// Whether an attempt is another than those that arrived.
    const fn is_another(&self, attempt: Option<u32>) -> bool {
        attempt.is_some() && self.arrived & !1 != 0 && self.arrived & attempt_bit(attempt) == 0
    }

    /// Whether a person opened it or followed a link in it.
    pub const fn noticed(&self) -> bool {
        self.opened[0] || self.clicked[0] != 0
    }
}
