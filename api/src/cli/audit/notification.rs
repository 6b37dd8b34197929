//! What may follow what in the life of one notification.

use super::delivery::{Delivery, Stand};
use domain::notification::NotificationEvent as E;

/// A notification whose deliveries are not all over.
#[derive(Debug, Clone, Default)]
pub struct Notification {
    /// Its deliveries, by number.
    pub deliveries: Vec<Delivery>,
    requested: bool,
    /// Something was decided: queued, suppressed, put off, collected.
    decided: bool,
}

impl Notification {
    /// Nothing more is owed: it can be forgotten until one of its deliveries moves again.
    pub fn is_over(&self) -> bool {
        self.decided && self.deliveries.iter().all(|delivery| matches!(delivery.stand, Stand::Ended(_)))
    }

    /// Was accepted without a decision.
    pub const fn is_undecided(&self) -> bool {
        self.requested && !self.decided
    }

    /// Takes the next event in.
    pub fn step(&mut self, event: &E) -> Result<(), String> {
        if let E::Requested(_) = event {
            let again = self.requested;
            self.requested = true;
            return if again { Err("it was requested already".to_owned()) } else { Ok(()) };
        }
        let first = if self.requested { Ok(()) } else { Err("it was never requested".to_owned()) };
        match event {
            E::Queued(e) => {
                self.decided = true;
                let expected = self.deliveries.len();
                self.deliveries.push(Delivery::queued(e.channel));
                first.and(if usize::from(e.delivery) == expected {
                    Ok(())
                } else {
                    Err(format!("delivery {} is queued where {expected} was next", e.delivery))
                })
            }
            E::Suppressed(e) if e.delivery.is_none() => {
                self.decided = true;
                first
            }
            // It waits, is collected, or came too late, as a whole.
            E::Deferred(_) | E::Digested(_) => {
                self.decided = true;
                first
            }
            E::Expired(e) if e.delivery.is_none() => {
                self.decided = true;
                first
            }
            of_delivery => match of_delivery.delivery() {
                None => first,
                Some(number) => first.and(self.deliveries.get_mut(usize::from(number)).map_or_else(
                    || Err(format!("delivery {number} was never queued")),
                    |delivery| delivery.step(of_delivery).map_err(|reason| format!("delivery {number}: {reason}")),
                )),
            },
        }
    }
}
